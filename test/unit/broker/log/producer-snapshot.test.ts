import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import {
  decodeSnapshot,
  encodeSnapshot,
  ProducerSnapshots,
  type ProducerSnapshot,
} from '../../../../broker/log/producer-snapshot.ts'
import { DIRECTORY, overwrite } from '../../../support/log-world.ts'

const ENTRY: ProducerSnapshot = {
  producerId: 5,
  producerEpoch: 3,
  lastSequence: 799,
  lastOffset: 1599,
  offsetDelta: 2,
  lastTimestampMs: 1_700_000_000_000,
  coordinatorEpoch: -1,
  currentTxnFirstOffset: -1,
}

describe('a producer snapshot', () => {
  // kafka-dump-log 4.3.1 reads such files of several producers; an entry has 46 bytes, not 50.
  it('has a header of 10 bytes and 46 for each producer', () => {
    const bytes = encodeSnapshot([ENTRY, { ...ENTRY, producerId: 6 }])
    expect(bytes.length).toBe(10 + 2 * 46)
    expect(bytes.subarray(6, 56).toString('hex')).toBe(
      [
        '00000002',
        '0000000000000005',
        '0003',
        '0000031f',
        '000000000000063f',
        '00000002',
        '0000018bcfe56800',
        'ffffffff',
        'ffffffffffffffff',
      ].join(''),
    )
    expect(bytes.readInt16BE(0)).toBe(1)
  })

  it('gives back what it was made of', () => {
    const offset = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })
    const entry = fc.record({
      producerId: fc.nat(Number.MAX_SAFE_INTEGER),
      producerEpoch: fc.integer({ min: 0, max: 32767 }),
      lastSequence: fc.integer({ min: -1, max: 0x7fffffff }),
      lastOffset: offset,
      offsetDelta: fc.nat(0x7fffffff),
      lastTimestampMs: offset,
      coordinatorEpoch: fc.integer({ min: -1, max: 0x7fffffff }),
      currentTxnFirstOffset: offset,
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        expect(decodeSnapshot(encodeSnapshot(entries))).toEqual(entries)
      }),
    )
  })

  it('is as good as none when it is torn, damaged or of another version', () => {
    const bytes = encodeSnapshot([ENTRY, ENTRY])
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeSnapshot(bytes.subarray(0, length))).toBeNull()
    }
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeSnapshot(damaged)).toBeNull()
    }
  })
})

describe('the snapshots of a partition', () => {
  it('give the newest that can be read at or below an offset, and lose the damaged', () => {
    const disk = new MemoryDisk()
    const snapshots = new ProducerSnapshots(disk, DIRECTORY)
    for (const offset of [10, 20, 30]) {
      snapshots.write(offset, [{ ...ENTRY, lastOffset: offset - 1 }])
    }
    overwrite(disk, `${DIRECTORY}/00000000000000000020.snapshot`, Buffer.from('torn'))
    expect(snapshots.newest(35)?.offset).toBe(30)
    expect(snapshots.newest(29)).toMatchObject({ offset: 10, entries: [{ lastOffset: 9 }] })
    expect(snapshots.newest(9)).toBeNull()
    expect(snapshots.offsets).toEqual([10, 30])
    expect(new ProducerSnapshots(disk, DIRECTORY).offsets).toEqual([10, 30])
  })
})
