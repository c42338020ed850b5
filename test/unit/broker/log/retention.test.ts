import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import { liveStateOf, rebuiltStateOf } from '../../../../broker/log/log-state.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import {
  appendOk,
  batch,
  DIRECTORY,
  filesOf,
  NOW_MS,
  openLog,
  readAll,
} from '../../../support/log-world.ts'

const SIZE = batch().length
/** Two batches to a segment. */
const CONFIG = { segmentBytes: 2 * SIZE, retentionMs: -1 }

/** Ten batches a second apart in five segments, all committed. */
function filled(config: Partial<LogConfig>, disk = new MemoryDisk()): PartitionLog {
  const log = openLog(disk, { config: { ...CONFIG, ...config } })
  for (let index = 0; index < 10; index += 1) {
    const timestampMs = NOW_MS + index * 1000
    appendOk(log, batch({ timestampMs }), { leaderEpoch: index, nowMs: timestampMs })
  }
  log.updateHighWatermark(10)
  return log
}

describe('retention', () => {
  it('drops segments whose newest record is too old, and their files', () => {
    const disk = new MemoryDisk()
    const log = filled({ retentionMs: 5000 }, disk)
    expect(log.deleteOldSegments(NOW_MS + 8000)).toBe(1)
    expect(log.deleteOldSegments(NOW_MS + 8001)).toBe(1)
    expect(log.deleteOldSegments(NOW_MS + 8001)).toBe(0)
    expect([log.logStartOffset, log.segmentBaseOffsets[0]]).toEqual([4, 4])
    expect(readAll(log).map((record) => record.offset)).toEqual([4, 5, 6, 7, 8, 9])
    expect(log.read({ offset: 3, maxBytes: 9, minOneBatch: true, endOffset: 10 }).error).toBe(
      ErrorCode.OFFSET_OUT_OF_RANGE,
    )
    expect(disk.list(DIRECTORY).filter((name) => /^0+[0-3]\./.test(name))).toEqual([])
    expect(log.epochEntries[0]).toEqual({ epoch: 4, startOffset: 4 })
  })

  it('rolls first when the active segment is too old as well, so one is left', () => {
    const log = filled({ retentionMs: 5000 })
    expect(log.deleteOldSegments(NOW_MS + 1_000_000)).toBe(5)
    expect([log.logStartOffset, log.logEndOffset, log.sizeBytes]).toEqual([10, 10, 0])
    expect(log.segmentBaseOffsets).toEqual([10])
    expect(log.latestEpoch).toBe(9)
    expect(log.deleteOldSegments(NOW_MS + 2_000_000)).toBe(0)
    expect(appendOk(log, batch(), { leaderEpoch: 9 })).toBe(10)
  })

  it('drops what exceeds the size, but never below it', () => {
    const log = filled({ retentionBytes: 7 * SIZE })
    expect(log.deleteOldSegments(NOW_MS)).toBe(1)
    expect(log.sizeBytes).toBe(8 * SIZE)
    const other = filled({ retentionBytes: 0 })
    expect(other.deleteOldSegments(NOW_MS)).toBe(5)
    expect(other.logStartOffset).toBe(10)
  })

  it('never touches what is not below the high watermark', () => {
    const log = filled({ retentionBytes: 0 })
    const slow = openLog(new MemoryDisk(), { config: { ...CONFIG, retentionBytes: 0 } })
    for (let index = 0; index < 10; index += 1) appendOk(slow, batch())
    expect(slow.deleteOldSegments(NOW_MS)).toBe(0)
    slow.updateHighWatermark(5)
    expect(slow.deleteOldSegments(NOW_MS)).toBe(2)
    expect(slow.logStartOffset).toBe(4)
    expect(log.deleteOldSegments(NOW_MS)).toBe(5)
  })

  it('drops segments below the log start whatever the policy', () => {
    const log = filled({ cleanupPolicy: ['compact'], retentionMs: 0, retentionBytes: 0 })
    expect(log.deleteOldSegments(NOW_MS + 1_000_000)).toBe(0)
    expect(log.incrementLogStartOffset(5)).toBe(ErrorCode.NONE)
    expect(log.deleteOldSegments(NOW_MS)).toBe(2)
    expect([log.logStartOffset, log.segmentBaseOffsets[0]]).toEqual([5, 4])
    const none = filled({ cleanupPolicy: [], retentionMs: 0 })
    expect(none.deleteOldSegments(NOW_MS + 1_000_000)).toBe(0)
  })

  it('keeps everything without limits', () => {
    expect(filled({ retentionBytes: -1 }).deleteOldSegments(NOW_MS + 1e12)).toBe(0)
  })

  it('counts records without a timestamp from when their segment was opened', () => {
    const log = openLog(new MemoryDisk(), { config: { ...CONFIG, retentionMs: 5000 } })
    for (let index = 0; index < 4; index += 1) appendOk(log, batch({ timestampMs: -1 }))
    log.updateHighWatermark(4)
    expect(log.deleteOldSegments(NOW_MS + 5000)).toBe(0)
    expect(log.deleteOldSegments(NOW_MS + 5001)).toBe(2)
  })
})

