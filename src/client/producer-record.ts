import type { Offset, TimestampMs } from '../base/ids.ts'
import type { RecordHeader, RecordInput } from '../wire/record-batch.ts'

/** Upper bound of a record's length, attributes, deltas and counts (DefaultRecord.MAX_RECORD_OVERHEAD). */
const MAX_RECORD_OVERHEAD = 21
const MAX_HEADER_OVERHEAD = 10

/** Text is sent as UTF-8. */
export type RecordBytes = Buffer | string | null

export interface ProducerHeader {
  readonly key: string
  readonly value: RecordBytes
}

export interface ProducerRecord {
  readonly topic: string
  /** Default: by the key's murmur2 hash, or sticky when there is no key. */
  readonly partition?: number | null
  readonly key?: RecordBytes
  /** Null is a tombstone. */
  readonly value: RecordBytes
  readonly headers?: readonly ProducerHeader[]
  /** Default: the clock's wall time when `send` is called. */
  readonly timestampMs?: TimestampMs
}

/** Where a record was stored. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 with acks=0, and when the broker knew the batch as a duplicate without saying where it is. */
  readonly offset: Offset
  readonly timestampMs: TimestampMs
}

export type SendDone = (error: Error | null, metadata: RecordMetadata | null) => void

/** A record with its bytes, on its way into a batch. */
export interface PreparedRecord {
  readonly topic: string
  readonly partition: number | null
  readonly input: RecordInput & { readonly timestampMs: TimestampMs }
  /** Upper bound of its size in a batch. */
  readonly sizeBytes: number
  readonly done: SendDone
}

export function prepareRecord(
  record: ProducerRecord,
  nowMs: TimestampMs,
  done: SendDone,
): PreparedRecord {
  const key = bytesOf(record.key ?? null)
  const value = bytesOf(record.value)
  const headers: RecordHeader[] = []
  let sizeBytes = MAX_RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of record.headers ?? []) {
    const headerValue = bytesOf(header.value)
    headers.push({ key: header.key, value: headerValue })
    sizeBytes += MAX_HEADER_OVERHEAD + Buffer.byteLength(header.key) + (headerValue?.length ?? 0)
  }
  return {
    topic: record.topic,
    partition: record.partition ?? null,
    input: { key, value, headers, timestampMs: record.timestampMs ?? nowMs },
    sizeBytes,
    done,
  }
}

function bytesOf(bytes: RecordBytes): Buffer | null {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes
}
