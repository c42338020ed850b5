import type { Offset, ProducerId } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { EntryFile } from './entry-file.ts'
import { writeInt64 } from './int64.ts'
import { segmentFileName } from './log-file-names.ts'

export const ABORTED_ENTRY_BYTES = 34
const VERSION = 0
const PRODUCER_FIELD = 2
const FIRST_OFFSET_FIELD = 10
const LAST_OFFSET_FIELD = 18
const STABLE_OFFSET_FIELD = 26

/** One aborted transaction, from its first record to its marker. */
export interface AbortedTransaction {
  readonly producerId: ProducerId
  readonly firstOffset: Offset
  /** The offset of the abort marker. */
  readonly lastOffset: Offset
  /** The last stable offset right after the marker was written. */
  readonly lastStableOffset: Offset
}

/**
 * Kafka's `.txnindex`: the transactions whose abort marker is in this segment, by rising marker
 * offset. The file is made when there is a first one.
 */
export class AbortedTransactions {
  readonly file: EntryFile

  constructor(disk: Disk, directory: string, baseOffset: Offset, suffix = '') {
    const path = `${directory}/${segmentFileName(baseOffset, 'txnindex')}${suffix}`
    this.file = new EntryFile(disk, path, ABORTED_ENTRY_BYTES)
  }

  append(transaction: AbortedTransaction): void {
    const { bytes, position } = this.file.grow()
    bytes.writeInt16BE(VERSION, position)
    writeInt64(bytes, position + PRODUCER_FIELD, transaction.producerId)
    writeInt64(bytes, position + FIRST_OFFSET_FIELD, transaction.firstOffset)
    writeInt64(bytes, position + LAST_OFFSET_FIELD, transaction.lastOffset)
    writeInt64(bytes, position + STABLE_OFFSET_FIELD, transaction.lastStableOffset)
  }

  /**
   * Adds to `found` all that overlap [from, to). True when no later segment can add any: a stable
   * offset of at least `to` means that every transaction with records below it has ended by then.
   */
  collect(from: Offset, to: Offset, found: AbortedTransaction[]): boolean {
    for (let slot = 0; slot < this.file.count; slot += 1) {
      const transaction = this.#at(slot)
      if (transaction.lastOffset >= from && transaction.firstOffset < to) found.push(transaction)
      if (transaction.lastStableOffset >= to) return true
    }
    return false
  }

  /** Keeps those whose marker is below `offset`. */
  truncateTo(offset: Offset): void {
    let { count } = this.file
    while (count > 0 && this.#at(count - 1).lastOffset >= offset) count -= 1
    this.file.truncate(count)
  }

  /**
   * Whether the file can be right: whole entries of the known version, by rising marker within the
   * segment.
   */
  isSane(baseOffset: Offset, nextOffset: Offset): boolean {
    if (!this.file.isAligned) return false
    let last = baseOffset - 1
    for (let slot = 0; slot < this.file.count; slot += 1) {
      const transaction = this.#at(slot)
      const isKnown = this.file.int16At(slot, 0) === VERSION
      if (!isKnown || !(transaction.lastOffset > last)) return false
      if (!(transaction.firstOffset <= transaction.lastOffset)) return false
      last = transaction.lastOffset
    }
    return last < nextOffset
  }

  #at(slot: number): AbortedTransaction {
    return {
      producerId: this.file.int64At(slot, PRODUCER_FIELD),
      firstOffset: this.file.int64At(slot, FIRST_OFFSET_FIELD),
      lastOffset: this.file.int64At(slot, LAST_OFFSET_FIELD),
      lastStableOffset: this.file.int64At(slot, STABLE_OFFSET_FIELD),
    }
  }
}
