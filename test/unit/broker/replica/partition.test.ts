import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { batchOf } from '../../../support/replica-cluster.ts'
import { PartitionBench } from '../../../support/replica-partition.ts'

/** A record as a leader of this epoch sends it to its followers. */
function fromLeader(value: string, offset: number, epoch: number): Buffer {
  const batch = batchOf(value)
  batch.writeBigInt64BE(BigInt(offset), 0)
  batch.writeInt32BE(epoch, 12)
  return batch
}

describe('Partition as leader', () => {
  it('begins its epoch at the log end and tells so', () => {
    const bench = new PartitionBench()
    bench.lead({ leaderEpoch: 3 })
    expect(bench.partition.isLeader).toBe(true)
    expect(bench.partition.leaderRole?.epochStartOffset).toBe(0)
    expect(bench.partition.log.latestEpoch).toBe(3)
    expect(bench.eventsOf('partition.leader-changed')).toMatchObject([
      { leader: 1, leaderEpoch: 3, role: 'leader' },
    ])
  })

  it('commits what the whole in-sync set has, and nothing before every member was heard', () => {
    const bench = new PartitionBench()
    bench.lead()
    bench.append('a')
    expect(bench.highWatermark).toBe(0)
    bench.fetched(2, 1)
    expect(bench.highWatermark).toBe(0)
    bench.fetched(3, 0)
    expect(bench.highWatermark).toBe(0)
    bench.fetched(3, 1)
    expect(bench.highWatermark).toBe(1)
    expect(bench.partition.commitOutcome(1)).toBe(ErrorCode.NONE)
    expect(bench.partition.commitOutcome(2)).toBeNull()
  })

  it('never takes its high watermark back', () => {
    const bench = new PartitionBench()
    bench.lead()
    bench.append('a')
    bench.fetched(2, 1)
    bench.fetched(3, 1)
    bench.fetched(2, 0)
    expect(bench.highWatermark).toBe(1)
  })

  it('commits alone when it is alone in sync', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.append('a')
    expect(bench.highWatermark).toBe(1)
  })

  it('does not commit at all while fewer than min.insync.replicas are in sync', () => {
    const bench = new PartitionBench({ minIsr: 2 })
    bench.lead({ isr: [1] })
    expect(bench.append('a', 1).error).toBe(ErrorCode.NONE)
    expect(bench.highWatermark).toBe(0)
    bench.lead({ isr: [1, 2], partitionEpoch: 2 })
    bench.fetched(2, 1)
    expect(bench.highWatermark).toBe(1)
  })

  it('refuses acks=all with too few in sync, appending nothing, but not acks=1 (19)', () => {
    const bench = new PartitionBench({ minIsr: 2 })
    bench.lead({ isr: [1] })
    expect(bench.append('a', -1).error).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(bench.partition.log.logEndOffset).toBe(0)
    expect(bench.append('a', 1).error).toBe(ErrorCode.NONE)
  })

  it('takes the number of replicas for min.insync.replicas when that is smaller', () => {
    const bench = new PartitionBench({ minIsr: 3 })
    bench.lead({ replicas: [1], isr: [1] })
    expect(bench.partition.effectiveMinInsyncReplicas).toBe(1)
    expect(bench.append('a', -1).error).toBe(ErrorCode.NONE)
    expect(bench.highWatermark).toBe(1)
  })

  it('says that too few are in sync when a commit comes after the set has shrunk (20)', () => {
    const bench = new PartitionBench({ minIsr: 2 })
    bench.lead({ isr: [1, 2] })
    bench.append('a', -1)
    bench.fetched(2, 1)
    bench.lead({ isr: [1], partitionEpoch: 2 })
    expect(bench.partition.commitOutcome(1)).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
  })

  it('begins to commit when the topic asks for fewer in-sync replicas', () => {
    const bench = new PartitionBench({ minIsr: 2 })
    bench.lead({ isr: [1] })
    bench.append('a')
    bench.partition.configure(bench.config(1))
    expect(bench.highWatermark).toBe(1)
  })

  it('ignores a state older than the one it acts on', () => {
    const bench = new PartitionBench()
    bench.lead({ leaderEpoch: 5, partitionEpoch: 9 })
    expect(bench.partition.makeLeader(bench.state({ leaderEpoch: 4, partitionEpoch: 10 }))).toEqual(
      { isApplied: false, isNewEpoch: false },
    )
    expect(
      bench.partition.makeFollower(bench.state({ leader: 2, leaderEpoch: 5, partitionEpoch: 8 })),
    ).toEqual({ isApplied: false, isNewEpoch: false })
    expect(bench.partition.isLeader).toBe(true)
  })

  it('takes a log that is ahead of its epoch for damaged, as leader and as follower', () => {
    const bench = new PartitionBench()
    bench.partition.log.startEpoch(4, 0)
    const damaged = /records of leader epoch 4, and the partition is in 3/
    expect(() => bench.partition.makeLeader(bench.state({ leaderEpoch: 3 }))).toThrow(damaged)
    expect(bench.partition.isLeader).toBe(false)
    expect(() => bench.partition.makeFollower(bench.state({ leader: 2, leaderEpoch: 3 }))).toThrow(
      damaged,
    )
  })

  it('keeps what it knows of followers when it is elected again, and only then', () => {
    const bench = new PartitionBench()
    bench.lead({ leaderEpoch: 1 })
    bench.append('a')
    bench.fetched(2, 1)
    bench.lead({ leaderEpoch: 2, partitionEpoch: 2 })
    expect(bench.partition.leaderRole?.followers.get(2)?.logEndOffset).toBe(1)
    bench.lead({ leaderEpoch: 4, partitionEpoch: 4 })
    expect(bench.partition.leaderRole?.followers.get(2)?.logEndOffset).toBe(-1)
  })

  it('does not lose a proposal to metadata that it knew from the answer before', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    const first = bench.lastProposal
    const accepted = { error: ErrorCode.NONE, leaderEpoch: 1, isr: [1, 2], partitionEpoch: 2 }
    bench.partition.onIsrAnswer(first, accepted)
    bench.fetched(3, 0)
    bench.lead({ isr: [1, 2], partitionEpoch: 2 })
    expect([...bench.partition.leaderRole!.inSync.maximal]).toEqual([1, 2, 3])
    expect(bench.partition.leaderRole!.inSync.proposal).toBe(bench.lastProposal)
  })
})

