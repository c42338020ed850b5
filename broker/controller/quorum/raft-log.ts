import { assert } from '../../../src/base/assert.ts'
import { CommittedLossError, DiskError, type DiskErrorCode } from '../../../src/base/errors.ts'
import type { LeaderEpoch, Offset } from '../../../src/base/ids.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { EventSink } from '../../../src/ports/events.ts'
import { ErrorCode, errorName } from '../../../src/wire/error-codes.ts'
import type { PartitionLog } from '../../log/partition-log.ts'

/** Most bytes that one fetch or one step of the commit feed takes. */
export const MAX_READ_BYTES = 1024 * 1024

export interface EpochEnd {
  readonly epoch: LeaderEpoch
  readonly endOffset: Offset
}

export interface RaftLogOptions {
  readonly log: PartitionLog
  readonly clock: Clock
  readonly events: EventSink
  /** More of the log is durable, or an fsync failed. Never called from inside. */
  readonly onFlushed: (error: Error | null) => void
}

/**
 * The metadata log as Raft sees it: what is durable, what is committed, where two logs part. One fsync runs
 * at a time and takes along all that was appended before it began.
 */
export class RaftLog {
  readonly #log: PartitionLog
  readonly #clock: Clock
  readonly #events: EventSink
  readonly #onFlushed: (error: Error | null) => void
  #highWatermark: Offset
  #durableEnd: Offset
  #isFlushing = false
  /** Counts truncations: an fsync that began before one says nothing of the bytes after it. */
  #generation = 0

  constructor(options: RaftLogOptions) {
    this.#log = options.log
    this.#clock = options.clock
    this.#events = options.events
    this.#onFlushed = options.onFlushed
    this.#highWatermark = options.log.logStartOffset
    this.#durableEnd = options.log.logStartOffset
  }

  get startOffset(): Offset {
    return this.#log.logStartOffset
  }

  get endOffset(): Offset {
    return this.#log.logEndOffset
  }

