import { present } from '../../src/base/assert.ts'
import { CorruptionError, DiskError } from '../../src/base/errors.ts'
import type { LeaderEpoch, Offset, TimestampMs } from '../../src/base/ids.ts'
import type { Disk, DiskFile } from '../../src/ports/disk.ts'
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchLastOffset,
  batchMaxTimestamp,
  batchSizeBytes,
} from '../../src/wire/record-batch.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import {
  headerProblem,
  scanBatches,
  tryReadBatchHeader,
  wholeBatches,
  type ScanEnd,
} from './batch-scan.ts'
import type { LogConfig } from './log-config.ts'
import { segmentFileName } from './log-file-names.ts'
import { OFFSET_ENTRY_BYTES, OffsetIndex } from './offset-index.ts'
import { PositionHints } from './position-hints.ts'
import { TIME_ENTRY_BYTES, TimeIndex, type TimestampOffset } from './time-index.ts'

const INT32_MAX = 0x7fff_ffff
export const EMPTY = Buffer.alloc(0)
/** What `rebuild` says of a batch that reaches the limit. */
export const REACHES_LIMIT = 'reaches into the next segment'

export interface SegmentOptions {
  readonly disk: Disk
  readonly directory: string
  readonly baseOffset: Offset
  readonly indexIntervalBytes: number
  readonly nowMs: TimestampMs
  /** Ends the names of all files. */
  readonly suffix?: string
  /** How much earlier than segment.ms it is rolled; 0. */
  readonly rollJitterMs?: number
}

export interface RollQuestion {
  readonly config: LogConfig
  readonly batchBytes: number
  readonly lastOffset: Offset
  readonly maxTimestampMs: TimestampMs
  readonly nowMs: TimestampMs
}

export interface SegmentRead {
  readonly offset: Offset
  readonly maxBytes: number
  readonly minOneBatch: boolean
  /** Batches that reach this offset are left out. */
  readonly endOffset: Offset
}

/** A compacted topic's records must not stay longer in the active segment than they may wait for compaction. */
export function segmentMsMax(config: LogConfig): number {
  const { cleanupPolicy, maxCompactionLagMs, segmentMs } = config
  const isBounded = cleanupPolicy.includes('compact') && maxCompactionLagMs > 0
  return isBounded ? Math.min(maxCompactionLagMs, segmentMs) : segmentMs
}

/**
 * One `.log` file with its indexes: batches from `baseOffset` up to `endOffset`. Positions in it
 * are bytes from its beginning. Methods throw `DiskError`, and `CorruptionError` when stored bytes
 * make no sense.
 */
export class Segment {
  readonly baseOffset: Offset
  readonly log: DiskFile
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly aborted: AbortedTransactions
  readonly #disk: Disk
  readonly #hints = new PositionHints()
  readonly #createdMs: TimestampMs
  readonly #rollJitterMs: number
  /** index.interval.bytes; may change at any time. */
  indexIntervalBytes: number
  /** The next offset. */
  endOffset: Offset
  sizeBytes: number
  /** Largest batch timestamp, -1 when there is none. */
  largest: TimestampOffset
  /** Something was written since the last sync. */
  isDirty = false
  isClosed = false
  /** Timestamp of the first batch, -1 when there is none: the age of the segment counts from it. */
  #firstTimestampMs: TimestampMs = -1
  #bytesSinceIndexEntry = 0

  constructor(options: SegmentOptions) {
    const { disk, directory, baseOffset, suffix = '' } = options
    this.#disk = disk
    this.baseOffset = baseOffset
    this.#createdMs = options.nowMs
    this.#rollJitterMs = options.rollJitterMs ?? 0
    this.indexIntervalBytes = options.indexIntervalBytes
    this.log = disk.open(`${directory}/${segmentFileName(baseOffset, 'log')}${suffix}`)
    this.offsetIndex = new OffsetIndex(disk, directory, baseOffset, suffix)
    this.timeIndex = new TimeIndex(disk, directory, baseOffset, suffix)
    this.aborted = new AbortedTransactions(disk, directory, baseOffset, suffix)
    this.endOffset = baseOffset
    this.sizeBytes = this.log.size()
    this.largest = { timestampMs: -1, offset: baseOffset }
  }

