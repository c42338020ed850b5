import { ErrorCode } from '../../wire/error-codes.ts'
import { metadataApi } from '../../wire/messages/03-metadata.ts'
import { createTopicsApi } from '../../wire/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../wire/messages/20-delete-topics.ts'
import type { AdminOperation } from '../history/operation.ts'
import type { AdminPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { ClientLink } from './client-link.ts'
import { errorNameOf, errorOfCode, outcomeOf } from './outcome.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const REQUEST_TIMEOUT_MS = 2000
const CLOSING_MS = 100
/** More topics than this are not kept at once: each costs every broker something. */
const TOPICS_MAX = 4
const PARTITIONS_MAX = 3

/** Creates, describes and deletes topics of its own, `<process>-0`, `<process>-1`, ... */
export function createAdminActor(plan: AdminPlan, context: WorkloadContext): Actor {
  return new WorkloadActor(plan.name, context, (life) => new AdminLife(plan, life))
}

class AdminLife implements Life {
  readonly #plan: AdminPlan
  readonly #context: LifeContext
  readonly #link: ClientLink
  /** Created for all that is known, oldest first. */
  readonly #topics: string[] = []
  #created = 0
  #open: { readonly index: number; readonly operation: AdminOperation } | null = null
  #isDescribing = false
  #isStopped = false

  constructor(plan: AdminPlan, context: LifeContext) {
    this.#plan = plan
    this.#context = context
    this.#link = new ClientLink({
      clientId: context.process,
      ports: context.ports,
      bootstrap: context.bootstrap,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      topics: [],
    })
    this.#wait()
  }

  stop(): void {
    this.#isStopped = true
    this.#closeWhenDone()
  }

  pending(): string | null {
    const isOpen = this.#open !== null || this.#isDescribing
    if (this.#link.isClosed || !isOpen) return null
    const what = this.#open?.operation.op ?? 'describe'
    return `admin ${this.#context.process} waits for ${what}`
  }

  abandon(): void {
    this.#link.abandon()
    const open = this.#open
    this.#open = null
    if (open === null) return
    const { history, process } = this.#context
    history.end(open.index, process, 'info', { ...open.operation, error: 'CLIENT_CRASHED' })
  }

  #wait(): void {
    const delayMs = (this.#plan.everyMs * (500 + this.#context.random.below(1001))) / 1000
    this.#link.after(delayMs, 'admin.next', () => this.#act())
  }

  /** One thing at a time, so that the order of the operations is known. */
  #act(): void {
    if (this.#isStopped) return
    const { random } = this.#context
    const oldest = this.#topics[0]
    const choice = random.below(4)
    if (oldest === undefined || (choice < 2 && this.#topics.length < TOPICS_MAX)) this.#create()
    else if (choice === 2) this.#describe(oldest)
    else this.#delete(oldest)
  }

  #create(): void {
    const { random, process } = this.#context
    // Topic names have no slash; later lives have one in their process name.
    const name = `${process.replace('/', '.')}-${this.#created}`
    this.#created += 1
    this.#topics.push(name)
    const numPartitions = 1 + random.below(PARTITIONS_MAX)
    const call = {
      api: createTopicsApi,
      timeoutMs: REQUEST_TIMEOUT_MS,
      limits: { min: 4 },
      body: () => ({
        topics: [{ name, numPartitions, replicationFactor: -1 }],
        timeoutMs: REQUEST_TIMEOUT_MS,
      }),
    }
    this.#invoke({ op: 'create-topic', topic: name })
    this.#link.request('any', 'main', call, (error, response) => {
      this.#end(error ?? errorOfCode(response?.topics[0]?.errorCode ?? 0))
    })
  }

  #delete(name: string): void {
    const call = {
      api: deleteTopicsApi,
      timeoutMs: REQUEST_TIMEOUT_MS,
      body: (version: number) => ({
        ...(version >= 6 ? { topics: [{ name }] } : { topicNames: [name] }),
        timeoutMs: REQUEST_TIMEOUT_MS,
      }),
    }
    this.#invoke({ op: 'delete-topic', topic: name })
    this.#link.request('any', 'main', call, (error, response) => {
      const problem = error ?? errorOfCode(response?.responses[0]?.errorCode ?? 0)
      const isGone = problem === null || errorNameOf(problem) === 'UNKNOWN_TOPIC_OR_PARTITION'
      if (isGone) this.#topics.splice(this.#topics.indexOf(name), 1)
      this.#end(problem)
    })
  }

  /** Not in the history: there is no promise about what other brokers already know. */
  #describe(name: string): void {
    this.#isDescribing = true
    const call = {
      api: metadataApi,
      timeoutMs: REQUEST_TIMEOUT_MS,
      limits: { min: 4 },
      body: () => ({ topics: [{ name }], allowAutoTopicCreation: false }),
    }
    this.#link.request('any', 'main', call, () => {
      this.#isDescribing = false
      this.#wait()
    })
  }

  #invoke(operation: AdminOperation): void {
    const { history, process } = this.#context
    this.#open = { index: history.invoke(process, operation), operation }
  }

  #end(error: Error | null): void {
    const open = this.#open
    this.#open = null
    if (open === null) return
    const { history, process } = this.#context
    if (error === null) history.end(open.index, process, 'ok', open.operation)
    else {
      const kind = outcomeOf('admin', error)
      history.end(open.index, process, kind, { ...open.operation, error: errorNameOf(error) })
      this.#forgetRefused(open.operation, error)
    }
    this.#wait()
  }

  #forgetRefused({ op, topic }: AdminOperation, error: Error): void {
    const isMade = errorOfCode(ErrorCode.TOPIC_ALREADY_EXISTS)?.code === errorNameOf(error)
    if (op !== 'create-topic' || isMade || outcomeOf('admin', error) !== 'fail') return
    this.#topics.splice(this.#topics.indexOf(topic), 1)
  }

  #closeWhenDone(): void {
    if (this.pending() === null) return this.#link.close()
    this.#link.after(CLOSING_MS, 'admin.closing', () => this.#closeWhenDone())
  }
}
