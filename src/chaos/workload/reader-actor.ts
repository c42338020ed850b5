import { topicPartitionKey } from '../../base/topic-partition.ts'
import type { ReaderPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { ClientLink } from './client-link.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

export const READ_TIMEOUT_MS = 2000
const CLOSING_MS = 100

/** Reads partitions from the start, outside any group, and goes on reading; each life begins again. */
export function createReaderActor(plan: ReaderPlan, context: WorkloadContext): Actor {
  return new WorkloadActor(plan.name, context, (life) => new ReaderLife(plan, life))
}

class ReaderLife implements Life {
  readonly #plan: ReaderPlan
  readonly #context: LifeContext
  readonly #link: ClientLink
  readonly #fetcher: PartitionFetcher

  constructor(plan: ReaderPlan, context: LifeContext) {
    this.#plan = plan
    this.#context = context
    this.#link = new ClientLink({
      clientId: context.process,
      ports: context.ports,
      bootstrap: context.bootstrap,
      requestTimeoutMs: READ_TIMEOUT_MS,
      topics: [plan.topic],
    })
    this.#fetcher = new PartitionFetcher({
      link: this.#link,
      history: context.history,
      process: context.process,
      random: context.random,
      topic: plan.topic,
      purpose: 'reader',
      isolation: plan.isolation,
      everyMs: plan.everyMs,
    })
    for (const partition of plan.partitions) this.#fetcher.assign(partition, 0)
  }

  stop(): void {
    this.#fetcher.stop()
    this.#closeWhenDone()
  }

  pending(): string | null {
    const { openCount } = this.#fetcher
    if (this.#link.isClosed || openCount === 0) return null
    return `reader ${this.#context.process} waits for ${openCount} fetches`
  }

  abandon(): void {
    this.#link.abandon()
  }

  lagBehind(ends: ReadonlyMap<string, number>): string | null {
    for (const partition of this.#plan.partitions) {
      const key = topicPartitionKey(this.#plan.topic, partition)
      const end = ends.get(key) ?? 0
      const position = this.#fetcher.position(partition) ?? 0
      if (position >= end) continue
      return `reader ${this.#context.process} is at ${position} of ${end} of ${key}`
    }
    return null
  }

  #closeWhenDone(): void {
    if (this.pending() === null) return this.#link.close()
    this.#link.after(CLOSING_MS, 'reader.closing', () => this.#closeWhenDone())
  }
}
