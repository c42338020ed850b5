import type { Disk } from '../../src/ports/disk.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import { MemoryDisk } from '../../src/real/memory-disk.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { endTxnMarkerRecord } from '../../src/wire/control-record.ts'
import {
  readBatchHeader,
  readRecords,
  writeBatch,
  type BatchInput,
  type DecodedRecord,
} from '../../src/wire/record-batch.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../broker/log/log-config.ts'
import {
  PartitionLog,
  type AppendResult,
  type PartitionLogOptions,
} from '../../broker/log/partition-log.ts'

export const TOPIC_ID = 'm6n1kfcJSZOn0XtHBnxWdA'
export const DIRECTORY = 'data/orders-0'
/** The time of the world unless a test says otherwise. */
export const NOW_MS = 1_700_000_000_000

/** Opens a log on `disk` as after a kill; `overrides` says what is different. */
export function openLog(
  disk: Disk,
  overrides: Partial<Omit<PartitionLogOptions, 'config'>> & {
    readonly config?: Partial<LogConfig>
    readonly seen?: NodeEvent[]
  } = {},
): PartitionLog {
  const { config, seen, ...rest } = overrides
  return PartitionLog.open({
    disk,
    directory: DIRECTORY,
    topic: 'orders',
    partition: 0,
    topicId: TOPIC_ID,
    recoveryPoint: 0,
    isCleanShutdown: false,
    nowMs: NOW_MS,
    events: { emit: (kind, fields) => seen?.push({ atMs: 0, node: 'test', kind, fields }) },
    ...rest,
    // What is tested here is the log; there is no coordinator to ask.
    config: { ...DEFAULT_LOG_CONFIG, transactionVerificationEnabled: false, ...config },
  })
}

export interface BatchSketch extends Partial<Omit<BatchInput, 'records'>> {
  /** Number of records; 1. */
  readonly count?: number
  /** Bytes in each value; 10. */
  readonly valueBytes?: number
  /** Begins every value. */
  readonly text?: string
  readonly records?: BatchInput['records']
}

/** A batch of plain records. */
export function batch(sketch: BatchSketch = {}): Buffer {
  const { count = 1, valueBytes = 10, text = 'v', ...rest } = sketch
  const records = Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`k${index}`),
    value: Buffer.from(`${text}${index}`.padEnd(valueBytes, '.')),
  }))
  return writeBatch({ records, timestampMs: NOW_MS, ...rest })
}

/** The control batch that ends a transaction. */
export function marker(options: {
  readonly producerId: number
  readonly producerEpoch?: number
  readonly isCommit: boolean
  readonly coordinatorEpoch?: number
}): Buffer {
  const { producerId, producerEpoch = 0, isCommit, coordinatorEpoch = 0 } = options
  return writeBatch({
    records: [endTxnMarkerRecord(isCommit, coordinatorEpoch)],
    timestampMs: NOW_MS,
    producerId,
    producerEpoch,
    isTransactional: true,
    isControl: true,
  })
}

/** Appends as a client in `leaderEpoch` (0). */
export function append(
  log: PartitionLog,
  records: Buffer,
  options: { readonly leaderEpoch?: number; readonly nowMs?: number } = {},
): AppendResult {
  const { leaderEpoch = Math.max(0, log.latestEpoch), nowMs = NOW_MS } = options
  return log.appendAsLeader(records, { leaderEpoch, nowMs, origin: 'client' })
}

/** Appends what must be taken and returns its base offset. */
export function appendOk(
  log: PartitionLog,
  records: Buffer,
  options: { readonly leaderEpoch?: number; readonly nowMs?: number } = {},
): number {
  const result = append(log, records, options)
  if (result.error !== ErrorCode.NONE) throw new Error(`${result.error}: ${result.message}`)
  return result.baseOffset
}

/** As `appendOk`, for markers. */
export function appendMarker(log: PartitionLog, records: Buffer): AppendResult {
  return log.appendAsLeader(records, {
    leaderEpoch: Math.max(0, log.latestEpoch),
    nowMs: NOW_MS,
    origin: 'coordinator',
  })
}

/** All records from `from` to the log end, by reads of at most `maxBytes`. */
export function readAll(
  log: PartitionLog,
  from = log.logStartOffset,
  maxBytes = 300,
): DecodedRecord[] {
  const records: DecodedRecord[] = []
  let offset = from
  while (offset < log.logEndOffset) {
    const read = log.read({ offset, maxBytes, minOneBatch: true, endOffset: Infinity })
    if (read.error !== ErrorCode.NONE) throw new Error(`read at ${offset}: error ${read.error}`)
    if (read.records.length === 0) return records
    for (const header of headersOf(read.records)) {
      records.push(...readRecords(read.records, header.position))
      offset = header.lastOffset + 1
    }
  }
  return records.filter((record) => record.offset >= from)
}

/** Header and position of every batch in `records`. */
export function headersOf(
  records: Buffer,
): (ReturnType<typeof readBatchHeader> & { readonly position: number })[] {
  const headers = []
  for (let position = 0; position < records.length;) {
    const header = readBatchHeader(records, position)
    headers.push({ ...header, position })
    position += header.sizeBytes
  }
  return headers
}

/** The bytes of every file below `directory`, by name. */
export function filesOf(disk: Disk, directory = DIRECTORY): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const name of disk.list(directory)) files.set(name, readWhole(disk, `${directory}/${name}`))
  return files
}

/** A disk with these files. */
export function diskWith(files: ReadonlyMap<string, Buffer>, directory = DIRECTORY): MemoryDisk {
  const disk = new MemoryDisk()
  disk.makeDirectory(directory)
  for (const [name, bytes] of files) overwrite(disk, `${directory}/${name}`, bytes)
  return disk
}

export function overwrite(disk: Disk, path: string, bytes: Buffer): void {
  disk.remove(path)
  const file = disk.open(path)
  file.append([bytes])
  file.close()
}

export function readWhole(disk: Disk, path: string): Buffer {
  const file = disk.open(path)
  const bytes = Buffer.from(file.read(0, file.size()))
  file.close()
  return bytes
}

/** The promise of one flush. */
export function flushed(log: PartitionLog): Promise<void> {
  return new Promise((resolve, reject) => {
    log.flush((error) => (error === null ? resolve() : reject(new Error(error))))
  })
}

/** Stores what a compaction needs stored, then compacts all that can be. False when there was nothing. */
export async function compact(
  log: PartitionLog,
  options: {
    readonly nowMs?: number
    readonly mapBytes?: number
    readonly stepBytes?: number
  } = {},
): Promise<boolean> {
  const { nowMs = NOW_MS, mapBytes = 1_000_000, stepBytes = 200 } = options
  if (log.recoveryPoint < log.logEndOffset) await flushed(log)
  const range = log.cleanable(nowMs)
  if (range.cleanableBytes === 0) return false
  log.prepareCompaction(range)
  const run = log.compact(range, { nowMs, mapBytes, stepBytes })
  for (;;) {
    const ready = Promise.withResolvers<void>()
    const state = run.step(() => ready.resolve())
    if (state === 'waiting') await ready.promise
    else if (state !== 'ready') break
  }
  if (run.state === 'done') log.compacted(run)
  return run.state === 'done'
}
