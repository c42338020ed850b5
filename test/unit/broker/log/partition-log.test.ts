import { describe, expect, it } from 'vitest'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { readPartitionMetadata } from '../../../../broker/log/partition-metadata.ts'
import { CorruptionError } from '../../../../src/base/errors.ts'
import type { NodeEvent } from '../../../../src/ports/events.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { isBatchCrcValid, readBatchHeader } from '../../../../src/wire/record-batch.ts'
import {
  append,
  appendOk,
  batch,
  DIRECTORY,
  filesOf,
  flushed,
  headersOf,
  NOW_MS,
  openLog,
  readAll,
  TOPIC_ID,
} from '../../../support/log-world.ts'

const SMALL = { segmentBytes: 1000, indexIntervalBytes: 100 }
const WHOLE = { maxBytes: 1_000_000, minOneBatch: true, endOffset: Infinity }

describe('a new log', () => {
  it('makes its directory with an empty segment and the topic id', () => {
    const disk = new MemoryDisk()
    const log = openLog(disk)
    expect(disk.list(DIRECTORY)).toEqual(['00000000000000000000.log', 'partition.metadata'])
    expect(filesOf(disk).get('partition.metadata')?.toString()).toBe(
      `version: 0\ntopic_id: ${TOPIC_ID}`,
    )
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([0, 0, 0])
    expect([log.latestEpoch, log.recoveryPoint, log.sizeBytes]).toEqual([-1, 0, 0])
    expect(log.lastStableOffset).toBe(0)
  })

  it('starts at the log start that the caller stored', () => {
    const log = openLog(new MemoryDisk(), { logStartOffset: 70 })
    expect([log.logStartOffset, log.logEndOffset]).toEqual([70, 70])
    expect(appendOk(log, batch())).toBe(70)
  })

  it('refuses the directory of another topic id', () => {
    const disk = new MemoryDisk()
    openLog(disk).close()
    expect(() => openLog(disk, { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' })).toThrow(CorruptionError)
  })
})

describe('append as leader', () => {
  it('gives a batch the next offsets and the epoch, outside of its CRC', () => {
    const log = openLog(new MemoryDisk())
    appendOk(log, batch({ count: 3 }), { leaderEpoch: 4 })
    const sent = batch({ count: 2 })
    const result = append(log, sent, { leaderEpoch: 4 })
    expect(result).toEqual({
      error: ErrorCode.NONE,
      message: null,
      recordErrors: [],
      baseOffset: 3,
      lastOffset: 4,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      isDuplicate: false,
    })
    const { records } = log.read({ offset: 3, ...WHOLE })
    expect(records).toEqual(sent)
    expect(readBatchHeader(records, 0)).toMatchObject({ baseOffset: 3, partitionLeaderEpoch: 4 })
    expect(isBatchCrcValid(records, 0)).toBe(true)
    expect([log.logEndOffset, log.latestEpoch]).toEqual([5, 4])
  })

  it('sets the append time and a new CRC on a LogAppendTime topic', () => {
    const log = openLog(new MemoryDisk(), { config: { messageTimestampType: 'LogAppendTime' } })
    const sent = batch({ timestampMs: 5, count: 2 })
    const result = append(log, sent, { nowMs: 123_456 })
    expect(result.logAppendTimeMs).toBe(123_456)
    const { records } = log.read({ offset: 0, ...WHOLE })
    expect(isBatchCrcValid(records, 0)).toBe(true)
    expect(readBatchHeader(records, 0)).toMatchObject({ maxTimestamp: 123_456, timestampType: 1 })
    expect(readAll(log).map((record) => record.timestampMs)).toEqual([123_456, 123_456])
    expect(log.maxTimestamp()).toEqual({ offset: 0, timestampMs: 123_456, leaderEpoch: 0 })
  })

  it('takes several batches of the node itself, control batches among them', () => {
    const log = openLog(new MemoryDisk())
    const control = batch({ isControl: true })
    const records = Buffer.concat([batch({ count: 2 }), control, batch()])
    const result = log.appendAsLeader(records, { leaderEpoch: 1, nowMs: NOW_MS, origin: 'raft' })
    expect(result).toMatchObject({ error: ErrorCode.NONE, baseOffset: 0, lastOffset: 3 })
    const read = log.read({ offset: 0, ...WHOLE }).records
    expect(headersOf(read).map((header) => header.baseOffset)).toEqual([0, 2, 3])
    expect(headersOf(read).every((header) => header.partitionLeaderEpoch === 1)).toBe(true)
  })

  it('refuses bytes of the node itself that are no batches, or are too large', () => {
    const log = openLog(new MemoryDisk(), { config: { maxMessageBytes: 200 } })
    const options = { leaderEpoch: 0, nowMs: NOW_MS }
    const cut = batch().subarray(0, 70)
    const large = batch({ valueBytes: 300 })
    const coordinator = { ...options, origin: 'coordinator' } as const
    expect(log.appendAsLeader(cut, coordinator).error).toBe(ErrorCode.INVALID_RECORD)
    expect(log.appendAsLeader(Buffer.alloc(0), coordinator).error).toBe(ErrorCode.INVALID_RECORD)
    expect(log.appendAsLeader(large, coordinator).error).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(log.appendAsLeader(large, { ...options, origin: 'raft' }).error).toBe(ErrorCode.NONE)
  })

  it('stops the node when an older epoch appends', () => {
    const log = openLog(new MemoryDisk())
    log.startEpoch(5, 0)
    expect(() => append(log, batch(), { leaderEpoch: 4 })).toThrow(/epoch 4 after epoch 5/)
  })
})

describe('append as follower', () => {
  function replicate(count: number): { readonly leader: PartitionLog; readonly records: Buffer } {
    const leader = openLog(new MemoryDisk())
    for (let index = 0; index < count; index += 1) {
      appendOk(leader, batch({ count: 2, text: `${index}-` }), { leaderEpoch: index })
    }
    return { leader, records: leader.read({ offset: 0, ...WHOLE }).records }
  }

  it('keeps the offsets, epochs and bytes of the leader', () => {
    const { records } = replicate(5)
    const log = openLog(new MemoryDisk(), { config: SMALL })
    const before = Buffer.from(records)
    const result = log.appendAsFollower(records, NOW_MS)
    expect(result).toEqual({ error: ErrorCode.NONE, message: null, logEndOffset: 10 })
    expect(records).toEqual(before)
    expect(log.epochEntries.map((entry) => [entry.epoch, entry.startOffset])).toEqual([
      [0, 0],
      [1, 2],
      [2, 4],
      [3, 6],
      [4, 8],
    ])
    expect(log.read({ offset: 0, ...WHOLE }).records).toEqual(before)
  })

  it('rolls between the batches of one append as the leader does', () => {
    const { records } = replicate(30)
    const log = openLog(new MemoryDisk(), { config: SMALL })
    log.appendAsFollower(records, NOW_MS)
    expect(log.segmentBaseOffsets.length).toBeGreaterThan(2)
    expect(readAll(log).map((record) => record.offset)).toEqual(
      Array.from({ length: 60 }, (_, index) => index),
    )
  })

  it('leaves out a batch that is cut at the end', () => {
    const { records } = replicate(3)
    const log = openLog(new MemoryDisk())
    expect(log.appendAsFollower(records.subarray(0, -1), NOW_MS).logEndOffset).toBe(4)
    expect(log.appendAsFollower(Buffer.alloc(0), NOW_MS).error).toBe(ErrorCode.NONE)
  })

  it('takes nothing when one of the batches is corrupt', () => {
    const { records } = replicate(3)
    const broken = Buffer.from(records)
    broken[broken.length - 3]! ^= 1
    const log = openLog(new MemoryDisk())
    expect(log.appendAsFollower(broken, NOW_MS).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(log.appendAsFollower(Buffer.alloc(100), NOW_MS).error).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect([log.logEndOffset, log.sizeBytes]).toEqual([0, 0])
  })

  it('leaves out what is of a later epoch than the leader, whose CRC is right all the same', () => {
    const { records } = replicate(3)
    const log = openLog(new MemoryDisk())
    const last = log.appendAsFollower(records, NOW_MS, 1)
    expect(last).toEqual({ error: ErrorCode.NONE, message: null, logEndOffset: 4 })
    const third = records.subarray(headersOf(records)[2]!.position)
    expect(log.appendAsFollower(third, NOW_MS, 1)).toMatchObject({
      error: ErrorCode.CORRUPT_MESSAGE,
      message: 'The batch of 4 is of epoch 2, after epoch 1',
    })
    expect([log.logEndOffset, log.latestEpoch]).toEqual([4, 1])
    expect(log.appendAsFollower(third, NOW_MS, 2).logEndOffset).toBe(6)
  })

  it('refuses batches that do not continue at the log end', () => {
    const { records } = replicate(3)
    const second = records.subarray(headersOf(records)[1]!.position)
    const log = openLog(new MemoryDisk())
    expect(log.appendAsFollower(second, NOW_MS).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    log.appendAsFollower(records, NOW_MS)
    expect(log.appendAsFollower(records, NOW_MS).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.logEndOffset).toBe(6)
  })

  it('takes gaps on a compacted topic and reads over them', () => {
    const { records } = replicate(3)
    const headers = headersOf(records)
    const gappy = Buffer.concat([
      records.subarray(0, headers[1]!.position),
      records.subarray(headers[2]!.position),
    ])
    const log = openLog(new MemoryDisk(), { config: { cleanupPolicy: ['compact'] } })
    expect(log.appendAsFollower(gappy, NOW_MS).logEndOffset).toBe(6)
    expect(log.read({ offset: 2, ...WHOLE }).firstOffset).toBe(4)
  })
})

describe('read', () => {
  function filled(): PartitionLog {
    const log = openLog(new MemoryDisk())
    for (let index = 0; index < 4; index += 1) appendOk(log, batch({ count: 5 }))
    return log
  }

  it('returns whole batches from the one that holds the offset', () => {
    const read = filled().read({ offset: 7, ...WHOLE })
    expect(read).toMatchObject({ error: ErrorCode.NONE, firstOffset: 5 })
    expect(headersOf(read.records).map((header) => header.baseOffset)).toEqual([5, 10, 15])
  })

  it('leaves out batches that do not fit, but for the first when one is asked for', () => {
    const log = filled()
    const size = log.sizeBytes / 4
    const bases = (maxBytes: number, minOneBatch: boolean): number[] =>
      headersOf(log.read({ offset: 0, maxBytes, minOneBatch, endOffset: Infinity }).records).map(
        (header) => header.baseOffset,
      )
    expect(bases(size * 2, false)).toEqual([0, 5])
    expect(bases(size * 2 + 5, false)).toEqual([0, 5])
    expect(bases(size - 1, false)).toEqual([])
    expect(bases(size - 1, true)).toEqual([0])
    expect(bases(0, true)).toEqual([0])
    expect(bases(0, false)).toEqual([])
    expect(bases(-1, false)).toEqual([])
  })

  it('shows no batch that reaches the end of what may be seen', () => {
    const log = filled()
    const bases = (offset: number, endOffset: number): number[] =>
      headersOf(log.read({ offset, maxBytes: 10_000, minOneBatch: true, endOffset }).records).map(
        (header) => header.baseOffset,
      )
    expect(bases(0, 10)).toEqual([0, 5])
    expect(bases(0, 9)).toEqual([0])
    expect(bases(0, 4)).toEqual([])
    expect(bases(10, 10)).toEqual([])
    expect(bases(15, 20)).toEqual([15])
  })

  it('is empty at the end and out of range beyond it and below the start', () => {
    const log = filled()
    log.updateHighWatermark(20)
    log.incrementLogStartOffset(6)
    expect(log.read({ offset: 20, ...WHOLE })).toMatchObject({
      error: ErrorCode.NONE,
      records: Buffer.alloc(0),
      firstOffset: 20,
    })
    expect(log.read({ offset: 21, ...WHOLE }).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.read({ offset: 5, ...WHOLE }).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.read({ offset: 6, ...WHOLE }).firstOffset).toBe(5)
  })

  it('sees at once what was appended, also where an earlier read ended', () => {
    const log = openLog(new MemoryDisk())
    for (let index = 0; index < 20; index += 1) {
      appendOk(log, batch({ text: `${index}-` }))
      expect(readAll(log, index).map((record) => record.value?.toString())).toEqual([
        `${index}-0`.padEnd(10, '.'),
      ])
    }
  })

  it('answers KAFKA_STORAGE_ERROR when the disk cannot read', () => {
    const node = new SimWorld({ seed: 1 }).node('n')
    const log = openLog(node.ports.disk)
    appendOk(log, batch())
    node.disk.failNext('read', 'EIO')
    expect(log.read({ offset: 0, ...WHOLE }).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(log.read({ offset: 0, ...WHOLE }).error).toBe(ErrorCode.NONE)
  })
})

describe('segments', () => {
  it('roll when the next batch would not fit', () => {
    const log = openLog(new MemoryDisk(), { config: SMALL })
    for (let index = 0; index < 40; index += 1) appendOk(log, batch())
    const size = batch().length
    const perSegment = Math.floor(1000 / size)
    expect(log.segmentBaseOffsets).toEqual(
      Array.from({ length: Math.ceil(40 / perSegment) }, (_, index) => index * perSegment),
    )
    expect(log.sizeBytes).toBe(40 * size)
    expect(readAll(log).length).toBe(40)
  })

  it('roll when the first record of the segment is older than segment.ms', () => {
    const log = openLog(new MemoryDisk(), { config: { segmentMs: 1000 } })
    for (const afterMs of [0, 1000, 1001, 1500, 2002]) {
      appendOk(log, batch({ timestampMs: NOW_MS + afterMs }))
    }
    expect(log.segmentBaseOffsets).toEqual([0, 2, 4])
  })

  it('roll by the time since they were made when records have no timestamp', () => {
    const log = openLog(new MemoryDisk(), { config: { segmentMs: 1000 } })
    appendOk(log, batch({ timestampMs: -1 }), { nowMs: NOW_MS })
    appendOk(log, batch({ timestampMs: -1 }), { nowMs: NOW_MS + 1000 })
    appendOk(log, batch({ timestampMs: -1 }), { nowMs: NOW_MS + 1001 })
    expect(log.segmentBaseOffsets).toEqual([0, 2])
  })

  it('roll when an index is full', () => {
    const config = { indexIntervalBytes: 0, segmentIndexBytes: 48 }
    const log = openLog(new MemoryDisk(), { config })
    for (let index = 0; index < 12; index += 1) {
      appendOk(log, batch({ timestampMs: NOW_MS + index }))
    }
    expect(log.segmentBaseOffsets).toEqual([0, 4, 8])
  })

  it('keep the offsets of a batch larger than index entries can tell', () => {
    const log = openLog(new MemoryDisk())
    const options = { leaderEpoch: 0, nowMs: NOW_MS, origin: 'raft' } as const
    const huge = batch()
    huge.writeInt32BE(0x7fff_fff0, 23)
    log.appendAsLeader(huge, options)
    log.appendAsLeader(batch({ count: 20 }), options)
    expect(log.segmentBaseOffsets).toEqual([0, 0x7fff_fff1])
  })
})

describe('close and open', () => {
  it('goes on where it was after a clean stop', async () => {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: SMALL })
    for (let index = 0; index < 25; index += 1) appendOk(log, batch({ text: `${index}-` }))
    const records = readAll(log)
    await flushed(log)
    const recoveryPoint = log.recoveryPoint
    log.close()
    log.close()
    const again = openLog(disk, { config: SMALL, recoveryPoint, isCleanShutdown: true })
    expect(readAll(again)).toEqual(records)
    expect([again.logEndOffset, again.recoveryPoint]).toEqual([25, 25])
    expect(again.segmentBaseOffsets).toEqual(log.segmentBaseOffsets)
    expect(appendOk(again, batch())).toBe(25)
  })

  it('takes nothing after it was closed', () => {
    const log = openLog(new MemoryDisk())
    log.close()
    expect(() => append(log, batch())).toThrow(/closed/)
    expect(() => log.flush(() => undefined)).toThrow(/closed/)
  })

  it('leaves its files to whoever abandons it', () => {
    const disk = new MemoryDisk()
    const log = openLog(disk)
    appendOk(log, batch())
    log.abandon()
    expect(() => append(log, batch())).toThrow(/closed/)
    expect(openLog(disk).logEndOffset).toBe(1)
  })
})

describe('flush', () => {
  it('moves the recovery point to where the log ended when it was asked for', async () => {
    const log = openLog(new MemoryDisk())
    appendOk(log, batch({ count: 3 }))
    const first = flushed(log)
    appendOk(log, batch())
    expect(log.recoveryPoint).toBe(0)
    await first
    expect(log.recoveryPoint).toBe(3)
    await flushed(log)
    expect(log.recoveryPoint).toBe(4)
  })

  it('makes the topic id durable with the first records', () => {
    const world = new SimWorld({ seed: 1 })
    const node = world.node('n')
    const log = openLog(node.ports.disk)
    appendOk(log, batch())
    log.flush(() => undefined)
    world.runFor(100)
    expect(log.recoveryPoint).toBe(1)
    node.crash({ losesUnsynced: true })
    const { disk } = node.restart()
    expect(readPartitionMetadata(disk, DIRECTORY)).toBe(log.topicId)
    expect(openLog(disk, { recoveryPoint: 1 }).logEndOffset).toBe(1)
  })

  it('says nothing about what replaces a tail that was cut meanwhile', async () => {
    const log = openLog(new MemoryDisk())
    for (let index = 0; index < 5; index += 1) appendOk(log, batch())
    const running = flushed(log)
    log.truncateTo(2)
    for (let index = 0; index < 5; index += 1) appendOk(log, batch())
    await running
    expect(log.recoveryPoint).toBe(2)
  })

  it('survives that its segments are removed meanwhile', async () => {
    const log = openLog(new MemoryDisk(), { config: SMALL })
    for (let index = 0; index < 40; index += 1) appendOk(log, batch())
    const running = flushed(log)
    log.truncateFullyAndStartAt(10)
    appendOk(log, batch())
    await running
    expect([log.recoveryPoint, log.logEndOffset]).toEqual([10, 11])
  })

  it('takes the log offline when a sync fails, however well the next would go', () => {
    const world = new SimWorld({ seed: 1 })
    const node = world.node('n')
    const seen: NodeEvent[] = []
    const log = openLog(node.ports.disk, { seen })
    appendOk(log, batch())
    const errors: (string | null)[] = []
    node.disk.failNext('fsync', 'EIO')
    log.flush((error) => errors.push(error))
    world.runFor(100)
    expect(errors).toEqual(['EIO'])
    expect([log.recoveryPoint, log.hasFailed]).toEqual([0, true])
    expect(seen.map((event) => event.kind)).toContain('log.flush-failed')
    log.flush((error) => errors.push(error))
    world.runFor(100)
    expect(errors).toEqual(['EIO', 'EIO'])
    expect(append(log, batch()).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(log.appendAsFollower(batch(), NOW_MS).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(readAll(log).length).toBe(1)
  })
})

describe('a full disk', () => {
  it('refuses the append, changes nothing, and goes on when there is room again', () => {
    const disk = new MemoryDisk()
    const seen: NodeEvent[] = []
    const log = openLog(disk, { config: SMALL, seen })
    for (let index = 0; index < 5; index += 1) appendOk(log, batch())
    const before = log.sizeBytes
    disk.capacityBytes = disk.usedBytes() + 10
    const result = append(log, batch())
    expect(result).toMatchObject({ error: ErrorCode.KAFKA_STORAGE_ERROR, baseOffset: -1 })
    expect([log.logEndOffset, log.sizeBytes, log.hasFailed]).toEqual([5, before, false])
    expect(readAll(log).length).toBe(5)
    expect(seen.map((event) => event.kind)).toContain('log.storage-error')
    disk.capacityBytes = Infinity
    expect(appendOk(log, batch())).toBe(5)
    expect(readAll(log).length).toBe(6)
  })

  it('leaves a log that opens again, whatever write was the one that failed', () => {
    for (let room = 0; room < 2500; room += 37) {
      const disk = new MemoryDisk()
      const log = openLog(disk, { config: SMALL })
      disk.capacityBytes = disk.usedBytes() + room
      let accepted = 0
      for (let index = 0; index < 30; index += 1) {
        const result = append(log, batch({ text: `${accepted}-` }), { leaderEpoch: index >> 2 })
        if (result.error === ErrorCode.NONE) accepted += 1
      }
      disk.capacityBytes = Infinity
      appendOk(log, batch({ text: `${accepted}-` }), { leaderEpoch: 9 })
      const values = readAll(log).map((record) => record.value?.toString())
      expect(values).toEqual(
        Array.from({ length: accepted + 1 }, (_, index) => `${index}-0`.padEnd(10, '.')),
      )
      const again = openLog(disk, { config: SMALL })
      expect(readAll(again).map((record) => record.value?.toString())).toEqual(values)
      expect(again.logEndOffset).toBe(log.logEndOffset)
    }
  })
})
