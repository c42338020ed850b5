import type { Offset } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { EntryFile } from './entry-file.ts'
import { segmentFileName } from './log-file-names.ts'

export const OFFSET_ENTRY_BYTES = 8
const POSITION_FIELD = 4

/** What the index knows of a place in the log: the batch at `position` has `lastOffset`. */
export interface OffsetPosition {
  readonly lastOffset: Offset
  readonly position: number
}

/**
 * Kafka's `.index`: int32 offset less the base offset, int32 position. An entry holds the last
 * offset of a batch and where that batch begins; both rise strictly.
 */
export class OffsetIndex {
  readonly file: EntryFile
  readonly #baseOffset: Offset

  constructor(disk: Disk, directory: string, baseOffset: Offset, suffix = '') {
    const path = `${directory}/${segmentFileName(baseOffset, 'index')}${suffix}`
    this.file = new EntryFile(disk, path, OFFSET_ENTRY_BYTES)
    this.#baseOffset = baseOffset
  }

  get count(): number {
    return this.file.count
  }

  append(lastOffset: Offset, position: number): void {
    const entry = this.file.grow()
    entry.bytes.writeInt32BE(lastOffset - this.#baseOffset, entry.position)
    entry.bytes.writeInt32BE(position, entry.position + POSITION_FIELD)
  }

  /** All entries, rising; for checks. */
  entries(): readonly OffsetPosition[] {
    return Array.from({ length: this.count }, (_, slot) => this.#at(slot))
  }

  /** The last entry, or null. */
  last(): OffsetPosition | null {
    return this.count === 0 ? null : this.#at(this.count - 1)
  }

  /** The entry with the largest offset that is at most `offset`; null when all are above it. */
  lookup(offset: Offset): OffsetPosition | null {
    const slot = this.#floorSlot(offset)
    return slot < 0 ? null : this.#at(slot)
  }

  /** Keeps the entries below `offset`. */
  truncateTo(offset: Offset): void {
    this.file.truncate(this.#floorSlot(offset - 1) + 1)
  }

  /**
   * Drops the zeros that Kafka's preallocation leaves behind after a crash: no batch ends at 0 and
   * 0.
   */
  trimZeros(): void {
    let count = this.count
    while (count > 0 && this.#offsetAt(count - 1) === this.#baseOffset) {
      if (this.file.int32At(count - 1, POSITION_FIELD) !== 0) break
      count -= 1
    }
    if (count < this.count) this.file.truncate(count)
  }

  /**
   * Whether the file can be right for a log of `logBytes`: whole entries that rise within the log.
   */
  isSane(logBytes: number): boolean {
    if (!this.file.isStored || !this.file.isAligned) return false
    const bytes = this.file.load()
    let offset = -1
    let position = -1
    for (let at = 0; at < this.count * OFFSET_ENTRY_BYTES; at += OFFSET_ENTRY_BYTES) {
      const nextOffset = bytes.readInt32BE(at)
      const nextPosition = bytes.readInt32BE(at + POSITION_FIELD)
      if (nextOffset <= offset || nextPosition <= position) return false
      offset = nextOffset
      position = nextPosition
    }
    return position < logBytes
  }

  #floorSlot(offset: Offset): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#offsetAt(middle) <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #offsetAt(slot: number): Offset {
    return this.#baseOffset + this.file.int32At(slot, 0)
  }

  #at(slot: number): OffsetPosition {
    return {
      lastOffset: this.#offsetAt(slot),
      position: this.file.int32At(slot, POSITION_FIELD),
    }
  }
}
