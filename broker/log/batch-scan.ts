import { WireError } from '../../src/base/errors.ts'
import type { DiskFile } from '../../src/ports/disk.ts'
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchMagic,
  batchSizeBytes,
  isBatchCrcValid,
  readBatchHeader,
  type BatchHeader,
} from '../../src/wire/record-batch.ts'
import { readInt64 } from './int64.ts'

const TWO_32 = 0x1_0000_0000
const LOG_OVERHEAD_BYTES = 12
const LENGTH_POSITION = 8
const MAGIC_POSITION = 16
const ATTRIBUTES_POSITION = 21
const LAST_OFFSET_DELTA_POSITION = 23
const CONTROL_BIT = 0x20
/** Enough for the headers of some small batches; big ones take a read each. */
const HEADER_CHUNK_BYTES = 8 * 1024
const WHOLE_CHUNK_BYTES = 1024 * 1024

export interface ScanOptions {
  readonly from: number
  /** Position where the batches end. */
  readonly end: number
  /** Which batches must be in memory as a whole; of the others only the header is. */
  readonly whole: 'all' | 'control' | 'none'
  /** Also recomputes the checksums; needs `whole: 'all'`. */
  readonly checksCrc?: boolean
  /**
   * `at` is where the batch begins in `buffer`, `position` where in the file. False stops the scan
   * there.
   */
  readonly onBatch: (buffer: Buffer, at: number, position: number) => boolean
}

/** Where a scan ended, and why when it was neither at the end nor stopped. */
export interface ScanEnd {
  readonly position: number
  readonly problem: string | null
}

/**
 * Walks over the batches of a file in few reads. Sizes and magic are checked before a batch is
 * shown, so bytes of any kind are met with a problem and never with an endless loop.
 */
export function scanBatches(file: DiskFile, options: ScanOptions): ScanEnd {
  const { end, whole, onBatch } = options
  const chunkBytes = whole === 'all' ? WHOLE_CHUNK_BYTES : HEADER_CHUNK_BYTES
  let { from: position } = options
  let chunk: Buffer = Buffer.alloc(0)
  let chunkStart = position
  const fill = (bytes: number): boolean => {
    if (position + bytes <= chunkStart + chunk.length) return true
    chunk = file.read(position, Math.min(Math.max(bytes, chunkBytes), end - position))
    chunkStart = position
    return chunk.length >= bytes
  }
  while (position < end) {
    if (!fill(Math.min(BATCH_HEADER_BYTES, end - position)))
      return { position, problem: 'cut short' }
    let at = position - chunkStart
    const problem = headerProblem(chunk, at, end - position)
    if (problem !== null) return { position, problem }
    const sizeBytes = batchSizeBytes(chunk, at)
    if (whole === 'all' || (whole === 'control' && isControl(chunk, at))) {
      if (!fill(sizeBytes)) return { position, problem: 'cut short' }
      at = position - chunkStart
    }
    if (options.checksCrc === true && !isBatchCrcValid(chunk, at)) {
      return { position, problem: 'wrong CRC' }
    }
    if (!onBatch(chunk, at, position)) return { position, problem: null }
    position += sizeBytes
  }
  return { position, problem: null }
}

/**
 * Why no whole v2 batch begins at `position` of `buffer` with `bytesLeft` bytes to go; null when
 * its size, magic and offsets can be right. Reads no more than the header.
 */
export function headerProblem(buffer: Buffer, position: number, bytesLeft: number): string | null {
  if (bytesLeft < BATCH_HEADER_BYTES) return 'cut short'
  const sizeBytes = batchSizeBytes(buffer, position)
  if (sizeBytes < BATCH_HEADER_BYTES) return `a size of ${sizeBytes}`
  const magic = batchMagic(buffer, position)
  if (magic !== BATCH_MAGIC) return `magic ${magic}`
  const lastOffsetDelta = buffer.readInt32BE(position + LAST_OFFSET_DELTA_POSITION)
  if (!(readInt64(buffer, position) >= 0) || lastOffsetDelta < 0) return 'illegal offsets'
  return sizeBytes > bytesLeft ? 'cut short' : null
}

export interface WholeBatchesOptions {
  /** What is asked for: the first batch holds it, or begins after it. */
  readonly offset: number
  /** Batches that reach it are left out. */
  readonly endOffset: number
  /** The segment has no record here or beyond. */
  readonly segmentEnd: number
}

/**
 * Bytes of the whole batches at the beginning of `bytes` that end before `endOffset`, and the
 * offset after them (-1 when there are none). Base offsets are looked at since no CRC covers them: a
 * reader would take a damaged one for its next position and skip what follows. No objects are made
 * here: a fetch of small batches comes by thousands of them.
 */
export function wholeBatches(
  bytes: Buffer,
  { offset, endOffset, segmentEnd }: WholeBatchesOptions,
): { readonly sizeBytes: number; readonly nextOffset: number; readonly problem: string | null } {
  let at = 0
  let nextOffset = -1
  while (bytes.length - at >= BATCH_HEADER_BYTES) {
    const sizeBytes = LOG_OVERHEAD_BYTES + bytes.readInt32BE(at + LENGTH_POSITION)
    if (sizeBytes > bytes.length - at) break
    if (sizeBytes < BATCH_HEADER_BYTES || bytes[at + MAGIC_POSITION] !== BATCH_MAGIC) {
      return { sizeBytes: at, nextOffset, problem: headerProblem(bytes, at, bytes.length - at) }
    }
    const lastOffsetDelta = bytes.readInt32BE(at + LAST_OFFSET_DELTA_POSITION)
    const baseOffset = bytes.readInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4)
    const lastOffset = baseOffset + lastOffsetDelta
    if (baseOffset < nextOffset || lastOffset < offset || lastOffset >= segmentEnd) {
      return { sizeBytes: at, nextOffset, problem: `a base offset of ${baseOffset}` }
    }
    if (lastOffset >= endOffset) break
    at += sizeBytes
    nextOffset = lastOffset + 1
  }
  return { sizeBytes: at, nextOffset, problem: null }
}

/** The header, or null when a 64-bit field holds what no log can (beyond 2^53). */
export function tryReadBatchHeader(buffer: Buffer, position: number): BatchHeader | null {
  try {
    return readBatchHeader(buffer, position)
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

function isControl(buffer: Buffer, at: number): boolean {
  return (buffer.readInt16BE(at + ATTRIBUTES_POSITION) & CONTROL_BIT) !== 0
}
