import type { Offset, ProducerId, TimestampMs } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { crc32c } from '../../src/wire/crc32c.ts'
import { readFile, replaceFile } from './checkpoint-file.ts'
import { readInt64, writeInt64 } from './int64.ts'
import { parseSegmentFileName, segmentFileName } from './log-file-names.ts'

const VERSION = 1
const CRC_AT = 2
const COVERED_AT = 6
const HEADER_BYTES = 10
const ENTRY_BYTES = 46

/** What a snapshot keeps of one producer: only the last of its batches. */
export interface ProducerSnapshot {
  readonly producerId: ProducerId
  readonly producerEpoch: number
  readonly lastSequence: number
  /** -1: no batch since the last marker of a newer epoch. */
  readonly lastOffset: Offset
  readonly offsetDelta: number
  readonly lastTimestampMs: TimestampMs
  readonly coordinatorEpoch: number
  /** -1: no transaction is open. */
  readonly currentTxnFirstOffset: Offset
}

/**
 * The producer snapshots of a partition: `<end offset>.snapshot` in Kafka's format (version 1,
 * CRC-32C). They shorten the replay of the log at the next start; a damaged one is as good as none.
 */
export class ProducerSnapshots {
  readonly #disk: Disk
  readonly #directory: string
  /** Rising. */
  #offsets: Offset[]

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
    const names = disk.list(directory).map(parseSegmentFileName)
    this.#offsets = names
      .filter((name) => name?.kind === 'snapshot')
      .map((name) => name?.offset ?? 0)
      .sort((a, b) => a - b)
  }

  get offsets(): readonly Offset[] {
    return this.#offsets
  }

  /** Throws `DiskError`; an older snapshot of the same offset then stays. */
  write(offset: Offset, entries: Iterable<ProducerSnapshot>): void {
    replaceFile(this.#disk, this.#path(offset), encodeSnapshot([...entries]))
    this.#offsets = [...this.#offsets.filter((other) => other !== offset), offset].sort(
      (a, b) => a - b,
    )
  }

  /**
   * The newest that can be read and ends at or before `offset`; damaged ones are removed on the
   * way.
   */
  newest(offset: Offset): {
    readonly offset: Offset
    readonly entries: readonly ProducerSnapshot[]
  } | null {
    for (const candidate of this.#offsets.toReversed()) {
      if (candidate > offset) continue
      const bytes = readFile(this.#disk, this.#path(candidate))
      const entries = bytes === null ? null : decodeSnapshot(bytes)
      if (entries !== null) return { offset: candidate, entries }
      this.#remove((other) => other === candidate)
    }
    return null
  }

  /** The one that ends at `offset`; null when there is none that can be read. Changes nothing. */
  at(offset: Offset): readonly ProducerSnapshot[] | null {
    if (!this.#offsets.includes(offset)) return null
    const bytes = readFile(this.#disk, this.#path(offset))
    return bytes === null ? null : decodeSnapshot(bytes)
  }

  removeAbove(offset: Offset): void {
    this.#remove((other) => other > offset)
  }

  /** Keeps those at the beginning of a segment and the newest. */
  keepOnly(baseOffsets: ReadonlySet<Offset>): void {
    const newest = this.#offsets.at(-1)
    this.#remove((other) => other !== newest && !baseOffsets.has(other))
  }

  #remove(test: (offset: Offset) => boolean): void {
    const gone = this.#offsets.filter(test)
    for (const offset of gone) this.#disk.remove(this.#path(offset))
    if (gone.length > 0) this.#offsets = this.#offsets.filter((offset) => !gone.includes(offset))
  }

  #path(offset: Offset): string {
    return `${this.#directory}/${segmentFileName(offset, 'snapshot')}`
  }
}

/** The bytes of a snapshot file. */
export function encodeSnapshot(entries: readonly ProducerSnapshot[]): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES)
  bytes.writeInt16BE(VERSION, 0)
  bytes.writeInt32BE(entries.length, COVERED_AT)
  entries.forEach((entry, index) => encodeEntry(entry, bytes, HEADER_BYTES + index * ENTRY_BYTES))
  bytes.writeUInt32BE(crc32c(bytes.subarray(COVERED_AT)), CRC_AT)
  return bytes
}

/** Null when the bytes are torn, damaged or of a version that is not known. */
export function decodeSnapshot(bytes: Buffer): readonly ProducerSnapshot[] | null {
  if (bytes.length < HEADER_BYTES) return null
  if (bytes.readUInt32BE(CRC_AT) !== crc32c(bytes.subarray(COVERED_AT))) return null
  if (bytes.readInt16BE(0) !== VERSION) return null
  const count = bytes.readInt32BE(COVERED_AT)
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return null
  return Array.from({ length: count }, (_, index) =>
    decodeEntry(bytes, HEADER_BYTES + index * ENTRY_BYTES),
  )
}

function encodeEntry(entry: ProducerSnapshot, bytes: Buffer, at: number): void {
  writeInt64(bytes, at, entry.producerId)
  bytes.writeInt16BE(entry.producerEpoch, at + 8)
  bytes.writeInt32BE(entry.lastSequence, at + 10)
  writeInt64(bytes, at + 14, entry.lastOffset)
  bytes.writeInt32BE(entry.offsetDelta, at + 22)
  writeInt64(bytes, at + 26, entry.lastTimestampMs)
  bytes.writeInt32BE(entry.coordinatorEpoch, at + 34)
  writeInt64(bytes, at + 38, entry.currentTxnFirstOffset)
}

function decodeEntry(bytes: Buffer, at: number): ProducerSnapshot {
  return {
    producerId: readInt64(bytes, at),
    producerEpoch: bytes.readInt16BE(at + 8),
    lastSequence: bytes.readInt32BE(at + 10),
    lastOffset: readInt64(bytes, at + 14),
    offsetDelta: bytes.readInt32BE(at + 22),
    lastTimestampMs: readInt64(bytes, at + 26),
    coordinatorEpoch: bytes.readInt32BE(at + 34),
    currentTxnFirstOffset: readInt64(bytes, at + 38),
  }
}
