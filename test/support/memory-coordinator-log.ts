import type { CoordinatorAppend, CoordinatorLog } from '../../broker/coordinator/log-port.ts'
import { assert } from '../../src/base/assert.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  patchBatch,
  readBatchHeader,
  readRecords,
  type DecodedRecord,
} from '../../src/wire/record-batch.ts'

interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
}

interface Waiter {
  readonly offset: number
  readonly timer: Timer
  readonly done: (error: ErrorCode) => void
}

interface MemoryPartition {
  batches: StoredBatch[]
  readonly waiters: Set<Waiter>
  leaderEpoch: number
  highWatermark: number
}

/**
 * The replicated log of a coordinator's topic, shared by all brokers of a test. Whoever holds the
 * newest epoch of a partition may append. Appends commit at once unless `isHeld`; then `commit` moves
 * the high watermark. `appendError` makes appends fail.
 */
export class MemoryCoordinatorLog implements CoordinatorLog {
  isHeld = false
  appendError: ErrorCode = ErrorCode.NONE
  maxBatchBytes = 1_048_588
  appendCount = 0
  readCount = 0
  readonly #clock: Clock
  readonly #partitions = new Map<number, MemoryPartition>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  append(partition: number, batch: Buffer, leaderEpoch: number): CoordinatorAppend {
    const log = this.#partition(partition)
    if (leaderEpoch < log.leaderEpoch) return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (this.appendError !== ErrorCode.NONE) return failed(this.appendError)
    assert(batch.length <= this.maxBatchBytes, 'the runtime checks the size of batches')
    this.appendCount += 1
    const baseOffset = this.logEndOffset(partition)
    const bytes = Buffer.from(batch)
    patchBatch(bytes, 0, baseOffset, leaderEpoch)
    const { lastOffset } = readBatchHeader(bytes, 0)
    log.batches.push({ bytes, baseOffset, lastOffset })
    if (!this.isHeld) this.commit(partition)
    return { error: ErrorCode.NONE, lastOffset }
  }

  whenCommitted(
    partition: number,
    offset: number,
    leaderEpoch: number,
    timeoutMs: number,
    done: (error: ErrorCode) => void,
  ): void {
    const log = this.#partition(partition)
    if (log.highWatermark > offset) return done(ErrorCode.NONE)
    if (leaderEpoch < log.leaderEpoch) return done(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const waiter: Waiter = {
      offset,
      done,
      timer: this.#clock.after(timeoutMs, 'memory-log-commit', () => {
        log.waiters.delete(waiter)
        done(ErrorCode.REQUEST_TIMED_OUT)
      }),
    }
    log.waiters.add(waiter)
  }

  read(partition: number, offset: number, maxBytes: number): Buffer {
    this.readCount += 1
    const chosen: Buffer[] = []
    let bytes = 0
    for (const batch of this.#partition(partition).batches) {
      if (batch.lastOffset < offset) continue
      if (chosen.length > 0 && bytes + batch.bytes.length > maxBytes) break
      chosen.push(batch.bytes)
      bytes += batch.bytes.length
    }
    return Buffer.concat(chosen)
  }

  logStartOffset(partition: number): number {
    return this.#partition(partition).batches[0]?.baseOffset ?? 0
  }

  logEndOffset(partition: number): number {
    return (this.#partition(partition).batches.at(-1)?.lastOffset ?? -1) + 1
  }

  highWatermark(partition: number): number {
    return this.#partition(partition).highWatermark
  }

  /** Moves the high watermark up to `offset`, the log end by default, and tells who waited for it. */
  commit(partition: number, offset = this.logEndOffset(partition)): void {
    const log = this.#partition(partition)
    log.highWatermark = Math.max(log.highWatermark, offset)
    for (const waiter of log.waiters) {
      if (waiter.offset < log.highWatermark) this.#end(log, waiter, ErrorCode.NONE)
    }
  }

  /** Another broker leads from now on; what is not committed is lost if `losesTail`. */
  elect(partition: number, leaderEpoch: number, losesTail = false): void {
    const log = this.#partition(partition)
    log.leaderEpoch = leaderEpoch
    for (const waiter of log.waiters) this.#end(log, waiter, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (!losesTail) return
    log.batches = log.batches.filter((batch) => batch.lastOffset < log.highWatermark)
  }

  /** Drops batches below `offset`, as retention or compaction would. */
  deleteUpTo(partition: number, offset: number): void {
    const log = this.#partition(partition)
    log.batches = log.batches.filter((batch) => batch.lastOffset >= offset)
  }

  /** Appends bytes that no coordinator has written. */
  inject(partition: number, batch: Buffer): void {
    this.append(partition, batch, this.#partition(partition).leaderEpoch)
  }

  records(partition: number): readonly DecodedRecord[] {
    return this.#partition(partition).batches.flatMap(({ bytes }) => readRecords(bytes, 0))
  }

  batchCount(partition: number): number {
    return this.#partition(partition).batches.length
  }

  #end(log: MemoryPartition, waiter: Waiter, error: ErrorCode): void {
    log.waiters.delete(waiter)
    this.#clock.cancel(waiter.timer)
    waiter.done(error)
  }

  #partition(partition: number): MemoryPartition {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const created: MemoryPartition = {
      batches: [],
      waiters: new Set(),
      leaderEpoch: 0,
      highWatermark: 0,
    }
    this.#partitions.set(partition, created)
    return created
  }
}

function failed(error: ErrorCode): CoordinatorAppend {
  return { error, lastOffset: -1 }
}
