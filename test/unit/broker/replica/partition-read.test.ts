import { describe, expect, it } from 'vitest'
import type { PartitionReader } from '../../../../broker/replica/partition-read.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { batchOf } from '../../../support/replica-cluster.ts'
import { PartitionBench } from '../../../support/replica-partition.ts'

const BATCH_BYTES = batchOf('a').length
const ANYWHERE: PartitionReader = {
  kind: 'consumer',
  isCommittedOnly: false,
  needsLeader: false,
  preferred: null,
}

function follower(brokerId: number, brokerEpoch = 100 + brokerId): PartitionReader {
  return { kind: 'follower', brokerId, brokerEpoch }
}

/** A leader in epoch 2 with a, b of epoch 1 and c of epoch 2; a and b are committed. */
function leaderOfThree(): PartitionBench {
  const bench = new PartitionBench()
  bench.lead({ leaderEpoch: 1, isr: [1, 2] })
  bench.append('a')
  bench.append('b')
  bench.fetched(2, 2)
  bench.lead({ leaderEpoch: 2, isr: [1, 2], partitionEpoch: 2 })
  bench.append('c')
  return bench
}

describe('readPartition', () => {
  it('shows consumers what is committed and followers all', () => {
    const bench = leaderOfThree()
    const consumed = bench.read({ offset: 0 })
    expect(consumed.records.length).toBe(2 * BATCH_BYTES)
    expect(consumed).toMatchObject({
      error: ErrorCode.NONE,
      highWatermark: 2,
      lastStableOffset: 2,
      logStartOffset: 0,
      abortedTransactions: null,
      divergingEpoch: null,
      preferredReadReplica: -1,
      currentLeader: { leaderId: 1, leaderEpoch: 2 },
    })
    const replicated = bench.read({ offset: 0, reader: follower(2) }, { currentLeaderEpoch: 2 })
    expect(replicated.records.length).toBe(3 * BATCH_BYTES)
  })

  it('answers read_committed with a list of aborted transactions, empty when there are none', () => {
    const bench = leaderOfThree()
    const reader: PartitionReader = {
      kind: 'consumer',
      isCommittedOnly: true,
      needsLeader: true,
      preferred: null,
    }
    expect(bench.read({ offset: 0, reader }).abortedTransactions).toEqual([])
    expect(bench.read({ offset: 2, reader }).abortedTransactions).toEqual([])
  })

  it('gives nothing, and no error, between the visible end and the log end', () => {
    const bench = leaderOfThree()
    for (const offset of [2, 3]) {
      const result = bench.read({ offset })
      expect(result.error).toBe(ErrorCode.NONE)
      expect(result.records.length).toBe(0)
    }
  })

  it('refuses an offset beyond the log, with what it knows of the log', () => {
    const bench = leaderOfThree()
    const known = { error: ErrorCode.OFFSET_OUT_OF_RANGE, highWatermark: 2, logStartOffset: 0 }
    expect(bench.read({ offset: 4 })).toMatchObject(known)
    expect(bench.read({ offset: -1 })).toMatchObject(known)
  })

  it('keeps the byte limit but for the first batch', () => {
    const bench = leaderOfThree()
    const read = (maxBytes: number, minOneBatch: boolean): number =>
      bench.read({ offset: 0, maxBytes, minOneBatch }).records.length
    expect(read(1, true)).toBe(BATCH_BYTES)
    expect(read(1, false)).toBe(0)
    expect(read(0, false)).toBe(0)
    expect(read(BATCH_BYTES * 2 - 1, false)).toBe(BATCH_BYTES)
  })

  it('refuses older and newer leader epochs, and takes none', () => {
    const bench = leaderOfThree()
    const errorOf = (currentLeaderEpoch: number): number =>
      bench.read({ offset: 0 }, { currentLeaderEpoch }).error
    expect(errorOf(1)).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(errorOf(2)).toBe(ErrorCode.NONE)
    expect(errorOf(3)).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
    expect(errorOf(-1)).toBe(ErrorCode.NONE)
  })

  it('serves consumers on a follower only where the request allows it', () => {
    const bench = leaderOfThree()
    bench.follow({ leaderEpoch: 3, partitionEpoch: 3 })
    expect(bench.read({ offset: 0 })).toMatchObject({
      error: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 2, leaderEpoch: 3 },
      highWatermark: -1,
    })
    expect(bench.read({ offset: 0, reader: ANYWHERE }).records.length).toBe(2 * BATCH_BYTES)
    const other = bench.read({ offset: 0, reader: follower(3) }, { currentLeaderEpoch: 3 })
    expect(other.error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  it('makes a replica outside of its assignment try again', () => {
    const bench = leaderOfThree()
    const reader = follower(9)
    expect(bench.read({ offset: 0, reader }, { currentLeaderEpoch: 2 }).error).toBe(
      ErrorCode.UNKNOWN_LEADER_EPOCH,
    )
    expect(bench.read({ offset: 0, reader }).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  it('refuses a fetch from an earlier life of a follower (KIP-903)', () => {
    const bench = leaderOfThree()
    bench.register(2, 500)
    const late = bench.read({ offset: 3, reader: follower(2, 102) }, { currentLeaderEpoch: 2 })
    expect(late.error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(bench.highWatermark).toBe(2)
  })

  it('learns where a follower is, and tells it the high watermark that follows from it', () => {
    const bench = leaderOfThree()
    const result = bench.read({ offset: 3, reader: follower(2) }, { currentLeaderEpoch: 2 })
    expect(bench.highWatermark).toBe(3)
    expect(result.highWatermark).toBe(3)
  })

  it('does not count a follower that reads again after a wait, or without an epoch (R15)', () => {
    const bench = leaderOfThree()
    const reader = follower(2)
    const epoch = { currentLeaderEpoch: 2 }
    expect(bench.read({ offset: 3, reader, updatesFollower: false }, epoch).error).toBe(0)
    expect(bench.read({ offset: 3, reader }).error).toBe(0)
    expect(bench.highWatermark).toBe(2)
  })

  it('tells a follower where its log parts from this one, and does not count it', () => {
    const bench = leaderOfThree()
    const read = (offset: number, lastFetchedEpoch: number) =>
      bench.read({ offset, reader: follower(2) }, { currentLeaderEpoch: 2, lastFetchedEpoch })
    const longer = read(3, 1)
    expect(longer.divergingEpoch).toEqual({ epoch: 1, endOffset: 2 })
    expect(longer.records.length).toBe(0)
    expect(longer.error).toBe(ErrorCode.NONE)
    expect(bench.highWatermark).toBe(2)
    expect(read(2, 1).divergingEpoch).toBeNull()
    expect(read(9, 2).divergingEpoch).toEqual({ epoch: 2, endOffset: 3 })
  })

  it('refuses a last epoch it cannot place', () => {
    const bench = leaderOfThree()
    const result = bench.read({ offset: 1 }, { lastFetchedEpoch: 7 })
    expect(result.error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
  })

  it('refuses an offset before the log start even where the logs part', () => {
    const bench = leaderOfThree()
    bench.partition.log.incrementLogStartOffset(2)
    const result = bench.read({ offset: 0 }, { lastFetchedEpoch: 1 })
    expect(result.error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(result.logStartOffset).toBe(2)
  })
})