  /** A new segment in place of anything that was left under its name. */
  static create(options: SegmentOptions): Segment {
    const { disk, directory, baseOffset, suffix = '' } = options
    for (const kind of ['log', 'index', 'timeindex', 'txnindex'] as const) {
      disk.remove(`${directory}/${segmentFileName(baseOffset, kind)}${suffix}`)
    }
    return new Segment(options)
  }

  /** Of the first batch, -1 when there is none. */
  get firstTimestampMs(): TimestampMs {
    return this.#firstTimestampMs
  }

  /** The largest timestamp, or when the segment was opened if it has none. */
  get lastModifiedMs(): TimestampMs {
    return this.largest.timestampMs >= 0 ? this.largest.timestampMs : this.#createdMs
  }

  /** Whether a batch must go to a new segment (Kafka's LogSegment.shouldRoll). */
  shouldRoll(question: RollQuestion): boolean {
    const { config, batchBytes, lastOffset } = question
    if (lastOffset - this.baseOffset > INT32_MAX) return true
    if (this.sizeBytes === 0) return false
    if (this.sizeBytes + batchBytes > config.segmentBytes) return true
    const ageMs =
      this.#firstTimestampMs >= 0
        ? question.maxTimestampMs - this.#firstTimestampMs
        : question.nowMs - this.#createdMs
    if (ageMs > segmentMsMax(config) - this.#rollJitterMs) return true
    const offsetEntriesMax = Math.floor(config.segmentIndexBytes / OFFSET_ENTRY_BYTES)
    // One place is kept for the entry that is added when the segment is finished.
    const timeEntriesMax = Math.floor(config.segmentIndexBytes / TIME_ENTRY_BYTES) - 1
    return this.offsetIndex.count >= offsetEntriesMax || this.timeIndex.count >= timeEntriesMax
  }

  /**
   * Appends whole, checked batches in one write. Throws `DiskError`, the segment then is as before.
   */
  append(records: Buffer): void {
    const start = this.log.append([records])
    this.isDirty = true
    for (let at = 0; at < records.length; at += batchSizeBytes(records, at)) {
      this.#account(records, at, start + at)
    }
    this.#persistSoon()
  }

  /**
   * Takes the stored files as they are, after a clean stop or below the recovery point, checking
   * the indexes in themselves and the batches after the last entry. Returns what is wrong, or null.
   */
  load(): string | null {
    const { offsetIndex, timeIndex } = this
    offsetIndex.trimZeros()
    timeIndex.trimZeros()
    if (!offsetIndex.isSane(this.sizeBytes)) return 'offset index'
    const problem = this.#scanTail()
    if (problem !== null) return problem
    if (!timeIndex.isSane(this.endOffset)) return 'time index'
    return this.aborted.isSane(this.baseOffset, this.endOffset) ? null : 'transaction index'
  }

  /**
   * Reads and checks every batch, makes offset and time index anew and shows each good batch to
   * `onBatch`. Stops before the first bad batch, before one that reaches `limit` and before one of an
   * epoch older than `fromEpoch` or than what it follows; nothing is cut yet, see `cutAt`.
   */
  rebuild(
    onBatch: (buffer: Buffer, at: number) => void,
    limit: Offset = Infinity,
    fromEpoch: LeaderEpoch = -1,
  ): ScanEnd {
    this.offsetIndex.file.truncate(0)
    this.timeIndex.file.truncate(0)
    this.#reset()
    this.isDirty = true
    let leaderEpoch = fromEpoch
    let problem: string | null = null
    const end = scanBatches(this.log, {
      from: 0,
      end: this.log.size(),
      whole: 'all',
      checksCrc: true,
      onBatch: (buffer, at, position) => {
        const header = tryReadBatchHeader(buffer, at)
        if (header === null) problem = 'illegal field'
        else if (header.baseOffset < this.endOffset) problem = `offset ${header.baseOffset} again`
        else if (header.lastOffset - this.baseOffset > INT32_MAX) problem = 'offset too large'
        else if (header.lastOffset >= limit) problem = REACHES_LIMIT
        else if (header.partitionLeaderEpoch < leaderEpoch) problem = 'older leader epoch'
        if (header === null || problem !== null) return false
        leaderEpoch = header.partitionLeaderEpoch
        this.#account(buffer, at, position)
        onBatch(buffer, at)
        return true
      },
    })
    return { position: end.position, problem: problem ?? end.problem }
  }

  /** Leaves no time index behind, so that the next one to open the segment has to rebuild it. Call on no segment in use. */
  forgetIndexes(): void {
    this.timeIndex.file.remove()
  }

  /** Drops the bytes after the last good batch that `rebuild` found. */
  cutAt(position: number): void {
    this.log.truncate(position)
    this.sizeBytes = position
    this.isDirty = true
  }

  /** Whole batches from the first that reaches `offset`; empty at the end. */
  read(request: SegmentRead): Buffer {
    const start = this.positionOf(request.offset)
    const available = this.sizeBytes - start
    if (available <= 0 || request.offset >= request.endOffset) return EMPTY
    let bytes = this.#readAt(start, Math.min(available, Math.max(0, request.maxBytes)))
    if (request.minOneBatch) bytes = this.#withFirstBatch(bytes, start, available)
    return this.#wholeBatches(bytes, start, request)
  }

  /**
   * Position of the first batch whose last offset is at least `offset`; the size when there is
   * none.
   */
  positionOf(offset: Offset): number {
    if (offset >= this.endOffset) return this.sizeBytes
    if (offset <= this.baseOffset) return 0
    return this.#hints.get(offset) ?? this.#seek(offset)
  }

  /**
   * Shows the headers of the batches that reach `from` or come later; control batches are shown
   * whole.
   */
  forEachBatch(from: Offset, onBatch: (buffer: Buffer, at: number) => boolean): void {
    const start = this.positionOf(from)
    const options = { from: start, end: this.sizeBytes, whole: 'control' as const, onBatch }
    const { position, problem } = scanBatches(this.log, options)
    if (problem !== null) throw this.#corrupt(position, problem)
  }

  /** The whole batch that begins at `position`. */
  batchAt(position: number): Buffer {
    const available = this.sizeBytes - position
    return this.#withFirstBatch(
      this.#readAt(position, Math.min(available, BATCH_HEADER_BYTES)),
      position,
      available,
    )
  }

