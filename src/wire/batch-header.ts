import { WireError } from '../base/errors.ts'
import { crc32c } from './crc32c.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** Bytes before the first record. */
export const BATCH_HEADER_BYTES = 61
/** Base offset and length: what `batchLength` does not count. */
export const LOG_OVERHEAD_BYTES = 12
export const BATCH_MAGIC = 2

const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const MAX_TIMESTAMP_AT = 35
const SEQUENCES = 0x8000_0000
const TWO_32 = 0x1_0000_0000

export const CODEC_MASK = 0b111
export const LOG_APPEND_TIME_BIT = 1 << 3
export const TRANSACTIONAL_BIT = 1 << 4
export const CONTROL_BIT = 1 << 5
/** Only the cleaner of a compacted log sets it: the base timestamp is a delete horizon (KIP-534). */
export const DELETE_HORIZON_BIT = 1 << 6

/** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; other values can stand in a batch but not be read. */
export type CodecId = 0 | 1 | 2 | 3 | 4

/** The fixed part of a v2 batch. */
export interface BatchHeader {
  readonly baseOffset: number
  /** As on the wire: the bytes after this field. */
  readonly batchLength: number
  /** The whole batch. */
  readonly sizeBytes: number
  readonly partitionLeaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** -1 without a base sequence; wraps from 2^31 - 1 to 0. */
  readonly lastSequence: number
  readonly recordCount: number
  /** 0 to 4 are known codecs. */
  readonly codec: number
  /** 0 CreateTime, 1 LogAppendTime. */
  readonly timestampType: 0 | 1
  readonly isTransactional: boolean
  readonly isControl: boolean
}

/**
 * Reads the header at `position`; the records need not be there. Throws `WireError` when fewer than
 * 61 bytes remain, the magic is not 2 or a field is illegal. The CRC is not checked.
 */
export function readBatchHeader(buffer: Buffer, position: number): BatchHeader {
  const reader = new Reader(buffer, position)
  const baseOffset = reader.int64()
  const batchLength = reader.int32()
  const partitionLeaderEpoch = reader.int32()
  const magic = reader.int8()
  if (magic !== BATCH_MAGIC) throw new WireError(`a record batch of magic ${magic}`)
  const sizeBytes = LOG_OVERHEAD_BYTES + batchLength
  if (sizeBytes < BATCH_HEADER_BYTES) throw new WireError(`a record batch of ${sizeBytes} bytes`)
  const crc = reader.uint32()
  const attributes = reader.int16()
  const lastOffsetDelta = reader.int32()
  const baseTimestamp = reader.int64()
  const maxTimestamp = reader.int64()
  const producerId = reader.int64()
  const producerEpoch = reader.int16()
  const baseSequence = reader.int32()
  const recordCount = reader.int32()
  if (lastOffsetDelta < 0) throw new WireError(`a last offset delta of ${lastOffsetDelta}`)
  if (recordCount < 0) throw new WireError(`a batch of ${recordCount} records`)
  return {
    baseOffset,
    batchLength,
    sizeBytes,
    partitionLeaderEpoch,
    magic,
    crc,
    attributes,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp,
    maxTimestamp,
    producerId,
    producerEpoch,
    baseSequence,
    lastSequence: baseSequence < 0 ? -1 : (baseSequence + lastOffsetDelta) % SEQUENCES,
    recordCount,
    codec: attributes & CODEC_MASK,
    timestampType: (attributes & LOG_APPEND_TIME_BIT) === 0 ? 0 : 1,
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    isControl: (attributes & CONTROL_BIT) !== 0,
  }
}

export function batchBaseOffset(buffer: Buffer, position: number): number {
  return new Reader(buffer, position).int64()
}

/** Size of the whole batch as its first 12 bytes tell. */
export function batchSizeBytes(buffer: Buffer, position: number): number {
  return LOG_OVERHEAD_BYTES + buffer.readInt32BE(position + 8)
}

/** Stands at the same place in batches and in the messages of magic 0 and 1. */
export function batchMagic(buffer: Buffer, position: number): number {
  return buffer.readInt8(position + MAGIC_AT)
}

/** Codec, timestamp type and flags of a batch of magic 2, of which 61 bytes are there. */
export function batchAttributes(buffer: Buffer, position: number): number {
  return buffer.readInt16BE(position + ATTRIBUTES_AT)
}

export function batchLastOffset(buffer: Buffer, position: number): number {
  const delta = buffer.readInt32BE(position + LAST_OFFSET_DELTA_AT)
  return batchBaseOffset(buffer, position) + delta
}

export function batchLeaderEpoch(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position + LEADER_EPOCH_AT)
}

export function batchMaxTimestamp(buffer: Buffer, position: number): number {
  return new Reader(buffer, position + MAX_TIMESTAMP_AT).int64()
}