describe('Partition and its in-sync set', () => {
  it('asks to admit a follower that has all below the high watermark and its epoch start', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.append('a')
    bench.fetched(2, 0)
    expect(bench.proposals).toEqual([])
    bench.fetched(2, 1)
    expect(bench.lastProposal).toEqual({
      kind: 'expand',
      isr: [1, 2],
      members: [
        { brokerId: 1, brokerEpoch: 101 },
        { brokerId: 2, brokerEpoch: 102 },
      ],
      leaderEpoch: 1,
      partitionEpoch: 1,
    })
  })

  it('does not admit a follower that lacks the start of the epoch, whatever the high watermark', () => {
    const bench = new PartitionBench({ minIsr: 2 })
    bench.lead({ isr: [1] })
    bench.append('a')
    bench.append('b')
    bench.lead({ isr: [1], leaderEpoch: 2, partitionEpoch: 2 })
    expect(bench.highWatermark).toBe(0)
    bench.fetched(2, 1)
    expect(bench.proposals).toEqual([])
    bench.fetched(2, 2)
    expect(bench.proposals).toHaveLength(1)
  })

  it.each([
    ['is fenced', { isFenced: true }, 102],
    ['is shutting down', { isInControlledShutdown: true }, 102],
  ])('does not ask to admit a follower that %s', (_what, change, brokerEpoch) => {
    const bench = new PartitionBench()
    bench.register(2, 102, change)
    bench.lead({ isr: [1] })
    bench.fetched(2, 0, brokerEpoch)
    expect(bench.proposals).toEqual([])
  })

  it('never counts a fetch of a follower that has been registered anew since it was sent (KIP-903)', () => {
    const bench = new PartitionBench()
    bench.register(2, 90)
    bench.lead({ isr: [1] })
    bench.append('a')
    bench.fetched(2, 0, 90)
    bench.register(2, 102)
    expect(bench.proposals).toEqual([])
    expect(() => bench.fetched(2, 1, 90)).toThrow(/a fetch of 2 in a past life counts/)
  })

  it('waits with the high watermark for a follower it asked to admit', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    bench.append('a')
    expect(bench.highWatermark).toBe(0)
    bench.fetched(2, 1)
    expect(bench.highWatermark).toBe(1)
  })

  it('waits for a proposed member even when that one is fenced or lags meanwhile (R9)', () => {
    const bench = new PartitionBench({ lagMs: 100 })
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    bench.register(2, 102, { isFenced: true })
    bench.append('a')
    bench.world.runFor(1000)
    bench.partition.onBrokersChanged()
    expect(bench.highWatermark).toBe(0)
  })

  it('waits for a caught-up follower that may join even before it asks', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    bench.fetched(3, 0)
    expect(bench.proposals).toHaveLength(1)
    bench.append('a')
    bench.fetched(2, 1)
    expect(bench.highWatermark).toBe(0)
    bench.fetched(3, 1)
    expect(bench.highWatermark).toBe(1)
  })

  it('drops who was not caught up for too long, with the controller, and then commits', () => {
    const bench = new PartitionBench({ lagMs: 1000 })
    bench.lead()
    bench.append('a')
    bench.fetched(2, 1)
    bench.world.runFor(900)
    bench.fetched(2, 1)
    bench.partition.shrinkIsr()
    expect(bench.proposals).toEqual([])
    bench.world.runFor(200)
    bench.partition.shrinkIsr()
    expect(bench.lastProposal).toMatchObject({ kind: 'shrink', isr: [1, 2] })
    expect(bench.highWatermark).toBe(0)
    bench.partition.shrinkIsr()
    expect(bench.proposals).toHaveLength(1)
    bench.partition.onIsrAnswer(bench.lastProposal, {
      error: ErrorCode.NONE,
      leaderEpoch: 1,
      isr: [1, 2],
      partitionEpoch: 2,
    })
    expect(bench.highWatermark).toBe(1)
    expect(bench.partition.partitionEpoch).toBe(2)
    expect(bench.eventsOf('partition.isr-shrunk')).toMatchObject([{ replicas: [3], isr: [1, 2] }])
  })

  it.each([
    ErrorCode.INELIGIBLE_REPLICA,
    ErrorCode.OPERATION_NOT_ATTEMPTED,
    ErrorCode.INVALID_REQUEST,
  ])('forgets a proposal that was certainly not made (error %i)', (error) => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    const refused = { error, leaderEpoch: -1, isr: [], partitionEpoch: -1 }
    expect(bench.partition.onIsrAnswer(bench.lastProposal, refused)).toBe('done')
    expect(bench.partition.leaderRole!.inSync.proposal).toBeNull()
    bench.fetched(2, 0)
    expect(bench.proposals).toHaveLength(2)
  })

  it.each([
    ErrorCode.INVALID_UPDATE_VERSION,
    ErrorCode.FENCED_LEADER_EPOCH,
    ErrorCode.NEW_LEADER_ELECTED,
    ErrorCode.UNKNOWN_TOPIC_ID,
  ])('keeps a proposal of unknown fate until newer metadata comes (error %i)', (error) => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    const refused = { error, leaderEpoch: -1, isr: [], partitionEpoch: -1 }
    expect(bench.partition.onIsrAnswer(bench.lastProposal, refused)).toBe('done')
    expect([...bench.partition.leaderRole!.inSync.maximal]).toEqual([1, 2])
    bench.lead({ isr: [1, 2], partitionEpoch: 2 })
    expect(bench.partition.leaderRole!.inSync.proposal).toBeNull()
    expect(bench.eventsOf('partition.isr-expanded')).toMatchObject([{ replicas: [2] }])
  })

  it.each([ErrorCode.NOT_CONTROLLER, ErrorCode.REQUEST_TIMED_OUT, ErrorCode.UNKNOWN_SERVER_ERROR])(
    'sends a proposal again after error %i',
    (error) => {
      const bench = new PartitionBench()
      bench.lead({ isr: [1] })
      bench.fetched(2, 0)
      const failed = { error, leaderEpoch: -1, isr: [], partitionEpoch: -1 }
      expect(bench.partition.onIsrAnswer(bench.lastProposal, failed)).toBe('retry')
    },
  )

  it('ignores an answer to a proposal that metadata has overtaken', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.fetched(2, 0)
    bench.lead({ isr: [1], partitionEpoch: 5 })
    const late = { error: ErrorCode.NONE, leaderEpoch: 1, isr: [1, 2], partitionEpoch: 2 }
    expect(bench.partition.onIsrAnswer(bench.lastProposal, late)).toBe('done')
    expect([...bench.partition.leaderRole!.inSync.committed]).toEqual([1])
    expect(bench.partition.partitionEpoch).toBe(5)
  })
})