  /**
   * Where to look for records of `timestampMs` or later: all batches before this position are
   * older.
   */
  positionBefore(timestampMs: TimestampMs): number {
    const older = this.timeIndex.lookup(timestampMs)
    if (older === null) return 0
    const position = this.positionOf(older.offset)
    const batch = this.#readAt(position, BATCH_HEADER_BYTES)
    const isRight =
      batchLastOffset(batch, 0) === older.offset &&
      batchMaxTimestamp(batch, 0) === older.timestampMs
    if (isRight) return position
    this.#repairIndexes()
    return this.positionOf(this.timeIndex.lookup(timestampMs)?.offset ?? this.baseOffset)
  }

  /**
   * Removes every batch that reaches `offset` and returns the new end: `offset`, or the base offset
   * of the batch that held it, since batches are never split.
   */
  truncateTo(offset: Offset): Offset {
    if (offset >= this.endOffset) return this.endOffset
    const position = this.positionOf(offset)
    const cut = this.log.read(position, BATCH_HEADER_BYTES)
    const isLegal =
      cut.length === BATCH_HEADER_BYTES && headerProblem(cut, 0, this.sizeBytes - position) === null
    this.offsetIndex.truncateTo(offset)
    this.timeIndex.truncateTo(offset)
    this.aborted.truncateTo(offset)
    this.log.truncate(position)
    this.isDirty = true
    this.sizeBytes = position
    this.#reset()
    const problem = this.#scanTail()
    if (problem !== null) throw new CorruptionError(`${this.log.path}: ${problem}`)
    // A damaged header (a write that never reached the disk leaves zeros) names no place; what is left does.
    const cutBase = isLegal ? batchBaseOffset(cut, 0) : -1
    this.endOffset = Math.max(this.endOffset, Math.min(offset, cutBase))
    return this.endOffset
  }