/** Gives a batch its place in the log. Both fields lie outside of the CRC. */
export function patchBatch(
  buffer: Buffer,
  position: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  putInt64(buffer, position, baseOffset)
  buffer.writeInt32BE(leaderEpoch, position + LEADER_EPOCH_AT)
}

/** Makes `timestampMs` the time of every record of the batch (LogAppendTime) and renews the CRC. */
export function setLogAppendTime(buffer: Buffer, position: number, timestampMs: number): void {
  const attributes = buffer.readInt16BE(position + ATTRIBUTES_AT) | LOG_APPEND_TIME_BIT
  buffer.writeInt16BE(attributes, position + ATTRIBUTES_AT)
  putInt64(buffer, position + MAX_TIMESTAMP_AT, timestampMs)
  buffer.writeUInt32BE(batchCrc(buffer, position), position + CRC_AT)
}

/** Gives every record of the batch its own time (CreateTime), the largest of which is `maxTimestamp`; renews the CRC. */
export function setCreateTime(buffer: Buffer, position: number, maxTimestamp: number): void {
  const attributes = buffer.readInt16BE(position + ATTRIBUTES_AT) & ~LOG_APPEND_TIME_BIT
  buffer.writeInt16BE(attributes, position + ATTRIBUTES_AT)
  putInt64(buffer, position + MAX_TIMESTAMP_AT, maxTimestamp)
  buffer.writeUInt32BE(batchCrc(buffer, position), position + CRC_AT)
}

/** False also when the batch is not whole. */
export function isBatchCrcValid(buffer: Buffer, position: number): boolean {
  if (buffer.length - position < BATCH_HEADER_BYTES) return false
  const sizeBytes = batchSizeBytes(buffer, position)
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > buffer.length - position) return false
  return buffer.readUInt32BE(position + CRC_AT) === batchCrc(buffer, position)
}

/**
 * Visits the batches of `buffer` in order. Stops before a batch that is cut at the end, as Fetch
 * answers may have; throws `WireError` for a header that is illegal.
 */
export function forEachBatch(
  buffer: Buffer,
  fn: (header: BatchHeader, position: number) => void,
): void {
  let position = 0
  while (buffer.length - position >= BATCH_HEADER_BYTES) {
    const header = readBatchHeader(buffer, position)
    if (header.sizeBytes > buffer.length - position) return
    fn(header, position)
    position += header.sizeBytes
  }
}

/**
 * When the tombstones of the batch, or the marker that it is, may go from a compacted log; null while that is not
 * decided. Timestamps of records count from it as from any base timestamp.
 */
export function deleteHorizonMsOf(header: BatchHeader): number | null {
  return (header.attributes & DELETE_HORIZON_BIT) === 0 ? null : header.baseTimestamp
}

/** Everything of a header that a new batch decides; the rest follows. */
export type BatchHeaderInput = Pick<
  BatchHeader,
  | 'baseOffset'
  | 'partitionLeaderEpoch'
  | 'attributes'
  | 'lastOffsetDelta'
  | 'baseTimestamp'
  | 'maxTimestamp'
  | 'producerId'
  | 'producerEpoch'
  | 'baseSequence'
  | 'recordCount'
>

/** One buffer with header, CRC and the encoded records. */
export function assembleBatch(header: BatchHeaderInput, records: readonly Buffer[]): Buffer {
  const recordBytes = records.reduce((sum, chunk) => sum + chunk.length, 0)
  const writer = new Writer(BATCH_HEADER_BYTES + recordBytes)
  writer.int64(header.baseOffset)
  writer.int32(BATCH_HEADER_BYTES + recordBytes - LOG_OVERHEAD_BYTES)
  writer.int32(header.partitionLeaderEpoch)
  writer.int8(BATCH_MAGIC)
  writer.uint32(0)
  writer.int16(header.attributes)
  writer.int32(header.lastOffsetDelta)
  writer.int64(header.baseTimestamp)
  writer.int64(header.maxTimestamp)
  writer.int64(header.producerId)
  writer.int16(header.producerEpoch)
  writer.int32(header.baseSequence)
  writer.int32(header.recordCount)
  for (const chunk of records) writer.bytes(chunk)
  const batch = writer.toBuffer()
  batch.writeUInt32BE(batchCrc(batch, 0), CRC_AT)
  return batch
}

function batchCrc(buffer: Buffer, position: number): number {
  const end = position + batchSizeBytes(buffer, position)
  return crc32c(buffer.subarray(position + ATTRIBUTES_AT, end))
}

function putInt64(buffer: Buffer, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw new WireError(`${value} in a batch header`)
  buffer.writeInt32BE(Math.floor(value / TWO_32), position)
  buffer.writeUInt32BE(value >>> 0, position + 4)
}
