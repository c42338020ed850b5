import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { crc32c } from '../../../../src/wire/crc32c.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import {
  appendMarker,
  appendOk,
  batch,
  flushed,
  NOW_MS,
  openLog,
} from '../../../support/log-world.ts'

const CONFIG = { segmentBytes: 600, indexIntervalBytes: 120 }

function timed(timestamps: readonly number[], codec: 0 | 1 = 0): Buffer {
  return writeBatch({
    records: timestamps.map((timestampMs) => ({ key: null, value: Buffer.alloc(5), timestampMs })),
    timestampMs: NOW_MS,
    codec,
  })
}

/** The answer by looking at every record. */
function naive(
  records: readonly { readonly offset: number; readonly timestampMs: number }[],
  timestampMs: number,
  from: number,
  end: number,
): { readonly offset: number; readonly timestampMs: number } | null {
  const found = records.find((record) => record.offset >= from && record.timestampMs >= timestampMs)
  return found === undefined || found.offset >= end ? null : found
}

describe('search by timestamp', () => {
  const times = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 })
  const history = fc.array(fc.record({ times, isPacked: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  })

  it('finds what a look at every record finds, before and after opening again', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(60), fc.nat(100), async (batches, start, cut) => {
        const disk = new MemoryDisk()
        const log = openLog(disk, { config: CONFIG })
        const records: { offset: number; timestampMs: number }[] = []
        for (const { times, isPacked } of batches) {
          for (const timestampMs of times) records.push({ offset: records.length, timestampMs })
          appendOk(log, timed(times, isPacked ? 1 : 0))
        }
        log.updateHighWatermark(Infinity)
        log.incrementLogStartOffset(Math.min(start, records.length))
        const end = Math.max(0, records.length - cut)
        check(log, records, end)
        check(openLog(disk, { config: CONFIG, logStartOffset: log.logStartOffset }), records, end)
        await flushed(log)
        log.close()
        const options = { recoveryPoint: log.recoveryPoint, isCleanShutdown: true }
        const { logStartOffset } = log
        check(openLog(disk, { config: CONFIG, logStartOffset, ...options }), records, end)
      }),
      { numRuns: 60 },
    )
  })

  function check(
    log: PartitionLog,
    records: readonly { offset: number; timestampMs: number }[],
    end: number,
  ): void {
    for (let timestampMs = 0; timestampMs <= 51; timestampMs += 3) {
      const expected = naive(records, timestampMs, log.logStartOffset, end)
      const found = log.findOffsetByTimestamp(timestampMs, end)
      expect(found === null ? null : { ...found, leaderEpoch: undefined }).toEqual(
        expected === null ? null : { ...expected, leaderEpoch: undefined },
      )
    }
    const seen = records.filter((record) => record.offset >= log.logStartOffset)
    const newest = seen.toSorted((a, b) => b.timestampMs - a.timestampMs || a.offset - b.offset)[0]
    const found = log.maxTimestamp()
    // The newest of a batch may lie before the log start; nothing is found then.
    const isRight = found === null || found.timestampMs === newest?.timestampMs
    expect(isRight).toBe(true)
  }

  it('of the newest record leaves out what lies below the log start', () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    for (const timestampMs of [90, 20, 70, 70, 30]) appendOk(log, timed([timestampMs, 1]))
    log.updateHighWatermark(10)
    expect(log.maxTimestamp()).toMatchObject({ offset: 0, timestampMs: 90 })
    log.incrementLogStartOffset(2)
    expect(log.maxTimestamp()).toMatchObject({ offset: 4, timestampMs: 70 })
    log.incrementLogStartOffset(8)
    expect(log.maxTimestamp()).toMatchObject({ offset: 8, timestampMs: 30 })
  })

  it('tells the epoch of the batch that it found', () => {
    const log = openLog(new MemoryDisk())
    appendOk(log, timed([10, 11]), { leaderEpoch: 2 })
    appendOk(log, timed([12, 30]), { leaderEpoch: 5 })
    expect(log.findOffsetByTimestamp(11, 4)).toEqual({ offset: 1, timestampMs: 11, leaderEpoch: 2 })
    expect(log.findOffsetByTimestamp(13, 4)).toEqual({ offset: 3, timestampMs: 30, leaderEpoch: 5 })
    expect(log.findOffsetByTimestamp(13, 3)).toBeNull()
    expect(log.findOffsetByTimestamp(31, 4)).toBeNull()
    expect(log.maxTimestamp()).toEqual({ offset: 3, timestampMs: 30, leaderEpoch: 5 })
  })

  it('finds nothing in an empty log or one without timestamps', () => {
    const log = openLog(new MemoryDisk())
    expect([log.findOffsetByTimestamp(0, 0), log.maxTimestamp()]).toEqual([null, null])
    appendOk(log, timed([-1, -1]))
    expect([log.findOffsetByTimestamp(0, 2), log.maxTimestamp()]).toEqual([null, null])
  })

  it('finds the first record that is still there after a truncation', () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    for (let index = 0; index < 40; index += 1) appendOk(log, timed([1000 - index, index]))
    expect(log.maxTimestamp()?.timestampMs).toBe(1000)
    log.truncateTo(20)
    expect(log.findOffsetByTimestamp(999, 20)).toMatchObject({ offset: 0, timestampMs: 1000 })
    log.truncateTo(0)
    expect([log.findOffsetByTimestamp(0, 20), log.maxTimestamp()]).toEqual([null, null])
    appendOk(log, timed([7]))
    expect(log.maxTimestamp()).toMatchObject({ offset: 0, timestampMs: 7 })
  })

  it('answers with the batch when its records cannot be read', () => {
    const log = openLog(new MemoryDisk())
    appendOk(log, timed([5]))
    const garbage = batch({ count: 2, valueBytes: 50, timestampMs: 70 })
    garbage.fill(0xff, 61)
    garbage.writeUInt32BE(crc32c(garbage.subarray(21)), 17)
    // No client can write such a batch, but a disk may have it.
    expect(appendMarker(log, garbage).error).toBe(ErrorCode.NONE)
    expect(log.findOffsetByTimestamp(60, 3)).toMatchObject({ offset: 1, timestampMs: 70 })
  })
})