describe('Partition as follower', () => {
  it('appends what the leader sent and follows its high watermark within its own log', () => {
    const bench = new PartitionBench()
    bench.follow({ leaderEpoch: 2 })
    const error = bench.partition.appendAsFollower({
      leaderEpoch: 2,
      records: Buffer.concat([fromLeader('a', 0, 1), fromLeader('b', 1, 2)]),
      highWatermark: 9,
      logStartOffset: 0,
    })
    expect(error).toBe(ErrorCode.NONE)
    expect(bench.partition.log.logEndOffset).toBe(2)
    expect(bench.partition.log.latestEpoch).toBe(2)
    expect(bench.highWatermark).toBe(2)
  })

  it('takes a smaller high watermark from a new leader, which may know less', () => {
    const bench = new PartitionBench()
    bench.follow({ leaderEpoch: 2 })
    const records = fromLeader('a', 0, 2)
    const first = { leaderEpoch: 2, records, highWatermark: 1, logStartOffset: 0 }
    bench.partition.appendAsFollower(first)
    bench.follow({ leaderEpoch: 3, partitionEpoch: 3 })
    const second = { leaderEpoch: 3, records: null, highWatermark: 0, logStartOffset: 0 }
    bench.partition.appendAsFollower(second)
    expect(bench.highWatermark).toBe(0)
  })

  it('takes no batch of a later epoch than its own', () => {
    const bench = new PartitionBench()
    bench.follow({ leaderEpoch: 3 })
    const records = fromLeader('a', 0, 128)
    const damaged = { leaderEpoch: 3, records, highWatermark: 1, logStartOffset: 0 }
    expect(bench.partition.appendAsFollower(damaged)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect([bench.partition.log.logEndOffset, bench.partition.log.latestEpoch]).toEqual([0, -1])
  })

  it('takes nothing that was asked for in another epoch', () => {
    const bench = new PartitionBench()
    bench.follow({ leaderEpoch: 3 })
    const records = fromLeader('a', 0, 2)
    const stale = { leaderEpoch: 2, records, highWatermark: 1, logStartOffset: 0 }
    expect(bench.partition.appendAsFollower(stale)).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(bench.partition.log.logEndOffset).toBe(0)
  })

  it('follows the log start of the leader up to its own high watermark', () => {
    const bench = new PartitionBench()
    bench.follow({ leaderEpoch: 2 })
    const records = Buffer.concat([fromLeader('a', 0, 2), fromLeader('b', 1, 2)])
    const data = { leaderEpoch: 2, records, highWatermark: 2, logStartOffset: 1 }
    bench.partition.appendAsFollower(data)
    expect(bench.partition.log.logStartOffset).toBe(1)
  })

  it('says once for each epoch that it has caught up', () => {
    const bench = new PartitionBench()
    bench.follow({ leaderEpoch: 2 })
    const nothing = { leaderEpoch: 2, records: null, highWatermark: 0, logStartOffset: 0 }
    bench.partition.appendAsFollower(nothing)
    bench.partition.appendAsFollower(nothing)
    expect(bench.eventsOf('replica.caught-up')).toMatchObject([{ leader: 2, leaderEpoch: 2 }])
  })

  it('tells when it truncates', () => {
    const bench = new PartitionBench()
    bench.lead({ isr: [1] })
    bench.append('a')
    bench.append('b')
    bench.follow({ leaderEpoch: 2, partitionEpoch: 2 })
    bench.partition.truncateTo(1, 'diverging-epoch')
    expect(bench.partition.log.logEndOffset).toBe(1)
    expect(bench.eventsOf('replica.truncated')).toMatchObject([
      { from: 2, to: 1, reason: 'diverging-epoch' },
    ])
  })

  it('answers for nothing once it is retired', () => {
    const bench = new PartitionBench()
    bench.lead()
    bench.partition.retire()
    expect(bench.partition.commitOutcome(0)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(bench.append('a').error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})
