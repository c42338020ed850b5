import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { committedBatches } from '../../../../../broker/controller/quorum/committed-batch.ts'
import { leaderChangeBatch } from '../../../../../broker/controller/quorum/leader-change.ts'
import { RaftLog } from '../../../../../broker/controller/quorum/raft-log.ts'
import { CommittedLossError, DiskError, WireError } from '../../../../../src/base/errors.ts'
import { SimWorld } from '../../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../../src/wire/error-codes.ts'
import { encodeMetadataRecord, metadataRecord } from '../../../../../src/wire/metadata-record.ts'
import { writeBatch } from '../../../../../src/wire/record-batch.ts'
import { openMetadataLog } from '../../../../support/metadata-log.ts'

function open(world: SimWorld, name: string) {
  const { ports } = world.node(name)
  const flushed: (Error | null)[] = []
  const raftLog = new RaftLog({
    log: openMetadataLog(ports),
    clock: ports.clock,
    events: ports.events,
    onFlushed: (error) => flushed.push(error),
  })
  return { raftLog, flushed }
}

function batchOf(...names: readonly string[]): Buffer {
  const records = names.map((name) => ({
    key: null,
    value: encodeMetadataRecord(metadataRecord('TopicRecord', { name })),
  }))
  return writeBatch({ records, timestampMs: 0 })
}

/** A log that holds one record in each of these epochs. */
function logOf(world: SimWorld, name: string, epochs: readonly number[]): RaftLog {
  const { raftLog } = open(world, name)
  for (const epoch of epochs) raftLog.appendAsLeader(batchOf(`of epoch ${epoch}`), epoch)
  return raftLog
}

/** Copies a log as a follower does: fetch, truncate where the two part, append; returns the rounds it took. */
function copy(leader: RaftLog, follower: RaftLog): number {
  for (let round = 1; round <= 50; round += 1) {
    const divergence = leader.divergenceFrom(follower.endOffset, follower.lastEpoch)
    if (divergence !== null) {
      follower.truncateTo(divergence)
    } else if (follower.endOffset === leader.endOffset) {
      return round
    } else {
      const bytes = leader.read(follower.endOffset, leader.endOffset, 1)
      const errorCode = follower.appendAsFollower(Buffer.from(bytes), leader.lastEpoch)
      if (errorCode !== ErrorCode.NONE) throw new Error(`refused with ${errorCode}`)
    }
  }
  throw new Error('the logs do not converge')
}

function rising(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}

/** All bytes of a log; one read may stop early. */
function whole(log: RaftLog): Buffer {
  const parts: Buffer[] = []
  for (let offset = 0; offset < log.endOffset;) {
    const part = log.read(offset, log.endOffset, 1_000_000)
    parts.push(part)
    offset = committedBatches(part).at(-1)!.lastOffset + 1
  }
  return Buffer.concat(parts)
}

describe('durability of the metadata log', () => {
  it('comes with the fsync, one for all that was appended before it', () => {
    const world = new SimWorld({ seed: 1 })
    const { raftLog, flushed } = open(world, 'a')
    expect(raftLog.appendAsLeader(batchOf('1'), 1)).toBe(0)
    raftLog.appendAsLeader(batchOf('2', '3'), 1)
    raftLog.appendAsLeader(batchOf('4'), 1)
    expect([raftLog.endOffset, raftLog.durableEnd]).toEqual([4, 0])
    world.runUntil(() => flushed.length === 1, 100)
    expect(raftLog.durableEnd).toBe(1)
    world.runFor(100)
    expect([raftLog.durableEnd, flushed]).toEqual([4, [null, null]])
  })

  it('does not hold for what is found at the start, before an fsync of this life', () => {
    const world = new SimWorld({ seed: 1 })
    open(world, 'a').raftLog.appendAsLeader(batchOf('1'), 1)
    world.node('a').crash()
    world.node('a').restart()
    const { raftLog } = open(world, 'a')
    expect([raftLog.endOffset, raftLog.durableEnd, raftLog.highWatermark]).toEqual([1, 0, 0])
    raftLog.flush()
    world.runFor(100)
    expect(raftLog.durableEnd).toBe(1)
  })

  it('is not claimed by an fsync that began before a truncation', () => {
    const world = new SimWorld({ seed: 1 })
    const { raftLog } = open(world, 'a')
    raftLog.appendAsLeader(batchOf('1', '2', '3'), 1)
    raftLog.appendAsLeader(batchOf('4'), 2)
    raftLog.truncateTo({ epoch: 1, endOffset: 0 })
    raftLog.appendAsLeader(batchOf('5'), 3)
    expect(raftLog.durableEnd).toBe(0)
    world.runFor(100)
    expect([raftLog.endOffset, raftLog.durableEnd]).toEqual([1, 1])
  })

  it('is given up when an fsync fails', () => {
    const world = new SimWorld({ seed: 1 })
    const { raftLog, flushed } = open(world, 'a')
    world.node('a').disk.failNext('fsync', 'EIO')
    raftLog.appendAsLeader(batchOf('1'), 1)
    world.runFor(100)
    expect(raftLog.durableEnd).toBe(0)
    expect(flushed[0]).toBeInstanceOf(DiskError)
    expect(() => raftLog.appendAsLeader(batchOf('2'), 1)).toThrow(DiskError)
  })
})