describe('what producers did in segments that retention drops', () => {
  const fromProducer = (producerId: number, baseSequence: number): Buffer =>
    batch({ producerId, producerEpoch: 0, baseSequence })

  /** Producer 1 is silent after offset 2; 2 goes on. */
  function produced(disk: MemoryDisk): PartitionLog {
    const log = openLog(disk, { config: { ...CONFIG, segmentBytes: 5 * SIZE } })
    for (const sequence of [0, 1, 2]) appendOk(log, fromProducer(1, sequence))
    for (const sequence of [0, 1, 2, 3]) appendOk(log, fromProducer(2, sequence))
    return log
  }

  function expectKept(log: PartitionLog, disk: MemoryDisk, dropped: number): void {
    log.updateHighWatermark(log.logEndOffset)
    log.updateConfig({ ...log.config, retentionBytes: 1 })
    const entries = log.producerEntries()
    expect(entries.map(({ producerId }) => producerId)).toEqual([1, 2])
    expect(log.deleteOldSegments(NOW_MS)).toBe(dropped)
    expect(rebuiltStateOf(log)).toBe(liveStateOf(log))
    expect(openLog(disk, { config: CONFIG }).producerEntries()).toEqual(entries)
  }

  it('outlives a restart when they were dropped after a truncation, which begins a segment of its own', () => {
    const disk = new MemoryDisk()
    const log = produced(disk)
    log.truncateTo(4)
    appendOk(log, fromProducer(2, 1), { leaderEpoch: 1 })
    appendOk(log, fromProducer(2, 2), { leaderEpoch: 1 })
    expect(log.segmentBaseOffsets).toEqual([0, 4])
    expectKept(log, disk, 1)
  })

  it('outlives a restart when they were dropped after a recovery', () => {
    const disk = new MemoryDisk()
    produced(disk)
    const log = openLog(disk, { config: CONFIG })
    expect(log.segmentBaseOffsets).toEqual([0, 5])
    expectKept(log, disk, 1)
  })
})

describe('the log start', () => {
  it('rises up to the high watermark and never falls', () => {
    const log = filled({})
    log.updateHighWatermark(6)
    expect(log.incrementLogStartOffset(7)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.incrementLogStartOffset(6)).toBe(ErrorCode.NONE)
    expect(log.incrementLogStartOffset(2)).toBe(ErrorCode.NONE)
    expect(log.logStartOffset).toBe(6)
    expect(log.epochEntries[0]).toEqual({ epoch: 6, startOffset: 6 })
    log.updateHighWatermark(0)
    expect(log.highWatermark).toBe(6)
  })

  it('goes down with the log when that is cut below it', () => {
    const log = filled({})
    log.incrementLogStartOffset(8)
    log.truncateTo(6)
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([6, 6, 6])
    log.truncateFullyAndStartAt(3)
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([3, 3, 3])
  })
})

describe('producer snapshots', () => {
  it('stay only where a segment begins, and the newest', () => {
    const disk = new MemoryDisk()
    const log = filled({ retentionBytes: 5 * SIZE }, disk)
    const snapshots = (): readonly number[] =>
      [...filesOf(disk).keys()]
        .filter((name) => name.endsWith('.snapshot'))
        .map((name) => Number.parseInt(name, 10))
    expect(snapshots()).toEqual([2, 4, 6, 8])
    log.deleteOldSegments(NOW_MS)
    expect(snapshots()).toEqual([4, 6, 8])
    log.truncateTo(7)
    expect(snapshots()).toEqual([4, 6])
    log.close()
    expect(snapshots()).toEqual([4, 6, 7])
  })
})
