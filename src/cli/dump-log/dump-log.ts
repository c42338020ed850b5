import { basename } from 'node:path'
import { readRecords } from '../../wire/batch-records.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { batchText, recordText } from './batch-text.ts'
import {
  baseOffsetOf,
  dumpOffsetIndex,
  dumpProducerSnapshot,
  dumpTimeIndex,
  dumpTransactionIndex,
  Findings,
  type IndexDumpOptions,
  type IndexFindings,
} from './dump-indexes.ts'
import { LogFile, type FileBatch } from './log-file.ts'
import type { RecordDecoder } from './record-decoder.ts'

const BOOTSTRAP_CHECKPOINT = 'bootstrap.checkpoint'
const CHECKPOINT = /^(\d{20})-(\d{10})\.checkpoint$/

export interface DumpOptions extends IndexDumpOptions {
  readonly printsData: boolean
  readonly isDeep: boolean
  readonly skipsRecordMetadata: boolean
  /** Of a log that are looked at; Infinity for all. */
  readonly maxBytes: number
  readonly decoder: RecordDecoder
}

/** Dumps the files of a log directory as Kafka's tool does. Throws `ToolError` at a file that cannot be read. */
export function dumpFiles(paths: readonly string[], options: DumpOptions, io: ToolIo): void {
  const findings: IndexFindings = {
    mismatches: new Findings((file) => `Mismatches in :${file}`),
    timestamps: new Findings((file) => `Found timestamp mismatch in :${file}`),
    outOfOrder: new Findings((file) => `Found out of order timestamp in :${file}`),
    notFound: new Findings((file) => `The following indexed offsets are not found in :${file}`),
  }
  const gaps = new Findings((file) => `Non-consecutive offsets in ${file}`)
  for (const path of paths) {
    io.out(`Dumping ${path}`)
    const name = basename(path)
    switch (name.slice(name.lastIndexOf('.'))) {
      case '.log':
      case '.checkpoint':
        dumpLog(path, name, options, gaps, io)
        break
      case '.index':
        dumpOffsetIndex(path, name, options, findings, io)
        break
      case '.timeindex':
        dumpTimeIndex(path, name, options, findings, io)
        break
      case '.txnindex':
        dumpTransactionIndex(path, io)
        break
      case '.snapshot':
        dumpProducerSnapshot(path, io)
        break
      default:
        io.err(`Ignoring unknown file ${path}`)
    }
  }
  findings.mismatches.print(io)
  findings.timestamps.print(io)
  findings.outOfOrder.print(io)
  findings.notFound.print(io)
  gaps.print(io)
}

function dumpLog(
  path: string,
  name: string,
  options: DumpOptions,
  gaps: Findings,
  io: ToolIo,
): void {
  io.out(titleOf(name))
  const file = new LogFile(path)
  try {
    let validBytes = 0
    let lastOffset = -1
    for (const batch of file.batches(0, Math.min(file.sizeBytes, options.maxBytes))) {
      io.out(batchText(batch))
      if (options.isDeep) lastOffset = dumpRecords(path, batch, lastOffset, options, gaps, io)
      validBytes += batch.bytes.length
    }
    const trailing = file.sizeBytes - validBytes
    if (trailing > 0 && options.maxBytes === Infinity) {
      io.out(`Found ${trailing} invalid bytes at the end of ${name}`)
    }
  } finally {
    file.close()
  }
}

function titleOf(name: string): string {
  if (name === BOOTSTRAP_CHECKPOINT) return 'KRaft bootstrap snapshot'
  const checkpoint = CHECKPOINT.exec(name)
  return checkpoint === null
    ? `Log starting offset: ${baseOffsetOf(name)}`
    : `Snapshot end offset: ${Number(checkpoint[1])}, epoch: ${Number(checkpoint[2])}`
}

/** Gives the offset of the last record. */
function dumpRecords(
  path: string,
  { header, bytes }: FileBatch,
  before: number,
  options: DumpOptions,
  gaps: Findings,
  io: ToolIo,
): number {
  const { printsData, skipsRecordMetadata, decoder } = options
  let lastOffset = before
  for (const record of readRecords(bytes, 0)) {
    if (lastOffset !== -1 && record.offset !== lastOffset + 1) {
      gaps.add(path, `  ${lastOffset} is followed by ${record.offset}`)
    }
    lastOffset = record.offset
    const parts: string[] = skipsRecordMetadata ? [] : [recordText(header, record)]
    if (printsData && !header.isControl) {
      const { key, payload } = decoder(record)
      if (key !== null) parts.push(`key: ${key}`)
      if (payload !== null) parts.push(`payload: ${payload}`)
    }
    io.out(lineOf(parts))
  }
  return lastOffset
}

/** A record of which nothing is shown is an empty line. */
function lineOf(parts: readonly string[]): string {
  const [first = ''] = parts
  if (first === '') return ''
  // A payload without anything before it has no mark at its front.
  return first.startsWith('payload: ') ? ` ${first}` : `| ${parts.join(' ')}`
}