describe('the high watermark of the metadata log', () => {
  it('never goes back and never passes the end', () => {
    const world = new SimWorld({ seed: 1 })
    const raftLog = logOf(world, 'a', [1, 1, 1])
    expect(raftLog.updateHighWatermark(2)).toBe(true)
    expect(raftLog.updateHighWatermark(1)).toBe(false)
    expect(raftLog.updateHighWatermark(-1)).toBe(false)
    expect(raftLog.updateHighWatermark(9)).toBe(true)
    expect(raftLog.highWatermark).toBe(3)
  })

  it('stops a truncation that would lose what is committed', () => {
    const world = new SimWorld({ seed: 1 })
    const raftLog = logOf(world, 'a', [1, 1, 2])
    raftLog.updateHighWatermark(2)
    expect(() => raftLog.truncateTo({ epoch: 1, endOffset: 1 })).toThrow(CommittedLossError)
    expect(raftLog.endOffset).toBe(3)
    raftLog.truncateTo({ epoch: 1, endOffset: 2 })
    expect(raftLog.endOffset).toBe(2)
  })
})

describe('two metadata logs', () => {
  it('part where epochs and offsets stop to agree', () => {
    const world = new SimWorld({ seed: 1 })
    const leader = logOf(world, 'a', [1, 1, 3, 3, 5])
    expect(leader.divergenceFrom(0, 0)).toBeNull()
    expect(leader.divergenceFrom(4, 3)).toBeNull()
    expect(leader.divergenceFrom(5, 3)).toEqual({ epoch: 3, endOffset: 4 })
    expect(leader.divergenceFrom(4, 2)).toEqual({ epoch: 1, endOffset: 2 })
    expect(leader.divergenceFrom(9, 7)).toEqual({ epoch: 5, endOffset: 5 })
  })

  it('become equal by truncation and fetching, whatever epochs they hold', () => {
    // Epochs of one offset agree below the fork, as log matching has it; above it each goes its own way.
    const tail = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 })
    fc.assert(
      fc.property(tail, tail, tail, (shared, a, b) => {
        const world = new SimWorld({ seed: 1 })
        const prefix = rising(shared)
        const base = prefix.at(-1) ?? 0
        const leaderEpochs = [...prefix, ...rising(a.map((step) => base + step * 2))]
        const followerEpochs = [...prefix, ...rising(b.map((step) => base + step * 2 - 1))]
        const leader = logOf(world, 'a', leaderEpochs)
        const follower = logOf(world, 'b', followerEpochs)
        copy(leader, follower)
        expect(whole(follower).equals(whole(leader))).toBe(true)
        expect(follower.lastEpoch).toBe(leader.lastEpoch)
      }),
      { numRuns: 60 },
    )
  })
})

describe('what a follower is sent', () => {
  it('is refused when it leaves a gap or is damaged', () => {
    const world = new SimWorld({ seed: 1 })
    const leader = logOf(world, 'a', [1, 1])
    const { raftLog } = open(world, 'b')
    const second = leader.read(1, 2, 10_000)
    expect(raftLog.appendAsFollower(Buffer.from(second), 9)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    const damaged = Buffer.from(leader.read(0, 1, 10_000))
    damaged[damaged.length - 1]! ^= 1
    expect(raftLog.appendAsFollower(damaged, 9)).toBe(ErrorCode.CORRUPT_MESSAGE)
    const early = Buffer.from(leader.read(0, 1, 10_000))
    expect(raftLog.appendAsFollower(early, 0)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(raftLog.endOffset).toBe(0)
  })
})

describe('committed batches', () => {
  it('carry offsets, epoch and decoded records; control batches none', () => {
    const world = new SimWorld({ seed: 1 })
    const { raftLog } = open(world, 'a')
    const change = { epoch: 2, leaderId: 1, voters: [1, 2], granting: [1], timestampMs: 77 }
    raftLog.appendAsLeader(leaderChangeBatch(change), 2)
    raftLog.appendAsLeader(batchOf('a', 'b'), 2)
    const batches = committedBatches(raftLog.read(0, 3, 10_000))
    expect(batches[0]).toEqual({
      baseOffset: 0,
      lastOffset: 0,
      epoch: 2,
      timestampMs: 77,
      records: [],
    })
    expect(batches[1]).toMatchObject({ baseOffset: 1, lastOffset: 2, epoch: 2 })
    expect(batches[1]!.records).toMatchObject([{ data: { name: 'a' } }, { data: { name: 'b' } }])
  })

  it('with records of no known type are an error', () => {
    const value = Buffer.from([1, 200, 1, 0])
    const bytes = writeBatch({ records: [{ key: null, value }], timestampMs: 0 })
    expect(() => committedBatches(bytes)).toThrow(WireError)
  })
})
