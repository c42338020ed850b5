import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { ErrorCode } from '../../src/wire/error-codes.ts'

/** What became of an append; `lastOffset` has a meaning only when `error` is NONE. */
export interface CoordinatorAppend {
  readonly error: ErrorCode
  readonly lastOffset: Offset
}

/**
 * What a coordinator needs of the logs of its topic (`__consumer_offsets` and the like). The broker
 * gives it an adapter over its replica manager; partitions are those of the one topic.
 */
export interface CoordinatorLog {
  /**
   * Appends one batch to the local log of a led partition, as acks=all does: NOT_ENOUGH_REPLICAS when
   * too few replicas are in sync, NOT_LEADER_OR_FOLLOWER when `leaderEpoch` is no longer led here,
   * UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE. Does not wait for the followers. A transaction's first batch needs
   * the guard of its verification (INVALID_TXN_STATE), a marker is judged by its transaction.version
   * (INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED).
   */
  append(
    partition: number,
    batch: Buffer,
    leaderEpoch: LeaderEpoch,
    transaction?: { readonly guard?: object | null; readonly transactionVersion?: number },
  ): CoordinatorAppend
  /**
   * Calls `done` once: NONE when the high watermark is above `offset` (the record is committed),
   * REQUEST_TIMED_OUT after `timeoutMs`, NOT_LEADER_OR_FOLLOWER when leadership ends first.
   * May call it at once.
   */
  whenCommitted(
    partition: number,
    offset: Offset,
    leaderEpoch: LeaderEpoch,
    timeoutMs: number,
    done: (error: ErrorCode) => void,
  ): void
  /**
   * Whole batches from the one that holds `offset` on, up to the end of the local log, committed or
   * not. At least one batch while `offset` is below the log end, otherwise no bytes.
   */
  read(partition: number, offset: Offset, maxBytes: number): Buffer
  logStartOffset(partition: number): Offset
  logEndOffset(partition: number): Offset
  highWatermark(partition: number): Offset
  /** Largest batch that `append` takes: max.message.bytes of the topic. */
  readonly maxBatchBytes: number
}