  /** Epoch of the last batch; 0 for an empty log. */
  get lastEpoch(): LeaderEpoch {
    return Math.max(0, this.#log.latestEpoch)
  }

  /** All below is known to be committed; it starts anew with the process. */
  get highWatermark(): Offset {
    return this.#highWatermark
  }

  /** All below survives a crash. Bytes found at the start count only after an fsync of this process. */
  get durableEnd(): Offset {
    return this.#durableEnd
  }

  /** Appends one batch of the leader; returns its last offset. Throws `DiskError`. */
  appendAsLeader(batch: Buffer, epoch: LeaderEpoch): Offset {
    const expected = this.endOffset
    const result = this.#log.appendAsLeader(batch, {
      leaderEpoch: epoch,
      nowMs: this.#clock.wallMs(),
      origin: 'raft',
    })
    if (result.error === ErrorCode.KAFKA_STORAGE_ERROR) throw storageError(result.message)
    assert(result.error === ErrorCode.NONE, `own append refused: ${errorName(result.error)}`)
    assert(result.baseOffset === expected, 'the leader appends at its end')
    this.flush()
    return result.lastOffset
  }

  /** Appends what the leader of `epoch` sent. Why it was refused: damaged, or no continuation of this log. Throws `DiskError`. */
  appendAsFollower(batches: Buffer, epoch: LeaderEpoch): ErrorCode {
    const { error, message } = this.#log.appendAsFollower(batches, this.#clock.wallMs(), epoch)
    if (error === ErrorCode.KAFKA_STORAGE_ERROR) throw storageError(message)
    this.flush()
    return error
  }

  /** Whole batches from `offset` on that end below `limit`: at least one, at most `maxBytes` else. Throws `DiskError`. */
  read(offset: Offset, limit: Offset, maxBytes: number): Buffer {
    if (offset >= limit) return Buffer.alloc(0)
    const { error, records } = this.#log.read({
      offset,
      maxBytes: Math.min(maxBytes, MAX_READ_BYTES),
      minOneBatch: true,
      endOffset: limit,
    })
    if (error === ErrorCode.KAFKA_STORAGE_ERROR)
      throw storageError(`it cannot be read at ${offset}`)
    assert(error === ErrorCode.NONE, `read at ${offset}: ${errorName(error)}`)
    return records
  }

  /**
   * Null when a replica whose log ends at `offset` with `epoch` holds a prefix of this log; else the last
   * point where the two may agree (KIP-595, `validateOffsetAndEpoch`).
   */
  divergenceFrom(offset: Offset, epoch: LeaderEpoch): EpochEnd | null {
    if (offset === 0 && epoch === 0 && this.startOffset === 0) return null
    const end = this.endOfEpoch(epoch)
    return end.epoch === epoch && end.endOffset >= offset ? null : end
  }

  /** End of `epoch` in this log, or of the last one before it. A newer epoch than all ends at the log end. */
  endOfEpoch(epoch: LeaderEpoch): EpochEnd {
    const end = this.#log.endOffsetForEpoch(epoch)
    if (end.epoch < 0) return { epoch: this.lastEpoch, endOffset: this.endOffset }
    return { epoch: end.epoch, endOffset: end.endOffset }
  }

  /**
   * Drops what the leader does not have, down to the point it named; the next fetch may find another one. Throws
   * `CommittedLossError` when that is committed: a quorum that lost its disks has elected a leader without it. Kafka's
   * raft client ends the process then, by its fatal fault handler.
   */
  truncateTo(leaderEnd: EpochEnd): void {
    const own = this.endOfEpoch(leaderEnd.epoch)
    const isSameEpoch = leaderEnd.epoch === 0 || own.epoch === leaderEnd.epoch
    const limit = leaderEnd.epoch === 0 ? this.endOffset : own.endOffset
    const offset = isSameEpoch ? Math.min(limit, leaderEnd.endOffset) : own.endOffset
    if (offset >= this.endOffset) return
    if (offset < this.#highWatermark) throw this.#committedLoss(offset, leaderEnd.epoch)
    const from = this.endOffset
    this.#log.truncateTo(offset)
    this.#generation += 1
    const to = this.endOffset
    assert(to >= this.#highWatermark, `a batch at ${to} holds the high watermark`)
    this.#durableEnd = Math.min(this.#durableEnd, to)
    this.#events.emit('quorum.truncated', { from, to, epoch: leaderEnd.epoch })
  }

  #committedLoss(to: Offset, epoch: LeaderEpoch): CommittedLossError {
    const highWatermark = this.#highWatermark
    this.#events.emit('quorum.committed-lost', { to, highWatermark, epoch })
    return new CommittedLossError(
      `the metadata log is to be cut at ${to}, and is committed up to ${highWatermark}: the leader has lost the rest`,
    )
  }

  /** True when it moved. It never goes back, and never beyond the end of this log. */
  updateHighWatermark(offset: Offset): boolean {
    const next = Math.min(offset, this.endOffset)
    if (next <= this.#highWatermark) return false
    this.#highWatermark = next
    this.#log.updateHighWatermark(next)
    this.#events.emit('quorum.committed', { highWatermark: next })
    return true
  }

  /** Asks for an fsync of all that is appended, unless one is under way; then the next follows it. */
  flush(): void {
    if (this.#isFlushing || this.#durableEnd >= this.endOffset) return
    this.#isFlushing = true
    const target = this.endOffset
    const generation = this.#generation
    this.#log.flush((error) => {
      this.#isFlushing = false
      if (error !== null) {
        this.#onFlushed(diskError(error))
        return
      }
      if (generation === this.#generation) this.#durableEnd = target
      this.flush()
      this.#onFlushed(null)
    })
  }
}

function diskError(code: DiskErrorCode): DiskError {
  return new DiskError(code, 'the metadata log could not be made durable')
}

/** The log says no more than that the disk failed. */
function storageError(message: string | null): DiskError {
  return new DiskError('EIO', `the metadata log: ${message ?? 'its disk failed'}`)
}
