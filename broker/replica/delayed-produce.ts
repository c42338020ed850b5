import type { LeaderEpoch, Offset, TimestampMs } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { UNKNOWN_LEADER, type FetchPartitionResult } from './fetch-result.ts'
import { leaderOf } from './partition-read.ts'
import type { Partition } from './partition.ts'
import type { CompletionReason, DelayedOperation } from './purgatory.ts'

/** One partition of a Produce answer. */
export interface AppendPartitionResult {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
  readonly error: ErrorCode
  /** -1 when nothing was appended. A duplicate has the offset of the first append. */
  readonly baseOffset: Offset
  /** -1 for CreateTime. */
  readonly logAppendTimeMs: TimestampMs
  readonly logStartOffset: Offset
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string | null }[]
  readonly errorMessage: string | null
  /** -1 and -1 when this broker hosts no such partition. */
  readonly currentLeader: FetchPartitionResult['currentLeader']
}

/** One partition of a waiting Produce: what was appended and the offset that must be committed. */
export interface AwaitedAppend {
  readonly result: AppendPartitionResult
  /** One past the last record; null when the append failed and there is nothing to wait for. */
  readonly requiredOffset: Offset | null
}

type Find = (topic: string, partition: number) => Partition | null

/**
 * A Produce with acks=all that waits for the high watermark. Ended early per partition by lost leadership;
 * at the deadline what is still missing is REQUEST_TIMED_OUT, with the records left in the log.
 */
export class DelayedProduce implements DelayedOperation {
  readonly #find: Find
  readonly #respond: (results: readonly AppendPartitionResult[]) => void
  readonly #results: AppendPartitionResult[]
  /** Offset to wait for by the index in `#results`. */
  readonly #awaited = new Map<number, Offset>()

  constructor(
    appends: readonly AwaitedAppend[],
    find: Find,
    respond: (results: readonly AppendPartitionResult[]) => void,
  ) {
    this.#find = find
    this.#respond = respond
    this.#results = appends.map((append) => append.result)
    appends.forEach(({ requiredOffset }, index) => {
      if (requiredOffset !== null) this.#awaited.set(index, requiredOffset)
    })
  }

  /** The partitions that are waited for. */
  get keys(): readonly string[] {
    const keys: string[] = []
    for (const index of this.#awaited.keys()) {
      const result = this.#results[index]
      if (result !== undefined) keys.push(topicPartitionKey(result.topic, result.partition))
    }
    return keys
  }

  isReady(): boolean {
    for (const [index, requiredOffset] of this.#awaited) {
      const result = this.#results[index]
      if (result === undefined) continue
      const partition = this.#find(result.topic, result.partition)
      const outcome =
        partition === null
          ? ErrorCode.NOT_LEADER_OR_FOLLOWER
          : partition.commitOutcome(requiredOffset)
      if (outcome !== null) this.#settle(index, result, outcome, partition)
    }
    return this.#awaited.size === 0
  }

  complete(reason: CompletionReason): void {
    const error =
      reason === 'closed' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.REQUEST_TIMED_OUT
    for (const index of [...this.#awaited.keys()]) {
      const result = this.#results[index]
      if (result === undefined) continue
      this.#settle(index, result, error, this.#find(result.topic, result.partition))
    }
    this.#respond(this.#results)
  }

  #settle(
    index: number,
    result: AppendPartitionResult,
    error: ErrorCode,
    partition: Partition | null,
  ): void {
    this.#awaited.delete(index)
    if (error === ErrorCode.NONE) return
    partition?.tell('produce.unanswered', { errorCode: error, offset: result.baseOffset })
    const currentLeader = partition === null ? UNKNOWN_LEADER : leaderOf(partition)
    this.#results[index] = { ...result, error, currentLeader }
  }
}

/** A coordinator's wait for one offset of one partition, as the leader of one epoch. */
export class DelayedCommit implements DelayedOperation {
  readonly #partition: Partition
  readonly #offset: Offset
  readonly #leaderEpoch: LeaderEpoch
  readonly #done: (error: ErrorCode) => void

  constructor(
    partition: Partition,
    offset: Offset,
    leaderEpoch: LeaderEpoch,
    done: (error: ErrorCode) => void,
  ) {
    this.#partition = partition
    this.#offset = offset
    this.#leaderEpoch = leaderEpoch
    this.#done = done
  }

  isReady(): boolean {
    return this.#outcome() !== null
  }

  complete(reason: CompletionReason): void {
    const late =
      reason === 'closed' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.REQUEST_TIMED_OUT
    this.#done(this.#outcome() ?? late)
  }

  #outcome(): ErrorCode | null {
    const { isLeader, leaderEpoch, log } = this.#partition
    if (!isLeader || leaderEpoch !== this.#leaderEpoch) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    return log.highWatermark > this.#offset ? ErrorCode.NONE : null
  }
}
