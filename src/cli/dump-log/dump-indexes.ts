import { resolve } from 'node:path'
import { readRecords } from '../../wire/batch-records.ts'
import { crc32c } from '../../wire/crc32c.ts'
import { Reader } from '../../wire/reader.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { ToolError } from '../tool-errors.ts'
import { LogFile, type FileBatch } from './log-file.ts'

const INDEX_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12
const TXN_ENTRY_BYTES = 34
const SNAPSHOT_CRC_END = 6
const CORRUPT_INDEX = 'org.apache.kafka.storage.internals.log.CorruptIndexException'

export interface IndexDumpOptions {
  readonly sanityOnly: boolean
  readonly verifyOnly: boolean
}

/** Pairs of numbers that should be equal or in order, by file; printed when all files were dumped. */
export class Findings {
  readonly #byFile = new Map<string, string[]>()
  readonly #title: (file: string) => string

  constructor(title: (file: string) => string) {
    this.#title = title
  }

  add(path: string, line: string): void {
    const file = resolve(path)
    const lines = this.#byFile.get(file) ?? []
    this.#byFile.set(file, lines)
    lines.push(line)
  }

  print({ err }: ToolIo): void {
    for (const [file, lines] of this.#byFile) {
      err(this.#title(file))
      for (const line of lines) err(line)
    }
  }
}

export interface IndexFindings {
  readonly mismatches: Findings
  readonly timestamps: Findings
  readonly outOfOrder: Findings
  readonly notFound: Findings
}

export function baseOffsetOf(name: string): number {
  const text = name.split('.')[0] ?? ''
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw new ToolError(`For input string: "${text}"`, 'java.lang.NumberFormatException')
}

interface IndexEntry {
  readonly offset: number
  readonly position: number
}

function sibling(path: string, ending: string): LogFile {
  return new LogFile(path.replace(/\.[^./]*$/, ending))
}

/** What stands behind the last entry is zeros when the file was not cut at the end of its life. */
function readIndex(file: LogFile, baseOffset: number): readonly IndexEntry[] {
  const bytes = file.read(0, file.sizeBytes)
  const entries: IndexEntry[] = []
  for (let at = 0; at + INDEX_ENTRY_BYTES <= bytes.length; at += INDEX_ENTRY_BYTES) {
    const offset = baseOffset + bytes.readInt32BE(at)
    if (offset === baseOffset && at > 0) break
    entries.push({ offset, position: bytes.readInt32BE(at + 4) })
  }
  return entries
}

/** The sparse offset index of a segment, compared with its log. */
export function dumpOffsetIndex(
  path: string,
  name: string,
  options: IndexDumpOptions,
  found: IndexFindings,
  io: ToolIo,
): void {
  const baseOffset = baseOffsetOf(name)
  const log = sibling(path, '.log')
  const file = new LogFile(path)
  try {
    const entries = readIndex(file, baseOffset)
    if (entries.length === 0) {
      io.out(`${path} is empty.`)
      return
    }
    if (options.sanityOnly) {
      checkSize(file, INDEX_ENTRY_BYTES)
      io.out(`${path} passed sanity check.`)
      return
    }
    for (const { offset, position } of entries) {
      const [batch] = log.batches(position)
      if (batch === undefined) throw new ToolError(`${path}: no batch at position ${position}`)
      const { lastOffset } = batch.header
      if (lastOffset !== offset) {
        found.mismatches.add(path, `  Index offset: ${offset}, log offset: ${lastOffset}`)
      }
      if (!options.verifyOnly) io.out(`offset: ${offset} position: ${position}`)
    }
  } finally {
    file.close()
    log.close()
  }
}

function checkSize(file: LogFile, entryBytes: number): void {
  if (file.sizeBytes % entryBytes === 0) return
  throw new ToolError(
    `Index file ${resolve(file.path)} is corrupt, found ${file.sizeBytes} bytes which is neither positive nor a ` +
      `multiple of ${entryBytes}.`,
    CORRUPT_INDEX,
  )
}

/** The time index of a segment, compared with its log. */
export function dumpTimeIndex(
  path: string,
  name: string,
  options: IndexDumpOptions,
  found: IndexFindings,
  io: ToolIo,
): void {
  const baseOffset = baseOffsetOf(name)
  const log = sibling(path, '.log')
  const index = sibling(path, '.index')
  const file = new LogFile(path)
  try {
    if (options.sanityOnly) {
      checkSize(file, TIME_ENTRY_BYTES)
      io.out(`${path} passed sanity check.`)
      return
    }
    const positions = readIndex(index, baseOffset)
    const reader = new Reader(file.read(0, file.sizeBytes))
    let previousMs = -1
    for (let slot = 0; reader.remaining >= TIME_ENTRY_BYTES; slot += 1) {
      const timestampMs = reader.int64()
      const offset = baseOffset + reader.int32()
      if (offset === baseOffset && slot > 0) return
      const position = positions.findLast((entry) => entry.offset <= offset)?.position ?? 0
      compareTime(path, log.batches(position), { timestampMs, offset, previousMs }, found)
      if (!options.verifyOnly) io.out(`timestamp: ${timestampMs} offset: ${offset}`)
      previousMs = timestampMs
    }
  } finally {
    file.close()
    index.close()
    log.close()
  }
}

function compareTime(
  path: string,
  batches: Iterable<FileBatch>,
  entry: {
    readonly timestampMs: number
    readonly offset: number
    readonly previousMs: number
  },
  found: IndexFindings,
): void {
  const { timestampMs, offset, previousMs } = entry
  for (const { header, bytes } of batches) {
    if (header.lastOffset < offset) continue
    if (header.lastOffset !== offset) {
      found.notFound.add(path, `Indexed offset: ${offset}, found log offset: ${header.lastOffset}`)
      return
    }
    const times = readRecords(bytes, 0).map((record) => record.timestampMs)
    const largestMs = Math.max(-1, ...times)
    if (largestMs !== timestampMs) {
      found.timestamps.add(path, `  Index timestamp: ${timestampMs}, log timestamp: ${largestMs}`)
    }
    if (previousMs >= timestampMs) {
      found.outOfOrder.add(
        path,
        `  Index timestamp: ${timestampMs}, Previously indexed timestamp: ${previousMs}`,
      )
    }
    return
  }
  found.notFound.add(path, `Indexed offset: ${offset}, found log offset: -1`)
}

/** The transactions that were aborted in a segment. */
export function dumpTransactionIndex(path: string, io: ToolIo): void {
  const file = new LogFile(path)
  const reader = new Reader(file.read(0, file.sizeBytes))
  file.close()
  while (reader.remaining >= TXN_ENTRY_BYTES) {
    io.out(
      `version: ${reader.int16()} producerId: ${reader.int64()} firstOffset: ${reader.int64()} ` +
        `lastOffset: ${reader.int64()} lastStableOffset: ${reader.int64()}`,
    )
  }
}

/** The producers that a log knew at an offset. */
export function dumpProducerSnapshot(path: string, io: ToolIo): void {
  const file = new LogFile(path)
  const bytes = file.read(0, file.sizeBytes)
  file.close()
  const reader = new Reader(bytes)
  reader.int16()
  const stored = reader.uint32()
  const computed = crc32c(bytes.subarray(SNAPSHOT_CRC_END))
  if (stored !== computed) {
    io.err(
      `Snapshot is corrupt (CRC is no longer valid). Stored crc: ${stored}. Computed crc: ${computed}`,
    )
    return
  }
  for (let left = reader.int32(); left > 0; left -= 1) {
    const producerId = reader.int64()
    const epoch = reader.int16()
    const lastSequence = reader.int32()
    const lastOffset = reader.int64()
    const offsetDelta = reader.int32()
    const timestampMs = reader.int64()
    const coordinatorEpoch = reader.int32()
    const firstOffset = reader.int64()
    const transaction = firstOffset < 0 ? 'OptionalLong.empty' : `OptionalLong[${firstOffset}]`
    const batch =
      lastOffset < 0
        ? ''
        : `firstSequence: ${lastSequence - offsetDelta} lastSequence: ${lastSequence} ` +
          `lastOffset: ${lastOffset} offsetDelta: ${offsetDelta} timestamp: ${timestampMs}`
    io.out(
      `producerId: ${producerId} producerEpoch: ${epoch} coordinatorEpoch: ${coordinatorEpoch} ` +
        `currentTxnFirstOffset: ${transaction} lastTimestamp: ${timestampMs} ${batch}`,
    )
  }
}
