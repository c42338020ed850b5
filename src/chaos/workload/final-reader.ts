import { topicPartitionKey } from '../../base/topic-partition.ts'
import type { Actor } from '../run/stage.ts'
import type { NodePorts } from '../../ports/ports.ts'
import { ClientLink } from './client-link.ts'
import { queryOffset } from './offset-query.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import { READ_TIMEOUT_MS } from './reader-actor.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const EVERY_MS = 20
const RETRY_MS = 100

export interface FinalReaderPlan {
  readonly name: string
  readonly topics: readonly string[]
}

type Extent = 'start' | 'end'

/** A topic's partitions as they are being read. */
class TopicRead {
  readonly #topic: string
  readonly #context: LifeContext
  readonly #link: ClientLink
  readonly #fetcher: PartitionFetcher
  /** Null until the topic is known: then its partitions are what is read, no matter what is added. */
  #partitionCount: number | null = null
  readonly #ends = new Map<number, number>()
  readonly #done = new Set<number>()

  constructor(topic: string, context: LifeContext, link: ClientLink) {
    this.#topic = topic
    this.#context = context
    this.#link = link
    this.#fetcher = new PartitionFetcher({
      link,
      history: context.history,
      process: context.process,
      random: context.random.fork(topic),
      topic,
      purpose: 'final',
      isolation: 'read_uncommitted',
      everyMs: EVERY_MS,
      onProgress: (partition, position) => this.#onProgress(partition, position),
    })
    this.#begin()
  }

  /** What is missing; null when every partition was read to its end. */
  pending(): string | null {
    const count = this.#partitionCount
    if (count === null) return `the final read does not know topic ${this.#topic}`
    for (let partition = 0; partition < count; partition += 1) {
      if (this.#done.has(partition)) continue
      const position = this.#fetcher.position(partition)
      const end = this.#ends.get(partition)
      const where = `of ${this.#topic}-${partition}`
      if (end === undefined) return `the final read does not know the end ${where}`
      if (position === null) return `the final read does not know the start ${where}`
      return `the final read is at ${position} of ${end} ${where}`
    }
    return null
  }

  stop(): void {
    this.#fetcher.stop()
  }

  collectEnds(into: Map<string, number>): void {
    for (const [partition, end] of this.#ends)
      into.set(topicPartitionKey(this.#topic, partition), end)
  }

  #begin(): void {
    const count = this.#link.partitionCount(this.#topic)
    if (count === 0) {
      this.#link.updater.requestUpdate()
      return this.#link.after(RETRY_MS, 'final.begin', () => this.#begin())
    }
    this.#partitionCount = count
    for (let partition = 0; partition < count; partition += 1) this.#ask(partition, 'end')
  }

  /** First the end, then the start: what is deleted in between is not waited for. */
  #ask(partition: number, extent: Extent): void {
    const again = (): void => {
      this.#link.after(RETRY_MS, 'final.ask', () => this.#ask(partition, extent))
    }
    const { history, process } = this.#context
    const which = extent === 'end' ? 'latest' : 'earliest'
    const query = {
      link: this.#link,
      history,
      process,
      topic: this.#topic,
      partition,
      which,
    } as const
    const isAsked = queryOffset(query, (error, offset) => {
      if (error !== null) return again()
      if (extent === 'start') return this.#fetcher.assign(partition, offset)
      this.#ends.set(partition, offset)
      this.#ask(partition, 'start')
    })
    if (!isAsked) again()
  }

  #onProgress(partition: number, position: number): void {
    if (position < (this.#ends.get(partition) ?? Infinity)) return
    this.#done.add(partition)
    this.#fetcher.unassign(partition)
  }
}

class FinalReaderLife implements Life {
  readonly #link: ClientLink
  readonly #reads: readonly TopicRead[]
  #isDone = false

  constructor(plan: FinalReaderPlan, context: LifeContext) {
    this.#link = new ClientLink({
      clientId: context.process,
      ports: context.ports,
      bootstrap: context.bootstrap,
      requestTimeoutMs: READ_TIMEOUT_MS,
      topics: plan.topics,
    })
    this.#reads = plan.topics.map((topic) => new TopicRead(topic, context, this.#link))
  }

  stop(): void {
    for (const read of this.#reads) read.stop()
    this.#link.close()
  }

  pending(): string | null {
    if (this.#isDone) return null
    for (const read of this.#reads) {
      const reason = read.pending()
      if (reason !== null) return reason
    }
    this.#isDone = true
    this.stop()
    return null
  }

  abandon(): void {
    this.#link.abandon()
  }

  ends(): ReadonlyMap<string, number> {
    const ends = new Map<string, number>()
    for (const read of this.#reads) read.collectEnds(ends)
    return ends
  }
}

/**
 * The complete read after the heal (purpose `final`): every partition that a topic has, from its start to the end
 * that it had when it was asked. Every partition has at least one entry, also an empty one.
 */
export class FinalReader implements Actor {
  readonly name: string
  readonly #actor: WorkloadActor
  #life: FinalReaderLife | null = null
  #isStarted = false
  #isStopped = false

  constructor(plan: FinalReaderPlan, context: WorkloadContext) {
    this.name = plan.name
    this.#actor = new WorkloadActor(plan.name, context, (life) => {
      this.#life = new FinalReaderLife(plan, life)
      return this.#life
    })
  }

  start(ports: NodePorts): void {
    this.#isStarted = true
    this.#actor.start(ports)
  }

  /** Gives up what is not read yet. */
  stop(): void {
    this.#isStopped = true
    this.#actor.stop()
  }

  /** Every partition was read to its end. */
  done(): boolean {
    return this.#isStarted && this.#actor.pending() === null
  }

  /** The end offsets found so far, by `topicPartitionKey`; all of them when it is done. */
  ends(): ReadonlyMap<string, number> {
    return this.#life?.ends() ?? new Map()
  }

  /** What is still to be read; null when nothing is, or when it was stopped. */
  pending(): string | null {
    if (this.#isStopped) return null
    return this.#isStarted ? this.#actor.pending() : 'the final read has not begun'
  }
}
