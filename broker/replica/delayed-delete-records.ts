import type { Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Partition } from './partition.ts'
import type { CompletionReason, DelayedOperation } from './purgatory.ts'

/** One partition of a DeleteRecords answer. */
export interface DeleteRecordsResult {
  readonly topic: string
  readonly partition: number
  readonly error: ErrorCode
  /** The least log start of the leader and the followers that are alive; -1 on an error. */
  readonly lowWatermark: Offset
}

/** One partition that waits: what it has come to, and the log start that all replicas must reach; null: no wait. */
export interface AwaitedDeletion {
  readonly result: DeleteRecordsResult
  readonly requiredOffset: Offset | null
}

export interface DelayedDeleteRecordsOptions {
  readonly deletions: readonly AwaitedDeletion[]
  readonly find: (topic: string, partition: number) => Partition | null
  readonly respond: (results: readonly DeleteRecordsResult[]) => void
}

/**
 * A DeleteRecords that waits until the leader's new log starts are durable and the followers have taken them over.
 * Lost leadership ends the wait of a partition; at the deadline what is still missing is REQUEST_TIMED_OUT, with the
 * log start left where it is (Kafka's DelayedDeleteRecords).
 */
export class DelayedDeleteRecords implements DelayedOperation {
  readonly #options: DelayedDeleteRecordsOptions
  readonly #results: DeleteRecordsResult[]
  /** Log start to wait for by the index in `#results`. */
  readonly #awaited = new Map<number, Offset>()
  #isDurable = false

  constructor(options: DelayedDeleteRecordsOptions) {
    this.#options = options
    this.#results = options.deletions.map(({ result }) => result)
    options.deletions.forEach(({ requiredOffset }, index) => {
      if (requiredOffset !== null) this.#awaited.set(index, requiredOffset)
    })
  }

  /** The partitions that are waited for. */
  get keys(): readonly string[] {
    return [...this.#awaited.keys()].flatMap((index) => {
      const result = this.#results[index]
      return result === undefined ? [] : topicPartitionKey(result.topic, result.partition)
    })
  }

  /** The checkpoint is written, or why not. */
  onDurable(hasFailed: boolean): void {
    this.#isDurable = true
    if (!hasFailed) return
    for (const index of this.#awaited.keys()) this.#settle(index, ErrorCode.KAFKA_STORAGE_ERROR, -1)
    this.#awaited.clear()
  }

  isReady(): boolean {
    for (const [index, requiredOffset] of this.#awaited) {
      const result = this.#results[index]
      if (result === undefined) continue
      const partition = this.#options.find(result.topic, result.partition)
      const lowWatermark = partition?.lowWatermark ?? null
      if (lowWatermark === null) {
        this.#settle(index, ErrorCode.NOT_LEADER_OR_FOLLOWER, -1)
        this.#awaited.delete(index)
      } else if (this.#isDurable && lowWatermark >= requiredOffset) {
        this.#settle(index, ErrorCode.NONE, lowWatermark)
        this.#awaited.delete(index)
      }
    }
    return this.#awaited.size === 0
  }

  complete(reason: CompletionReason): void {
    const error =
      reason === 'closed' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.REQUEST_TIMED_OUT
    for (const index of this.#awaited.keys()) {
      this.#settle(index, error, this.#results[index]?.lowWatermark ?? -1)
    }
    this.#options.respond(this.#results)
  }

  #settle(index: number, error: ErrorCode, lowWatermark: Offset): void {
    const result = this.#results[index]
    if (result !== undefined) this.#results[index] = { ...result, error, lowWatermark }
  }
}
