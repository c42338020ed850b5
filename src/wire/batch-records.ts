import type { BatchHeader, CodecId } from './batch-header.ts'
import { assert } from '../base/assert.ts'
import { WireError } from '../base/errors.ts'
import {
  assembleBatch,
  BATCH_HEADER_BYTES,
  CODEC_MASK,
  CONTROL_BIT,
  DELETE_HORIZON_BIT,
  readBatchHeader,
  TRANSACTIONAL_BIT,
} from './batch-header.ts'
import { compress, decompress } from './compression/index.ts'
import { Reader } from './reader.ts'
import { varintBytes, varlongBytes } from './varint.ts'
import { Writer } from './writer.ts'

/** A record without key, value and headers takes this much. */
const RECORD_BYTES_MIN = 7
const HEADER_BYTES_MIN = 2
const ATTRIBUTES_BYTES = 1

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface RecordInput {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly RecordHeader[]
  /** The batch's timestamp when left out. */
  readonly timestampMs?: number
}

export interface BatchInput {
  /** At least one. */
  readonly records: readonly RecordInput[]
  readonly timestampMs: number
  /** 0. */
  readonly baseOffset?: number
  /** -1. */
  readonly partitionLeaderEpoch?: number
  /** None. */
  readonly codec?: CodecId
  /** The codec's default. */
  readonly compressionLevel?: number
  /** -1. */
  readonly producerId?: number
  /** -1. */
  readonly producerEpoch?: number
  /** -1. */
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

export interface DecodedRecord {
  readonly offset: number
  /** The batch's maximum when its timestamp type is LogAppendTime. */
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** A v2 batch of consecutive offsets. */
export function writeBatch(input: BatchInput): Buffer {
  const { records, codec = 0 } = input
  assert(records.length > 0, 'a batch needs at least one record')
  const baseTimestamp = records[0]?.timestampMs ?? input.timestampMs
  const writer = new Writer()
  let maxTimestamp = baseTimestamp
  records.forEach((record, index) => {
    const timestampMs = record.timestampMs ?? input.timestampMs
    if (timestampMs > maxTimestamp) maxTimestamp = timestampMs
    writeRecord(writer, record, timestampMs - baseTimestamp, index)
  })
  const header = {
    baseOffset: input.baseOffset ?? 0,
    partitionLeaderEpoch: input.partitionLeaderEpoch ?? -1,
    attributes: attributesOf(input, codec),
    lastOffsetDelta: records.length - 1,
    baseTimestamp,
    maxTimestamp,
    producerId: input.producerId ?? -1,
    producerEpoch: input.producerEpoch ?? -1,
    baseSequence: input.baseSequence ?? -1,
    recordCount: records.length,
  }
  const body =
    codec === 0 ? writer.toBuffers() : [compress(codec, writer.toBuffer(), input.compressionLevel)]
  return assembleBatch(header, body)
}

/**
 * The batch of `header` with only some of its records, as compaction leaves it: offsets, sequences, epochs and codec
 * stay, so that a producer's last sequence can still be told from it. A `deleteHorizonMs` becomes the base
 * timestamp (KIP-534). Without records nothing is left but a header, which is never compressed.
 */
export function rewriteBatch(
  header: BatchHeader,
  kept: readonly DecodedRecord[],
  deleteHorizonMs: number | null,
): Buffer {
  const attributes = header.attributes & ~DELETE_HORIZON_BIT
  if (kept.length === 0) {
    const empty = { attributes: attributes & ~CODEC_MASK, baseTimestamp: -1, recordCount: 0 }
    return assembleBatch({ ...header, ...empty }, [])
  }
  const baseTimestamp = deleteHorizonMs ?? kept[0]?.timestampMs ?? -1
  const writer = new Writer()
  let newest = -1
  for (const record of kept) {
    newest = Math.max(newest, record.timestampMs)
    writeRecord(
      writer,
      record,
      record.timestampMs - baseTimestamp,
      record.offset - header.baseOffset,
    )
  }
  const codec = header.codec as CodecId
  const body = codec === 0 ? writer.toBuffers() : [compress(codec, writer.toBuffer())]
  const rewritten = {
    attributes: deleteHorizonMs === null ? attributes : attributes | DELETE_HORIZON_BIT,
    baseTimestamp,
    maxTimestamp: header.timestampType === 1 ? header.maxTimestamp : newest,
    recordCount: kept.length,
  }
  return assembleBatch({ ...header, ...rewritten }, body)
}

/**
 * The records of the batch at `position`, decompressed. Keys and values share memory with the batch
 * or with what was decompressed. Throws `WireError` for anything illegal; does not check the CRC.
 */
export function readRecords(buffer: Buffer, position: number): DecodedRecord[] {
  const header = readBatchHeader(buffer, position)
  const reader = recordsReader(buffer, position, header)
  if (header.recordCount * RECORD_BYTES_MIN > reader.remaining) {
    throw new WireError(`${header.recordCount} records in ${reader.remaining} bytes`)
  }
  const records: DecodedRecord[] = []
  for (let index = 0; index < header.recordCount; index += 1) {
    records.push(readRecord(reader, header))
  }
  if (reader.remaining > 0) throw new WireError(`${reader.remaining} bytes after the last record`)
  return records
}

function recordsReader(buffer: Buffer, position: number, header: BatchHeader): Reader {
  const start = position + BATCH_HEADER_BYTES
  const end = position + header.sizeBytes
  if (header.codec === 0) return new Reader(buffer, start, end)
  if (end > buffer.length) throw new WireError('a record batch that is cut short')
  return new Reader(decompress(header.codec, buffer.subarray(start, end)))
}

function attributesOf(input: BatchInput, codec: CodecId): number {
  const transactional = input.isTransactional === true ? TRANSACTIONAL_BIT : 0
  return codec | transactional | (input.isControl === true ? CONTROL_BIT : 0)
}

function writeRecord(
  writer: Writer,
  record: RecordInput,
  timestampDelta: number,
  offsetDelta: number,
): void {
  const headers = record.headers ?? []
  writer.varint(recordBodyBytes(record, headers, timestampDelta, offsetDelta))
  writer.int8(0)
  writer.varlong(timestampDelta)
  writer.varint(offsetDelta)
  writeSized(writer, record.key)
  writeSized(writer, record.value)
  writer.varint(headers.length)
  for (const header of headers) {
    writer.varint(Buffer.byteLength(header.key))
    writer.utf8(header.key)
    writeSized(writer, header.value)
  }
}

function recordBodyBytes(
  record: RecordInput,
  headers: readonly RecordHeader[],
  timestampDelta: number,
  offsetDelta: number,
): number {
  let bytes = ATTRIBUTES_BYTES + varlongBytes(timestampDelta) + varintBytes(offsetDelta)
  bytes += sizedBytes(record.key) + sizedBytes(record.value) + varintBytes(headers.length)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    bytes += varintBytes(keyBytes) + keyBytes + sizedBytes(header.value)
  }
  return bytes
}

function sizedBytes(value: Buffer | null): number {
  return value === null ? 1 : varintBytes(value.length) + value.length
}

function writeSized(writer: Writer, value: Buffer | null): void {
  if (value === null) writer.varint(-1)
  else {
    writer.varint(value.length)
    writer.bytes(value)
  }
}

function readRecord(reader: Reader, header: BatchHeader): DecodedRecord {
  const sizeBytes = reader.varint()
  const start = reader.position
  reader.int8()
  const timestampDelta = reader.varlong()
  const offsetDelta = reader.varint()
  const key = readSized(reader)
  const value = readSized(reader)
  const headers = readHeaders(reader)
  if (reader.position !== start + sizeBytes) {
    throw new WireError(`a record of ${reader.position - start} bytes that says ${sizeBytes}`)
  }
  const isAppendTime = header.timestampType === 1
  return {
    offset: header.baseOffset + offsetDelta,
    timestampMs: isAppendTime ? header.maxTimestamp : header.baseTimestamp + timestampDelta,
    key,
    value,
    headers,
  }
}

function readHeaders(reader: Reader): readonly RecordHeader[] {
  const count = reader.varint()
  if (count < 0 || count * HEADER_BYTES_MIN > reader.remaining) {
    throw new WireError(`${count} record headers in ${reader.remaining} bytes`)
  }
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index += 1) {
    const keyBytes = reader.varint()
    if (keyBytes < 0) throw new WireError('a record header without a key')
    const key = reader.text(keyBytes)
    headers.push({ key, value: readSized(reader) })
  }
  return headers
}

function readSized(reader: Reader): Buffer | null {
  const length = reader.varint()
  if (length < -1) throw new WireError(`a length of ${length}`)
  return length === -1 ? null : reader.bytes(length)
}
