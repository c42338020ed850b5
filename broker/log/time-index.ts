import type { Offset, TimestampMs } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { EntryFile } from './entry-file.ts'
import { readInt64, writeInt64 } from './int64.ts'
import { segmentFileName } from './log-file-names.ts'

export const TIME_ENTRY_BYTES = 12
const OFFSET_FIELD = 8

/** The largest batch timestamp so far and the last offset of the first batch that has it. */
export interface TimestampOffset {
  readonly timestampMs: TimestampMs
  readonly offset: Offset
}

/**
 * Kafka's `.timeindex`: int64 timestamp, int32 offset less the base offset. Timestamps rise
 * strictly, so everything up to an entry's offset is at most as new as its timestamp.
 */
export class TimeIndex {
  readonly file: EntryFile
  readonly #baseOffset: Offset

  constructor(disk: Disk, directory: string, baseOffset: Offset, suffix = '') {
    const path = `${directory}/${segmentFileName(baseOffset, 'timeindex')}${suffix}`
    this.file = new EntryFile(disk, path, TIME_ENTRY_BYTES)
    this.#baseOffset = baseOffset
  }

  get count(): number {
    return this.file.count
  }

  /** Ignored unless the timestamp is above that of the last entry (and not -1, "none"). */
  appendIfLater(largest: TimestampOffset): void {
    const lastMs = this.count === 0 ? -1 : this.#timestampAt(this.count - 1)
    if (largest.timestampMs <= lastMs) return
    const entry = this.file.grow()
    writeInt64(entry.bytes, entry.position, largest.timestampMs)
    entry.bytes.writeInt32BE(largest.offset - this.#baseOffset, entry.position + OFFSET_FIELD)
  }

  /** All entries, rising; for checks. */
  entries(): readonly TimestampOffset[] {
    return Array.from({ length: this.count }, (_, slot) => this.#at(slot))
  }

  last(): TimestampOffset | null {
    return this.count === 0 ? null : this.#at(this.count - 1)
  }

  /** The entry with the largest timestamp that is at most `timestampMs`, or null. */
  lookup(timestampMs: TimestampMs): TimestampOffset | null {
    const slot = this.#slotsWhile((at) => this.#timestampAt(at) <= timestampMs) - 1
    return slot < 0 ? null : this.#at(slot)
  }

  /** Keeps the entries with an offset below `offset`. */
  truncateTo(offset: Offset): void {
    this.file.truncate(this.#slotsWhile((slot) => this.#offsetAt(slot) < offset))
  }

  /**
   * Drops the zeros that Kafka's preallocation leaves behind after a crash; the first entry may be
   * zero.
   */
  trimZeros(): void {
    let count = this.count
    while (count > 1 && this.#timestampAt(count - 1) === 0) count -= 1
    if (count < this.count) this.file.truncate(count)
  }

  /** Whether the file can be right for offsets below `nextOffset`: whole entries that rise. */
  isSane(nextOffset: Offset): boolean {
    if (!this.file.isStored || !this.file.isAligned) return false
    const bytes = this.file.load()
    let timestampMs = -1
    let offset = -1
    for (let at = 0; at < this.count * TIME_ENTRY_BYTES; at += TIME_ENTRY_BYTES) {
      const nextMs = readInt64(bytes, at)
      const next = bytes.readInt32BE(at + OFFSET_FIELD)
      if (!(nextMs > timestampMs) || next < offset) return false
      timestampMs = nextMs
      offset = next
    }
    return this.#baseOffset + offset < nextOffset
  }

  /** How many of the first slots fulfil `test`, which no later slot does again. */
  #slotsWhile(test: (slot: number) => boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (test(middle)) low = middle + 1
      else high = middle
    }
    return low
  }

  #timestampAt(slot: number): TimestampMs {
    return this.file.int64At(slot, 0)
  }

  #offsetAt(slot: number): Offset {
    return this.#baseOffset + this.file.int32At(slot, OFFSET_FIELD)
  }

  #at(slot: number): TimestampOffset {
    return { timestampMs: this.#timestampAt(slot), offset: this.#offsetAt(slot) }
  }
}
