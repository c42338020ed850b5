import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { assert } from '../../../../src/base/assert.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { crc32c } from '../../../../src/wire/crc32c.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  isBatchCrcValid,
  readBatchHeader,
  writeBatch,
  type BatchHeader,
} from '../../../../src/wire/record-batch.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import type { AppendResult, PartitionLog } from '../../../../broker/log/partition-log.ts'
import { append, batch, NOW_MS, openLog, readAll } from '../../../support/log-world.ts'

const HOUR_MS = 3_600_000

/** Sends `records` to a fresh log and makes sure that a refusal leaves nothing behind. */
function send(records: Buffer, config: Partial<LogConfig> = {}): AppendResult {
  const log = openLog(new MemoryDisk(), { config })
  const result = append(log, records)
  if (result.error === ErrorCode.NONE) return result
  const { baseOffset, lastOffset, isDuplicate } = result
  const left = [log.logEndOffset, log.sizeBytes, log.latestEpoch]
  const answer = [baseOffset, lastOffset, isDuplicate, result.message === null]
  assert([...left, ...answer].join() === '0,0,-1,-1,-1,false,false', 'a refusal leaves nothing')
  return result
}

/** `records` with the field at `position` changed by `write` and the CRC made right again. */
function patched(records: Buffer, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(records)
  write(bytes)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}

function readBytes(log: PartitionLog): Buffer {
  const endOffset = log.logEndOffset
  return log.read({ offset: 0, maxBytes: 1_000_000, minOneBatch: true, endOffset }).records
}

function storedHeaders(log: PartitionLog): readonly BatchHeader[] {
  return [readBatchHeader(readBytes(log), 0)]
}

