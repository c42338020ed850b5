import type { OffsetsWatcherPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { ClientLink } from './client-link.ts'
import { queryOffset } from './offset-query.ts'
import { READ_TIMEOUT_MS } from './reader-actor.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const CLOSING_MS = 100
/** Every so many rounds the start of the log is asked for instead of its end. */
const EARLIEST_EVERY = 5

/** Asks for the latest offsets again and again, and now and then for the earliest. */
export function createOffsetsWatcherActor(
  plan: OffsetsWatcherPlan,
  context: WorkloadContext,
): Actor {
  return new WorkloadActor(plan.name, context, (life) => new OffsetsWatcherLife(plan, life))
}

class OffsetsWatcherLife implements Life {
  readonly #plan: OffsetsWatcherPlan
  readonly #context: LifeContext
  readonly #link: ClientLink
  #open = 0
  #round = 0
  #isStopped = false

  constructor(plan: OffsetsWatcherPlan, context: LifeContext) {
    this.#plan = plan
    this.#context = context
    this.#link = new ClientLink({
      clientId: context.process,
      ports: context.ports,
      bootstrap: context.bootstrap,
      requestTimeoutMs: READ_TIMEOUT_MS,
      topics: [plan.topic],
    })
    this.#wait()
  }

  stop(): void {
    this.#isStopped = true
    this.#closeWhenDone()
  }

  pending(): string | null {
    if (this.#link.isClosed || this.#open === 0) return null
    return `offsets watcher ${this.#context.process} waits for ${this.#open} answers`
  }

  abandon(): void {
    this.#link.abandon()
  }

  #wait(): void {
    const delayMs = (this.#plan.everyMs * (500 + this.#context.random.below(1001))) / 1000
    this.#link.after(delayMs, 'offsets.next', () => this.#ask())
  }

  #ask(): void {
    if (this.#isStopped) return
    this.#round += 1
    const which = this.#round % EARLIEST_EVERY === 0 ? 'earliest' : 'latest'
    const { history, process } = this.#context
    const { topic, partitions } = this.#plan
    const link = this.#link
    for (const partition of partitions) {
      const query = { link, history, process, topic, partition, which } as const
      const isAsked = queryOffset(query, () => {
        this.#open -= 1
      })
      if (isAsked) this.#open += 1
    }
    this.#wait()
  }

  #closeWhenDone(): void {
    if (this.pending() === null) return this.#link.close()
    this.#link.after(CLOSING_MS, 'offsets.closing', () => this.#closeWhenDone())
  }
}
