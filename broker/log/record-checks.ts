import { WireError } from '../../src/base/errors.ts'
import type { TimestampMs } from '../../src/base/ids.ts'
import { decompress } from '../../src/wire/compression/index.ts'
import { Reader } from '../../src/wire/reader.ts'
import { BATCH_HEADER_BYTES, type BatchHeader } from '../../src/wire/record-batch.ts'
import type { LogConfig } from './log-config.ts'

const NO_TIMESTAMP = -1
const VARINT_BYTES_MAX = 5
const OVERLONG_SIZE = 'a record whose size is an overlong varint'
const JAVA_LONG_MAX = 9_223_372_036_854_775_807n
const JAVA_LONG_BITS = 64

/** A record that made its batch be refused (KIP-467). */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string | null
}

export interface RecordRules {
  readonly config: LogConfig
  readonly nowMs: TimestampMs
  readonly isTopicCompacted: boolean
  /** `topic-partition`, for messages. */
  readonly partitionName: string
}

/** What the records of a batch say, when they can be read. */
export interface RecordSummary {
  readonly kind: 'read'
  /** The largest of the records; -1 when none has one. */
  readonly maxTimestamp: TimestampMs
  /** Their offset deltas are 0, 1, 2 and so on. */
  readonly hasPlainOffsets: boolean
  readonly errors: readonly RecordError[]
  /** One of the errors is about a time, which decides the error code of the whole. */
  readonly isUntimely: boolean
}

/** `isUnreadable`: not even where a record begins can be told, which Kafka calls an unexpected error. */
export interface BrokenRecords {
  readonly kind: 'broken'
  readonly isUnreadable: boolean
  readonly message: string
}

interface RecordFields {
  readonly timestampDelta: number
  readonly offsetDelta: number
  /** -1: null. */
  readonly keyBytes: number
  readonly valueBytes: number
}

/** Reads every record of a batch as Kafka's LogValidator does, without copying any. */
export function summarizeRecords(
  batch: Buffer,
  header: BatchHeader,
  rules: RecordRules,
): RecordSummary | BrokenRecords {
  const bytes = batch.subarray(BATCH_HEADER_BYTES, header.sizeBytes)
  let records: Buffer
  try {
    records = decompress(header.codec, bytes)
  } catch (error) {
    return broken(error, true)
  }
  try {
    return readAll(new Reader(records), header, rules)
  } catch (error) {
    return broken(error, error instanceof WireError && error.message === OVERLONG_SIZE)
  }
}

function readAll(reader: Reader, header: BatchHeader, rules: RecordRules): RecordSummary {
  const isAppendTime = header.timestampType === 1
  const errors: RecordError[] = []
  let isUntimely = false
  let hasPlainOffsets = true
  let maxTimestamp = NO_TIMESTAMP
  for (let batchIndex = 0; batchIndex < header.recordCount; batchIndex += 1) {
    const record = readFields(reader)
    const timestampMs = isAppendTime
      ? header.maxTimestamp
      : header.baseTimestamp + record.timestampDelta
    if (timestampMs > maxTimestamp) maxTimestamp = timestampMs
    if (record.offsetDelta !== batchIndex) hasPlainOffsets = false
    if (rules.isTopicCompacted && record.keyBytes < 0) {
      const message = `Compacted topic cannot accept message without key in topic partition ${rules.partitionName}`
      errors.push({ batchIndex, message })
      continue
    }
    const message = timeProblem(record, timestampMs, header, rules)
    if (message === null) continue
    errors.push({ batchIndex, message })
    isUntimely = true
  }
  if (reader.remaining > 0) throw new WireError(`${reader.remaining} bytes after the last record`)
  return { kind: 'read', maxTimestamp, hasPlainOffsets, errors, isUntimely }
}

function readFields(reader: Reader): RecordFields {
  const sizeBytes = startOfRecord(reader)
  const start = reader.position
  reader.advance(1)
  const timestampDelta = reader.varlong()
  const offsetDelta = reader.varint()
  const keyBytes = skipSized(reader)
  const valueBytes = skipSized(reader)
  const headerCount = reader.varint()
  if (headerCount < 0) throw new WireError(`${headerCount} record headers`)
  for (let index = 0; index < headerCount; index += 1) {
    if (skipSized(reader) < 0) throw new WireError('a record header without a key')
    skipSized(reader)
  }
  if (reader.position !== start + sizeBytes) {
    throw new WireError(`a record of ${reader.position - start} bytes that says ${sizeBytes}`)
  }
  return { timestampDelta, offsetDelta, keyBytes, valueBytes }
}

function startOfRecord(reader: Reader): number {
  if (isOverlongVarint(reader.buffer, reader.position)) throw new WireError(OVERLONG_SIZE)
  return reader.varint()
}

function isOverlongVarint(bytes: Buffer, position: number): boolean {
  if (bytes.length - position < VARINT_BYTES_MAX) return false
  return bytes.subarray(position, position + VARINT_BYTES_MAX).every((byte) => byte >= 0x80)
}

/** Any length below zero is a null to Kafka. */
function skipSized(reader: Reader): number {
  const length = reader.varint()
  if (length > 0) reader.advance(length)
  return length
}

function timeProblem(
  record: RecordFields,
  timestampMs: TimestampMs,
  header: BatchHeader,
  rules: RecordRules,
): string | null {
  const { config, nowMs } = rules
  const { messageTimestampBeforeMaxMs: beforeMs, messageTimestampAfterMaxMs: afterMs } = config
  if (config.messageTimestampType === 'CreateTime' && timestampMs !== NO_TIMESTAMP) {
    if (nowMs - timestampMs <= beforeMs && timestampMs - nowMs <= afterMs) return null
    const range = `[${javaSum(nowMs, -beforeMs)}, ${javaSum(nowMs, afterMs)}]`
    return `Timestamp ${timestampMs} of message with offset ${record.offsetDelta} is out of range. The timestamp should be within ${range}`
  }
  if (header.timestampType === 0) return null
  const type = header.codec === 0 ? 'DefaultRecord' : 'PartialDefaultRecord'
  const sizes = `key=${Math.max(0, record.keyBytes)} bytes, value=${Math.max(0, record.valueBytes)} bytes`
  const text = `${type}(offset=${record.offsetDelta}, timestamp=${timestampMs}, ${sizes})`
  return `Invalid timestamp type in message ${text}. Producer should not set timestamp type to LogAppendTime.`
}

/** The sum as a Java long; "no limit" is its largest value, and overflows. */
function javaSum(a: number, b: number): bigint {
  const long = Number.isFinite(b) ? BigInt(b) : b < 0 ? -JAVA_LONG_MAX : JAVA_LONG_MAX
  return BigInt.asIntN(JAVA_LONG_BITS, BigInt(a) + long)
}

function broken(error: unknown, isUnreadable: boolean): BrokenRecords {
  if (!(error instanceof WireError)) throw error
  return { kind: 'broken', isUnreadable, message: error.message }
}