  /** The segment takes no more batches: completes its indexes and drops their memory. */
  finish(): void {
    this.#persistIndexes()
    this.offsetIndex.file.release()
    this.timeIndex.file.release()
    this.aborted.file.release()
  }

  /**
   * Files to sync so that all written so far is durable; only the log while the segment is active.
   */
  filesToSync(isActive: boolean): readonly DiskFile[] {
    const files = isActive
      ? [this.log]
      : [this.log, this.offsetIndex.file.file, this.timeIndex.file.file, this.aborted.file.file]
    return files.filter((file) => file !== null)
  }

  /** A clean stop. */
  close(): void {
    this.#persistIndexes()
    this.closeFiles()
  }

  closeFiles(): void {
    this.isClosed = true
    this.log.close()
    this.offsetIndex.file.close()
    this.timeIndex.file.close()
    this.aborted.file.close()
  }

  remove(): void {
    this.isClosed = true
    this.log.close()
    this.#disk.remove(this.log.path)
    this.offsetIndex.file.remove()
    this.timeIndex.file.remove()
    this.aborted.file.remove()
  }

  /**
   * Kafka's rule: an entry for a batch when more than the interval was written since the last one.
   */
  #account(buffer: Buffer, at: number, position: number): void {
    const sizeBytes = batchSizeBytes(buffer, at)
    const lastOffset = batchLastOffset(buffer, at)
    this.#noteTimestamp(batchMaxTimestamp(buffer, at), lastOffset, position)
    if (this.#bytesSinceIndexEntry > this.indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.appendIfLater(this.largest)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += sizeBytes
    this.sizeBytes = position + sizeBytes
    this.endOffset = lastOffset + 1
  }

