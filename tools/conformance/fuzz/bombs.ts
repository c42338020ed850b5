import { gzipSync, zstdCompressSync } from 'node:zlib'
import { crc32c } from '../../../src/wire/crc32c.ts'
import { compress } from '../../../src/wire/compression/index.ts'
import { writeBatch } from '../../../src/wire/record-batch.ts'

const HEADER_BYTES = 61
const LENGTH_AT = 8
const LENGTH_FROM = 12
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const MAX_BATCH_BYTES = 1_000_000
const MEMBER_BYTES = 16 * 1024 * 1024

export interface Bomb {
  readonly codec: string
  readonly batch: Buffer
  /** What a reader without a limit would make of it. */
  readonly expandedBytes: number
}

/** A batch of each codec below message.max.bytes that expands as far as its codec can. */
export function bombs(timestampMs: number): readonly Bomb[] {
  const zeros = Buffer.alloc(MEMBER_BYTES)
  const claim = Buffer.concat([varint(0x7f_ff_ff_ff), Buffer.alloc(1000)])
  return [
    repeated('gzip', 1, gzipSync(zeros), timestampMs),
    { codec: 'snappy', batch: withPayload(2, claim, timestampMs), expandedBytes: 0x7f_ff_ff_ff },
    lz4Bomb(zeros, timestampMs),
    repeated('zstd', 4, zstdCompressSync(zeros), timestampMs),
  ]
}

/** Members and frames may follow each other, which makes many gigabytes of little work for the sender. */
function repeated(codec: string, id: number, member: Buffer, timestampMs: number): Bomb {
  const count = Math.floor((MAX_BATCH_BYTES - HEADER_BYTES) / member.length)
  const payload = Buffer.concat(Array.from({ length: count }, () => member))
  return {
    codec,
    batch: withPayload(id, payload, timestampMs),
    expandedBytes: count * MEMBER_BYTES,
  }
}

/** One frame of as many blocks as there is room for: LZ4 knows 255 to 1 at most. */
function lz4Bomb(zeros: Buffer, timestampMs: number): Bomb {
  let sizeBytes = 14 * zeros.length
  let payload = compress(3, Buffer.alloc(sizeBytes))
  if (payload.length > MAX_BATCH_BYTES - HEADER_BYTES) {
    sizeBytes = Math.floor((sizeBytes * (MAX_BATCH_BYTES - 1000)) / payload.length)
    payload = compress(3, Buffer.alloc(sizeBytes))
  }
  return { codec: 'lz4', batch: withPayload(3, payload, timestampMs), expandedBytes: sizeBytes }
}

/** The header of a batch of one record before bytes that are whatever is given; the CRC is right. */
export function withPayload(codec: number, payload: Buffer, timestampMs: number): Buffer {
  const whole = writeBatch({ records: [{ key: Buffer.from('k'), value: null }], timestampMs })
  const batch = Buffer.concat([whole.subarray(0, HEADER_BYTES), payload])
  batch.writeInt32BE(batch.length - LENGTH_FROM, LENGTH_AT)
  batch.writeInt16BE(codec, ATTRIBUTES_AT)
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT)
  return batch
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.from([...bytes, rest])
}
