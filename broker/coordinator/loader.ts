import { messageOf } from '../../src/base/errors.ts'
import type { Offset } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ControlType, controlTypeOf } from '../../src/wire/control-record.ts'
import { forEachBatch, readRecords, type BatchHeader } from '../../src/wire/record-batch.ts'
import type { CoordinatorLog } from './log-port.ts'
import type { CoordinatorShard } from './shard.ts'

const NO_PRODUCER_ID = -1

export interface LoaderOptions {
  readonly log: CoordinatorLog
  readonly partition: number
  readonly shard: CoordinatorShard
  readonly clock: Clock
  /** Bytes that are read in one step. */
  readonly stepBytes: number
  readonly onLoaded: (result: LoadResult) => void
  /** The log cannot be read or understood; the partition stays unserved until the next election. */
  readonly onFailed: (reason: string) => void
}

export interface LoadResult {
  /** Last offset that was replayed; -1 or the offset before the log start when there was none. */
  readonly lastOffset: Offset
  readonly recordCount: number
  readonly stepCount: number
}

/**
 * Replays a partition's log into a fresh shard from its start to its end, a step at a time, so that
 * a large log does not hold up the node. Uncommitted records are replayed too: this broker leads the
 * partition, and answers wait until what they saw is committed.
 */
export class Loader {
  readonly #options: LoaderOptions
  #offsetNext: Offset
  #recordCount = 0
  #stepCount = 0
  #isCancelled = false

  constructor(options: LoaderOptions) {
    this.#options = options
    this.#offsetNext = options.log.logStartOffset(options.partition)
  }

  start(): void {
    this.#options.clock.after(0, 'coordinator-load', () => this.#step())
  }

  cancel(): void {
    this.#isCancelled = true
  }

  #step(): void {
    if (this.#isCancelled) return
    const { log, partition, onFailed, onLoaded } = this.#options
    this.#stepCount += 1
    try {
      if (this.#offsetNext < log.logEndOffset(partition)) this.#replayNext()
    } catch (error) {
      onFailed(messageOf(error))
      return
    }
    if (this.#offsetNext < log.logEndOffset(partition)) {
      this.start()
      return
    }
    onLoaded({
      lastOffset: this.#offsetNext - 1,
      recordCount: this.#recordCount,
      stepCount: this.#stepCount,
    })
  }

  #replayNext(): void {
    const { log, partition, stepBytes } = this.#options
    const offsetBefore = this.#offsetNext
    const bytes = log.read(partition, offsetBefore, stepBytes)
    forEachBatch(bytes, (header, position) => this.#replayBatch(bytes, header, position))
    if (this.#offsetNext === offsetBefore) {
      throw new Error(`no batch at offset ${offsetBefore} of partition ${partition}`)
    }
  }

  #replayBatch(bytes: Buffer, header: BatchHeader, position: number): void {
    if (header.lastOffset < this.#offsetNext) return
    const batch = { bytes, header, position }
    this.#recordCount += replayBatch(this.#options.shard, batch, this.#offsetNext)
    this.#offsetNext = header.lastOffset + 1
  }
}

/** A batch and where it begins in `bytes`. */
export interface LoadedBatch {
  readonly bytes: Buffer
  readonly header: BatchHeader
  readonly position: number
}

/** Replays the records of one batch from `fromOffset` on into `shard`; returns how many there were. */
export function replayBatch(
  shard: CoordinatorShard,
  { bytes, header, position }: LoadedBatch,
  fromOffset: Offset,
): number {
  let count = 0
  for (const { offset, key, value } of readRecords(bytes, position)) {
    if (offset < fromOffset || key === null) continue
    count += 1
    if (header.isControl) {
      const type = controlTypeOf({ key })
      if (type !== ControlType.COMMIT && type !== ControlType.ABORT) continue
      shard.replayTransactionEnd(header.producerId, type === ControlType.COMMIT)
    } else {
      const producerId = header.isTransactional ? header.producerId : NO_PRODUCER_ID
      shard.replay({ offset, key, value, producerId })
    }
  }
  return count
}
