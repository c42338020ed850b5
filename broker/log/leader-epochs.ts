import { assert } from '../../src/base/assert.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { EPOCH_CHECKPOINT_FILE } from './log-file-names.ts'

const ENTRY = /^(\d+) (\d+)$/

/** A leader epoch and the offset of the first record written in it. */
export interface EpochStart {
  readonly epoch: LeaderEpoch
  readonly startOffset: Offset
}

/** The answer to OffsetForLeaderEpoch; both -1 when nothing is known. */
export interface EpochEnd {
  readonly epoch: LeaderEpoch
  readonly endOffset: Offset
}

const UNKNOWN: EpochEnd = { epoch: -1, endOffset: -1 }

/**
 * Which leader epoch wrote which offsets, kept in `leader-epoch-checkpoint` (KIP-101). Epochs and
 * start offsets both strictly increase. Every change is written at once; `isDirty` says that it is
 * not yet synced.
 */
export class LeaderEpochs {
  readonly path: string
  /** A change was written since the caller last cleared this. */
  isDirty = false
  readonly #disk: Disk
  #starts: EpochStart[]

  constructor(disk: Disk, directory: string, starts: readonly EpochStart[]) {
    this.#disk = disk
    this.path = `${directory}/${EPOCH_CHECKPOINT_FILE}`
    this.#starts = [...starts]
  }

  /** Null when the checkpoint is missing or unusable and must be made again from the batches. */
  static load(disk: Disk, directory: string): LeaderEpochs | null {
    const path = `${directory}/${EPOCH_CHECKPOINT_FILE}`
    try {
      const lines = readCheckpoint(disk, path)
      return lines === null ? null : new LeaderEpochs(disk, directory, parseEntries(path, lines))
    } catch (error) {
      if (error instanceof CorruptionError) return null
      throw error
    }
  }

  get entries(): readonly EpochStart[] {
    return this.#starts
  }

  /** -1 when there is none. */
  get latest(): LeaderEpoch {
    return this.#starts.at(-1)?.epoch ?? -1
  }

  /**
   * Notes that `epoch` begins at `startOffset`. Later entries that contradict it are dropped: they
   * are of leaders whose records are no longer in the log. Nothing happens when the epoch is the
   * latest already.
   */
  assign(epoch: LeaderEpoch, startOffset: Offset): void {
    assert(epoch >= 0 && startOffset >= 0, `epoch ${epoch} cannot start at ${startOffset}`)
    const last = this.#starts.at(-1)
    if (last !== undefined && last.epoch === epoch && last.startOffset <= startOffset) return
    const kept = this.#starts.filter(
      (entry) => entry.epoch < epoch && entry.startOffset < startOffset,
    )
    this.#replace([...kept, { epoch, startOffset }])
  }

  /** Drops epochs that start at or after `endOffset`. */
  truncateFromEnd(endOffset: Offset): void {
    const kept = this.#starts.filter((entry) => entry.startOffset < endOffset)
    if (kept.length !== this.#starts.length) this.#replace(kept)
  }

  /**
   * Drops epochs that ended at or before `startOffset`; the one that holds it starts there from now
   * on.
   */
  truncateFromStart(startOffset: Offset): void {
    const below = this.#starts.filter((entry) => entry.startOffset <= startOffset)
    const holder = below.at(-1)
    if (holder === undefined || (below.length === 1 && holder.startOffset === startOffset)) return
    this.#replace([{ epoch: holder.epoch, startOffset }, ...this.#starts.slice(below.length)])
  }

  clear(): void {
    if (this.#starts.length > 0) this.#replace([])
  }

  /**
   * The end of the largest epoch that is at most `requested` (KIP-101, KIP-279): the log end for
   * the latest epoch, else the start of the next one. An epoch below all known ones answers with
   * itself and the start of the first known, since what it wrote is gone; one above all known
   * answers -1.
   */
  endOffsetFor(requested: LeaderEpoch, logEndOffset: Offset): EpochEnd {
    if (requested === UNKNOWN.epoch || this.#starts.length === 0) return UNKNOWN
    if (requested === this.latest) return { epoch: requested, endOffset: logEndOffset }
    const next = this.#starts.findIndex((entry) => entry.epoch > requested)
    const higher = this.#starts[next]
    if (higher === undefined) return UNKNOWN
    const floor = this.#starts[next - 1]
    return { epoch: floor?.epoch ?? requested, endOffset: higher.startOffset }
  }

  /** The epoch that wrote `offset` (or will, at the log end); -1 when it is not known. */
  epochAt(offset: Offset): LeaderEpoch {
    return this.#starts.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1
  }

  #replace(starts: EpochStart[]): void {
    writeCheckpoint(
      this.#disk,
      this.path,
      starts.map((entry) => `${entry.epoch} ${entry.startOffset}`),
    )
    this.#starts = starts
    this.isDirty = true
  }
}

function parseEntries(path: string, lines: readonly string[]): readonly EpochStart[] {
  const starts: EpochStart[] = []
  for (const line of lines) {
    const parts = ENTRY.exec(line)
    const entry = { epoch: Number(parts?.[1]), startOffset: Number(parts?.[2]) }
    const before = starts.at(-1)
    const isRising =
      before === undefined || (entry.epoch > before.epoch && entry.startOffset > before.startOffset)
    if (parts === null || !isRising) throw new CorruptionError(`${path}: bad entry "${line}"`)
    starts.push(entry)
  }
  return starts
}