  #noteTimestamp(timestampMs: TimestampMs, offset: Offset, position: number): void {
    if (position === 0) this.#firstTimestampMs = timestampMs
    if (timestampMs > this.largest.timestampMs) this.largest = { timestampMs, offset }
  }

  /**
   * End offset, largest timestamp and index distance from the indexes and the batches they leave
   * out.
   */
  #scanTail(): string | null {
    const entry = this.offsetIndex.last()
    const from = entry?.position ?? 0
    this.largest = this.timeIndex.last() ?? this.largest
    this.#bytesSinceIndexEntry = this.sizeBytes - from
    this.#loadFirstTimestamp()
    let isEntryRight = entry === null
    const end = scanBatches(this.log, {
      from,
      end: this.sizeBytes,
      whole: 'none',
      onBatch: (buffer, at, position) => {
        const lastOffset = batchLastOffset(buffer, at)
        if (position === entry?.position) isEntryRight = lastOffset === entry.lastOffset
        if (batchBaseOffset(buffer, at) < this.endOffset) return false
        this.#noteTimestamp(batchMaxTimestamp(buffer, at), lastOffset, position)
        this.endOffset = lastOffset + 1
        return true
      },
    })
    if (!isEntryRight) return 'offset index'
    return end.position === this.sizeBytes ? null : (end.problem ?? 'offsets do not rise')
  }

  #loadFirstTimestamp(): void {
    this.#firstTimestampMs = -1
    const first = this.log.read(0, BATCH_HEADER_BYTES)
    if (first.length < BATCH_HEADER_BYTES) return
    if (headerProblem(first, 0, this.sizeBytes) === null) {
      this.#firstTimestampMs = batchMaxTimestamp(first, 0)
    }
  }

  #reset(): void {
    this.endOffset = this.baseOffset
    this.largest = { timestampMs: -1, offset: this.baseOffset }
    this.#firstTimestampMs = -1
    this.#bytesSinceIndexEntry = 0
    this.#hints.clear()
  }

  #seek(offset: Offset): number {
    const found = this.#search(offset)
    if (found !== null) return found
    this.#repairIndexes()
    return present(this.#search(offset), `${this.log.path}: the batch of ${offset}`)
  }

  /** Null when the index names a place where the batch it means does not begin. */
  #search(offset: Offset): number | null {
    const entry = this.offsetIndex.lookup(offset)
    let isEntryRight = entry === null
    let nextOffset = this.baseOffset
    let isRising = true
    const end = scanBatches(this.log, {
      from: entry?.position ?? 0,
      end: this.sizeBytes,
      whole: 'none',
      onBatch: (buffer, at, position) => {
        const lastOffset = batchLastOffset(buffer, at)
        if (position === entry?.position) isEntryRight = lastOffset === entry.lastOffset
        isRising = batchBaseOffset(buffer, at) >= nextOffset
        nextOffset = lastOffset + 1
        return isEntryRight && isRising && lastOffset < offset
      },
    })
    if (!isEntryRight) return null
    if (end.problem !== null) throw this.#corrupt(end.position, end.problem)
    if (!isRising) throw this.#corrupt(end.position, 'offsets do not rise')
    return end.position
  }

  /**
   * An index was damaged while in use. Throws `CorruptionError` when the log itself is what is
   * damaged.
   */
  #repairIndexes(): void {
    const { endOffset, sizeBytes, largest } = this
    const { position, problem } = this.rebuild(() => undefined)
    if (problem === null && this.endOffset === endOffset) return
    Object.assign(this, { endOffset, sizeBytes, largest })
    throw this.#corrupt(position, problem ?? `the end is not ${endOffset}`)
  }

  /** `bytes` from `start`, read again when the first batch is longer than that. */
  #withFirstBatch(bytes: Buffer, start: number, available: number): Buffer {
    const head = bytes.length < BATCH_HEADER_BYTES ? this.#readAt(start, BATCH_HEADER_BYTES) : bytes
    const problem = headerProblem(head, 0, available)
    if (problem !== null) throw this.#corrupt(start, problem)
    const sizeBytes = batchSizeBytes(head, 0)
    return sizeBytes > bytes.length ? this.#readAt(start, sizeBytes) : bytes
  }

  #wholeBatches(bytes: Buffer, start: number, { offset, endOffset }: SegmentRead): Buffer {
    const bounds = { offset, endOffset, segmentEnd: this.endOffset }
    const { sizeBytes, nextOffset, problem } = wholeBatches(bytes, bounds)
    if (problem !== null) throw this.#corrupt(start + sizeBytes, problem)
    if (nextOffset >= 0) this.#hints.put(nextOffset, start + sizeBytes)
    return bytes.subarray(0, sizeBytes)
  }

  #readAt(position: number, length: number): Buffer {
    const bytes = this.log.read(position, length)
    if (bytes.length < length) throw this.#corrupt(position, 'the file is shorter than it was')
    return bytes
  }

  /** Entries that cannot be written now wait; the segment cannot be finished before they are. */
  #persistSoon(): void {
    try {
      this.offsetIndex.file.persistIfMany()
      this.timeIndex.file.persistIfMany()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  #persistIndexes(): void {
    this.timeIndex.appendIfLater(this.largest)
    this.offsetIndex.file.persist()
    this.timeIndex.file.persist()
    if (this.aborted.file.count > 0) this.aborted.file.persist()
  }

  #corrupt(position: number, problem: string): CorruptionError {
    return new CorruptionError(`${this.log.path}: ${problem} at ${position}`)
  }
}