describe('what a client sends', () => {
  it('is taken when it is one good batch, in any codec', () => {
    for (const codec of [0, 1, 2, 3, 4] as const) {
      expect(send(batch({ codec, count: 3 })).error).toBe(ErrorCode.NONE)
    }
  })

  it.each([0, 1, 2, 3, 4] as const)('must have the records that it says, codec %i', (codec) => {
    const told = (count: number): Buffer =>
      patched(batch({ codec, count: 3 }), (bytes) => {
        bytes.writeInt32BE(count, 57)
        bytes.writeInt32BE(count - 1, 23)
      })
    expect(send(told(2)).error).toBe(ErrorCode.INVALID_RECORD)
    expect(send(told(4)).error).toBe(ErrorCode.INVALID_RECORD)
    const garbage = patched(batch({ codec, valueBytes: 50 }), (bytes) => bytes.fill(0xff, 61))
    expect(send(garbage).error).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
  })

  it('must have records whose parts fill them', () => {
    const zeros = patched(batch({ valueBytes: 50 }), (bytes) => bytes.fill(0, 61))
    expect(send(zeros).error).toBe(ErrorCode.INVALID_RECORD)
    for (let at = 61; at < 66; at += 1) {
      const odd = patched(batch({ valueBytes: 5 }), (bytes) => bytes.writeUInt8(0x7e, at))
      expect([ErrorCode.NONE, ErrorCode.INVALID_RECORD]).toContain(send(odd).error)
    }
  })

  it('keeps odd offsets within an uncompressed batch, and cannot within a compressed one', () => {
    const odd = patched(batch({ count: 2 }), (bytes) => bytes.writeUInt8(4, 64))
    expect(send(Buffer.from(odd)).error).toBe(ErrorCode.NONE)
    const body = gzipSync(odd.subarray(61))
    const packed = Buffer.concat([odd.subarray(0, 61), body])
    packed.writeInt32BE(packed.length - 12, 8)
    const compressed = patched(packed, (bytes) => bytes.writeInt16BE(1, 21))
    expect(send(Buffer.from(compressed)).error).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(send(compressed, { compressionCodec: 4 }).error).toBe(ErrorCode.NONE)
  })

  it('gets the largest timestamp of its records, and its own times', () => {
    const log = openLog(new MemoryDisk())
    const future = patched(batch({ count: 2 }), (bytes) => {
      bytes.writeBigInt64BE(BigInt(NOW_MS + 9 * HOUR_MS), 35)
    })
    append(log, future)
    const [stored] = storedHeaders(log)
    expect([stored!.maxTimestamp, stored!.timestampType]).toEqual([NOW_MS, 0])
    expect(isBatchCrcValid(readBytes(log), 0)).toBe(true)
  })

  it('is refused with INVALID_RECORD when it is no batch or not a whole one', () => {
    const whole = batch()
    for (let length = 0; length < whole.length; length += 1) {
      const { error } = send(whole.subarray(0, length))
      expect([ErrorCode.INVALID_RECORD, ErrorCode.CORRUPT_MESSAGE]).toContain(error)
    }
  })

  it('is refused when it holds more than one batch; a rest that is no batch is left out', () => {
    const one = batch()
    expect(send(Buffer.concat([one, one])).error).toBe(ErrorCode.INVALID_RECORD)
    const log = openLog(new MemoryDisk())
    expect(append(log, Buffer.concat([one, one.subarray(0, -1)])).error).toBe(ErrorCode.NONE)
    expect(log.sizeBytes).toBe(one.length)
  })

  it('is refused in the formats before magic 2, and corrupt in those after', () => {
    const magic = (value: number): Buffer => {
      const bytes = batch()
      bytes.writeInt8(value, 16)
      return bytes
    }
    expect(send(magic(0)).error).toBe(ErrorCode.INVALID_RECORD)
    expect(send(magic(1)).error).toBe(ErrorCode.INVALID_RECORD)
    expect(send(magic(3)).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(send(magic(-1)).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(send(Buffer.alloc(26)).error).toBe(ErrorCode.INVALID_RECORD)
  })

  it('is corrupt when any bit that the CRC covers has changed', () => {
    const good = batch()
    for (let bit = 17 * 8; bit < good.length * 8; bit += 1) {
      const bytes = Buffer.from(good)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(send(bytes).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    }
  })

  it('is corrupt when its length cannot be', () => {
    for (const length of [-1, 0, 48, -2147483648]) {
      const bytes = batch()
      bytes.writeInt32BE(length, 8)
      expect(send(bytes).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    }
    const long = batch()
    long.writeInt32BE(0x7fffffff, 8)
    expect(send(long).error).toBe(ErrorCode.INVALID_RECORD)
  })

  it('must have base offset 0', () => {
    expect(send(batch({ baseOffset: 1 })).error).toBe(ErrorCode.INVALID_RECORD)
    const odd = batch()
    odd.fill(0xff, 0, 8)
    expect(send(odd).error).toBe(ErrorCode.INVALID_RECORD)
  })

  it('must have as many records as offsets', () => {
    const delta = (value: number): Buffer =>
      patched(batch({ count: 3 }), (bytes) => bytes.writeInt32BE(value, 23))
    const count = (value: number): Buffer =>
      patched(batch({ count: 3 }), (bytes) => bytes.writeInt32BE(value, 57))
    for (const wrong of [delta(3), delta(1), delta(-1), count(2), count(0), count(-1)]) {
      expect(send(wrong).error).toBe(ErrorCode.INVALID_RECORD)
    }
  })

  it('may not be a control batch, of an unknown codec, or transactional without a producer', () => {
    expect(send(batch({ isControl: true })).error).toBe(ErrorCode.INVALID_RECORD)
    expect(send(batch({ isTransactional: true })).error).toBe(ErrorCode.INVALID_RECORD)
    const codec = patched(batch(), (bytes) => bytes.writeInt16BE(5, 21))
    expect(send(codec).error).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
  })

  it('needs a sequence when it has a producer id', () => {
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
    expect(send(batch(producer)).error).toBe(ErrorCode.NONE)
    expect(send(batch({ ...producer, baseSequence: -1 })).error).toBe(ErrorCode.INVALID_RECORD)
    expect(send(batch({ ...producer, producerEpoch: -1 })).error).toBe(ErrorCode.NONE)
  })

  it('must not have 64-bit fields that no log can hold', () => {
    const huge = patched(batch(), (bytes) => bytes.writeBigInt64BE(1n << 60n, 43))
    expect(send(huge).error).toBe(ErrorCode.INVALID_RECORD)
  })

  it('is limited by max.message.bytes first and by segment.bytes then', () => {
    const records = batch({ valueBytes: 500 })
    const limit = records.length
    expect(send(records, { maxMessageBytes: limit }).error).toBe(ErrorCode.NONE)
    expect(send(records, { maxMessageBytes: limit - 1 }).error).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(send(records, { segmentBytes: limit }).error).toBe(ErrorCode.NONE)
    expect(send(records, { segmentBytes: limit - 1 }).error).toBe(ErrorCode.RECORD_LIST_TOO_LARGE)
    const both = { maxMessageBytes: limit - 1, segmentBytes: limit - 1 }
    expect(send(records, both).error).toBe(ErrorCode.MESSAGE_TOO_LARGE)
  })
})

describe('records on a compacted topic', () => {
  const keyless = writeBatch({
    records: [
      { key: Buffer.from('a'), value: null },
      { key: null, value: Buffer.from('b') },
      { key: null, value: null },
    ],
    timestampMs: NOW_MS,
  })

  it('need a key; the answer names those without', () => {
    const result = send(Buffer.from(keyless), { cleanupPolicy: ['compact'] })
    expect(result.error).toBe(ErrorCode.INVALID_RECORD)
    expect(result.recordErrors.map((error) => error.batchIndex)).toEqual([1, 2])
    const message = 'Compacted topic cannot accept message without key in topic partition orders-0'
    expect(result.recordErrors[0]?.message).toBe(message)
    expect(result.message).toContain(`[RecordError(batchIndex=1, message='${message}'), `)
    expect(send(Buffer.from(keyless)).error).toBe(ErrorCode.NONE)
  })
})

describe('timestamps', () => {
  function timed(...timestamps: readonly number[]): Buffer {
    return writeBatch({
      records: timestamps.map((timestampMs) => ({ key: null, value: null, timestampMs })),
      timestampMs: NOW_MS,
    })
  }

  it('may lie an hour ahead and any time back by default', () => {
    expect(send(timed(NOW_MS + HOUR_MS, 0)).error).toBe(ErrorCode.NONE)
    const result = send(timed(NOW_MS, NOW_MS + HOUR_MS + 1, 5))
    expect(result.error).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(result.recordErrors).toEqual([
      {
        batchIndex: 1,
        message: `Timestamp ${NOW_MS + HOUR_MS + 1} of message with offset 1 is out of range. The timestamp should be within [${BigInt(NOW_MS) - 9223372036854775807n}, ${NOW_MS + HOUR_MS}]`,
      },
    ])
  })

  it('may not lie further back than message.timestamp.before.max.ms', () => {
    const config = { messageTimestampBeforeMaxMs: 1000 }
    expect(send(timed(NOW_MS - 1000, NOW_MS), config).error).toBe(ErrorCode.NONE)
    const result = send(timed(NOW_MS, NOW_MS - 1001), config)
    expect(result.error).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(result.recordErrors.map((error) => error.batchIndex)).toEqual([1])
    expect(send(timed(-1, -1), config).error).toBe(ErrorCode.NONE)
  })

  it('are not looked at on a LogAppendTime topic', () => {
    const config = { messageTimestampType: 'LogAppendTime' } as const
    expect(send(timed(NOW_MS + 10 * HOUR_MS), config).error).toBe(ErrorCode.NONE)
  })

  it('of type LogAppendTime are not for clients to set', () => {
    const set = patched(batch(), (bytes) => bytes.writeInt16BE(8, 21))
    // Where records have their own times the type is set right, as Kafka does.
    expect(send(Buffer.from(set)).error).toBe(ErrorCode.NONE)
    const config = { messageTimestampType: 'LogAppendTime' } as const
    expect(send(set, config).error).toBe(ErrorCode.INVALID_TIMESTAMP)
  })
})

describe('compression.type', () => {
  const sent = {
    records: [
      { key: Buffer.from('k'), value: Buffer.from('v'.repeat(200)), timestampMs: NOW_MS - 5 },
      {
        key: null,
        value: null,
        headers: [{ key: 'h', value: Buffer.from('1') }],
        timestampMs: NOW_MS,
      },
    ],
    timestampMs: NOW_MS,
    producerId: 7,
    producerEpoch: 2,
    baseSequence: 0,
  }

  it.each([0, 1, 2, 3, 4] as const)('stores what comes in any codec as codec %i', (target) => {
    for (const codec of [0, 1, 2, 3, 4] as const) {
      const log = openLog(new MemoryDisk(), { config: { compressionCodec: target } })
      expect(append(log, writeBatch({ ...sent, codec })).error).toBe(ErrorCode.NONE)
      const [header] = storedHeaders(log)
      expect(header).toMatchObject({
        codec: target,
        recordCount: 2,
        producerId: 7,
        producerEpoch: 2,
        baseSequence: 0,
        baseTimestamp: NOW_MS - 5,
        maxTimestamp: NOW_MS,
      })
      const [first, second] = readAll(log)
      expect(first).toMatchObject({ offset: 0, timestampMs: NOW_MS - 5 })
      expect(second!.headers).toEqual([{ key: 'h', value: Buffer.from('1') }])
    }
  })

  it('measures the batch before and after', () => {
    const records = writeBatch({ ...sent, codec: 1 })
    const config = { compressionCodec: 0, maxMessageBytes: records.length + 20 } as const
    expect(send(records, config).error).toBe(ErrorCode.MESSAGE_TOO_LARGE)
  })

  it.each([
    [1, 1, 9],
    [4, 1, 19],
  ] as const)('obeys the level of codec %i', (compressionCodec, low, high) => {
    const value = Buffer.from(Array.from({ length: 20_000 }, (_, at) => (at * at) % 97))
    const sizeAt = (compressionLevel: number): number => {
      const log = openLog(new MemoryDisk(), { config: { compressionCodec, compressionLevel } })
      append(log, writeBatch({ records: [{ key: null, value }], timestampMs: NOW_MS }))
      return log.sizeBytes
    }
    expect(sizeAt(high)).toBeLessThan(sizeAt(low))
  })
})

describe('after a refusal', () => {
  it('the log goes on as if nothing had been sent', () => {
    const log = openLog(new MemoryDisk())
    append(log, batch({ text: 'a' }))
    const broken = batch({ text: 'b' })
    broken[70]! ^= 1
    expect(append(log, broken).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(append(log, batch({ text: 'c' })).baseOffset).toBe(1)
    expect(readAll(log).map((record) => record.value?.toString()[0])).toEqual(['a', 'c'])
  })
})
