import type { BatchInput, RecordInput } from '../../../../src/wire/record-batch.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssertionError } from '../../../../src/base/assert.ts'
import { WireError } from '../../../../src/base/errors.ts'
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchLastOffset,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchSizeBytes,
  forEachBatch,
  isBatchCrcValid,
  patchBatch,
  readBatchHeader,
  readRecords,
  setLogAppendTime,
  writeBatch,
} from '../../../../src/wire/record-batch.ts'
import { valueOrWireError } from '../../../support/wire-arbitraries.ts'

const NOW_MS = 1_700_000_000_000

const bytes = fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array))
const maybeBytes = fc.option(bytes, { freq: 4 })
const record: fc.Arbitrary<RecordInput> = fc.record({
  key: maybeBytes,
  value: maybeBytes,
  headers: fc.array(
    fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 5 }), value: maybeBytes }),
    { maxLength: 3 },
  ),
  timestampMs: fc.integer({ min: NOW_MS - 1e12, max: NOW_MS + 1e12 }),
})
const batch: fc.Arbitrary<BatchInput> = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 20 }),
  timestampMs: fc.constant(NOW_MS),
  baseOffset: fc.nat({ max: 2 ** 50 }),
  partitionLeaderEpoch: fc.nat(),
  codec: fc.constantFrom(0, 1, 2, 3, 4),
  producerId: fc.nat({ max: 2 ** 40 }),
  producerEpoch: fc.nat(32767),
  baseSequence: fc.nat(),
  isTransactional: fc.boolean(),
  isControl: fc.boolean(),
})

function simpleBatch(count: number, options: Partial<BatchInput> = {}): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(`value-${index}`),
  }))
  return writeBatch({ records, timestampMs: NOW_MS, ...options })
}

describe('a record batch', () => {
  it('comes back as it was written, with every codec', () => {
    const property = fc.property(batch, fc.nat(20), (input, position) => {
      const written = Buffer.concat([Buffer.alloc(position), writeBatch(input)])
      const header = readBatchHeader(written, position)
      const { records, timestampMs: _, ...rest } = input
      expect(header).toMatchObject(rest)
      expect(header.sizeBytes).toBe(written.length - position)
      expect(header.recordCount).toBe(records.length)
      expect(header.lastOffset).toBe(header.baseOffset + records.length - 1)
      expect(header.maxTimestamp).toBe(Math.max(...records.map((each) => each.timestampMs!)))
      expect(isBatchCrcValid(written, position)).toBe(true)
      expect(readRecords(written, position)).toEqual(
        records.map((each, index) => ({ ...each, offset: header.baseOffset + index })),
      )
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('has the defaults of a client that is not idempotent', () => {
    const header = readBatchHeader(simpleBatch(2), 0)
    expect(header).toMatchObject({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      magic: 2,
      attributes: 0,
      baseTimestamp: NOW_MS,
      maxTimestamp: NOW_MS,
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
      lastSequence: -1,
      timestampType: 0,
    })
  })

  it('wraps its last sequence from 2^31 - 1 to 0', () => {
    const header = readBatchHeader(simpleBatch(3, { baseSequence: 0x7fff_fffe }), 0)
    expect(header.lastSequence).toBe(0)
  })

  it('is not written without records', () => {
    expect(() => writeBatch({ records: [], timestampMs: 0 })).toThrow(AssertionError)
  })

  it('gets its offset and epoch in place, and the CRC stays right', () => {
    const written = simpleBatch(3)
    patchBatch(written, 0, 2 ** 40, 12)
    expect(batchBaseOffset(written, 0)).toBe(2 ** 40)
    expect(batchLastOffset(written, 0)).toBe(2 ** 40 + 2)
    expect(batchLeaderEpoch(written, 0)).toBe(12)
    expect(batchSizeBytes(written, 0)).toBe(written.length)
    expect(batchMagic(written, 0)).toBe(2)
    expect(isBatchCrcValid(written, 0)).toBe(true)
    expect(readRecords(written, 0)[2]!.offset).toBe(2 ** 40 + 2)
  })

  it('gives every record the append time when the topic wants it', () => {
    const written = simpleBatch(2)
    setLogAppendTime(written, 0, NOW_MS + 77)
    expect(isBatchCrcValid(written, 0)).toBe(true)
    expect(batchMaxTimestamp(written, 0)).toBe(NOW_MS + 77)
    expect(readBatchHeader(written, 0).timestampType).toBe(1)
    const times = readRecords(written, 0).map((each) => each.timestampMs)
    expect(times).toEqual([NOW_MS + 77, NOW_MS + 77])
  })

  it('is found invalid when any byte after the CRC changes', () => {
    const written = simpleBatch(2)
    const missed: number[] = []
    for (let at = 17; at < written.length; at += 1) {
      const changed = Buffer.from(written)
      changed[at]! ^= 0x10
      if (isBatchCrcValid(changed, 0)) missed.push(at)
    }
    expect(missed).toEqual([])
    expect(isBatchCrcValid(written.subarray(0, written.length - 1), 0)).toBe(false)
    expect(isBatchCrcValid(written.subarray(0, 10), 0)).toBe(false)
  })
})

describe('a sequence of batches', () => {
  it('is visited in order and a batch cut at the end is left out', () => {
    const whole = Buffer.concat([simpleBatch(1), simpleBatch(5, { baseOffset: 1, codec: 2 })])
    for (const cutBytes of [0, 1, 17, BATCH_HEADER_BYTES, 100]) {
      const tail = simpleBatch(20).subarray(0, cutBytes)
      const seen: [number, number][] = []
      forEachBatch(Buffer.concat([whole, tail]), (header, position) => {
        seen.push([header.lastOffset, position])
      })
      expect(seen).toEqual([
        [0, 0],
        [5, simpleBatch(1).length],
      ])
    }
  })

  it('is refused when a batch has another magic or an illegal size', () => {
    const legacy = simpleBatch(1)
    legacy[16] = 1
    expect(() => forEachBatch(legacy, () => {})).toThrow(WireError)
    const endless = simpleBatch(1)
    endless.writeInt32BE(-12, 8)
    expect(() => forEachBatch(endless, () => {})).toThrow(WireError)
  })
})

describe('hostile batches', () => {
  it('give records or a WireError when any byte is changed or the end is cut', () => {
    const property = fc.property(
      batch,
      fc.nat(),
      fc.nat(255),
      fc.boolean(),
      (input, at, byte, cut) => {
        const written = writeBatch(input)
        if (cut) valueOrWireError(() => readRecords(written.subarray(0, at % written.length), 0))
        written[at % written.length] = byte
        valueOrWireError(() => readRecords(written, 0))
        valueOrWireError(() => forEachBatch(written, () => {}))
      },
    )
    fc.assert(property, { numRuns: 500 })
  })

  it('are refused when they say more records than can follow', () => {
    const written = simpleBatch(2)
    written.writeInt32BE(0x7fff_ffff, 57)
    expect(() => readRecords(written, 0)).toThrow(/2147483647 records/)
  })

  it('are refused when bytes follow the last record', () => {
    const written = simpleBatch(2)
    written.writeInt32BE(1, 57)
    expect(() => readRecords(written, 0)).toThrow(/after the last record/)
  })

  it('are refused when their codec is unknown', () => {
    const written = simpleBatch(1)
    written[22] = 7
    expect(() => readRecords(written, 0)).toThrow(/codec 7/)
  })

  it('are refused when they are cut inside their header', () => {
    expect(() => readBatchHeader(simpleBatch(1).subarray(0, 60), 0)).toThrow(WireError)
  })
})
