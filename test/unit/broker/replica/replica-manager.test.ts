import { describe, expect, it } from 'vitest'
import { lookUpOffset } from '../../../../broker/replica/offset-lookup.ts'
import { partitionLogAccess } from '../../../../broker/replica/partition-log-access.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ReplicaChecks, logBytes, valuesOf } from '../../../support/replica-checks.ts'
import {
  batchOf,
  fetchEntryOf,
  fetchInputOf,
  ReplicaCluster,
  type ReplicaClusterOptions,
} from '../../../support/replica-cluster.ts'

const T = 't'

/** Three brokers with topic `t`, replicas 1, 2, 3 and leader 1, all in sync. */
function cluster(
  options: Partial<ReplicaClusterOptions> = {},
  configs: Readonly<Record<string, string>> = { 'min.insync.replicas': '2' },
): ReplicaCluster {
  const made = new ReplicaCluster({ seed: 11, ...options })
  made.start()
  made.controller.createTopic(T, [[1, 2, 3]], configs)
  made.until(() => made.isQuiet(), 'the topic')
  return made
}

function values(from: ReplicaCluster, id: number): readonly string[] {
  return [...valuesOf(logBytes(from.partition(id, T))).values()]
}

describe('ReplicaManager, produce and replication', () => {
  it('answers acks=all only after both followers have the record', () => {
    const made = cluster()
    const send = made.produce(T, 'a')
    let endsAtAnswer: readonly number[] = []
    send.onResult = () => {
      endsAtAnswer = [1, 2, 3].map((id) => made.partition(id, T).log.logEndOffset)
    }
    expect(send.result).toBeNull()
    made.until(() => send.result !== null, 'the answer')
    expect(send.result).toMatchObject({ error: ErrorCode.NONE, baseOffset: 0 })
    expect(endsAtAnswer).toEqual([1, 1, 1])
    for (const id of [2, 3]) expect(values(made, id)).toEqual(['a'])
  })

  it('answers acks 0 and 1 before anyone else has the record', () => {
    const made = cluster()
    expect(made.produce(T, 'a', { acks: 1 }).result).toMatchObject({ error: 0, baseOffset: 0 })
    expect(made.produce(T, 'b', { acks: 0 }).result).toMatchObject({ error: 0, baseOffset: 1 })
    expect(made.partition(2, T).log.logEndOffset).toBe(0)
  })

  it('answers a waiting consumer when a record is committed, not before', () => {
    const made = cluster()
    const holder = made.consume(1, { topic: T, fetchOffset: 0 }, { maxWaitMs: 5000 })
    made.produce(T, 'a', { acks: 1 })
    expect(holder.result).toBeNull()
    made.until(() => holder.result !== null, 'the record')
    expect(made.partition(1, T).log.highWatermark).toBe(1)
    expect([...valuesOf(holder.result!.records).values()]).toEqual(['a'])
  })

  it('serves a consumer from a follower up to the high watermark it knows', () => {
    const made = cluster()
    made.produce(T, 'a')
    made.until(() => made.isQuiet(), 'replication')
    expect(made.consume(2, { topic: T, fetchOffset: 0 }).result?.records.length).toBeGreaterThan(0)
    expect(made.consume(2, { topic: T, fetchOffset: 0 }, { version: 10 }).result?.error).toBe(
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
    )
  })

  it('replicates many partitions through one connection for each leader', () => {
    const made = cluster()
    made.controller.createTopic('many', [[1, 2, 3], [2, 3, 1], [3, 1, 2], [1, 3], [2]])
    made.until(() => made.isQuiet(), 'the topics')
    const sends = [0, 1, 2, 3, 4].flatMap((index) =>
      ['x', 'y'].map((value) => made.produce('many', `${value}${index}`, { index })),
    )
    made.until(() => sends.every(({ result }) => result !== null), 'the answers')
    expect(sends.map(({ result }) => result!.error)).toEqual(sends.map(() => 0))
    made.until(() => made.isQuiet(), 'quiet')
  })

  it('does not let a new partition wait out the long poll of another', () => {
    const made = cluster({ properties: { 'replica.fetch.wait.max.ms': '30000' } })
    made.controller.createTopic('late', [[1, 2, 3]])
    made.until(() => made.broker(1).manager.partition('late', 0) !== null, 'the partition')
    made.world.runFor(10)
    const send = made.produce('late', 'a')
    expect(made.world.runUntil(() => send.result !== null, 200)).toBe(true)
    expect(send.result?.error).toBe(ErrorCode.NONE)
  })
})

describe('ReplicaManager, the in-sync set', () => {
  it('shrinks it when a follower is silent, and acknowledges without it', () => {
    const made = cluster()
    made.crash(3, 1_000_000)
    const send = made.produce(T, 'a', { timeoutMs: 10_000 })
    made.world.runFor(1500)
    expect(send.result).toBeNull()
    made.until(() => send.result !== null, 'the acknowledgement')
    expect(send.result?.error).toBe(ErrorCode.NONE)
    expect(made.controller.state(T, 0).isr).toEqual([1, 2])
  })

  it('admits the follower again when it is back and has caught up', () => {
    const made = cluster()
    made.crash(3)
    made.world.runFor(200)
    const send = made.produce(T, 'a')
    made.until(() => send.result !== null, 'the acknowledgement')
    made.restart(3)
    made.until(() => made.isQuiet(), 'the third replica')
    expect(values(made, 3)).toEqual(['a'])
  })

  it('survives lost AlterPartition requests and answers', () => {
    const made = cluster({ alterPartitionLossPermille: 700 })
    made.crash(3, 1_000_000)
    made.produce(T, 'a', { acks: 1 })
    made.until(() => made.controller.state(T, 0).isr.length === 2, 'the shrink')
    made.restart(3)
    made.until(() => made.isQuiet(), 'the expansion')
  })

  it('refuses acks=all below min.insync.replicas (19), and says so when it comes too late (20)', () => {
    const made = cluster()
    made.crash(2)
    made.crash(3)
    made.world.runFor(200)
    const refused = made.produce(T, 'a')
    expect(refused.result).toMatchObject({
      error: ErrorCode.NOT_ENOUGH_REPLICAS,
      baseOffset: -1,
    })
    expect(made.produce(T, 'b', { acks: 1 }).result?.error).toBe(ErrorCode.NONE)
    made.world.runFor(500)
    expect(made.partition(1, T).log.highWatermark).toBe(0)
    expect(made.consume(1, { topic: T, fetchOffset: 0 }).result?.records.length).toBe(0)
  })

  it('times an acks=all out while the in-sync set is too small to commit', () => {
    const made = cluster()
    made.crash(2, 100)
    made.crash(3, 100)
    const send = made.produce(T, 'a', { timeoutMs: 1000 })
    expect(send.result).toBeNull()
    made.world.runFor(1100)
    expect(send.result?.error).toBe(ErrorCode.REQUEST_TIMED_OUT)
    expect(made.partition(1, T).log.logEndOffset).toBe(1)
  })

  it('follows a reassignment: new replicas are filled, old ones are deleted', () => {
    const made = cluster({ brokers: 4 })
    const send = made.produce(T, 'a')
    made.until(() => send.result !== null, 'the answer')
    made.controller.reassign(T, 0, [1, 2, 4])
    made.until(() => made.isQuiet(), 'the new replica')
    expect(values(made, 4)).toEqual(['a'])
    expect(made.broker(3).manager.partition(T, 0)).toBeNull()
    expect(made.broker(3).node.ports.disk.exists(`${T}-0`)).toBe(false)
  })

  it('takes a new min.insync.replicas from the topic settings', () => {
    const made = cluster({}, {})
    made.controller.setTopicConfig(T, 'min.insync.replicas', '3')
    made.world.runFor(20)
    expect(made.partition(1, T).effectiveMinInsyncReplicas).toBe(3)
  })
})

describe('ReplicaManager, leader changes', () => {
  it('truncates the diverging tail of the old leader and ends byte-identical', () => {
    const made = cluster()
    const acked = made.produce(T, 'acked')
    made.until(() => acked.result !== null, 'the answer')
    made.world.network.cut('broker-1', 'broker-2')
    made.world.network.cut('broker-1', 'broker-3')
    const lost = made.produce(T, 'lost', { acks: 1, to: 1 })
    expect(lost.result?.baseOffset).toBe(1)
    made.controller.moveLeader(T, 0, 2)
    made.until(() => made.partition(2, T).isLeader, 'the new leader')
    made.world.network.healAll()
    const kept = made.produce(T, 'kept')
    made.until(() => kept.result !== null, 'the answer of the new leader')
    made.until(() => made.isQuiet(), 'quiet')
    for (const id of [1, 2, 3]) expect(values(made, id)).toEqual(['acked', 'kept'])
    expect(logBytes(made.partition(1, T)).equals(logBytes(made.partition(2, T)))).toBe(true)
  })

  it('ends the waits of the old leader with NOT_LEADER_OR_FOLLOWER', () => {
    const made = cluster()
    made.world.network.cut('broker-1', 'broker-2')
    const send = made.produce(T, 'a')
    const consumer = made.consume(1, { topic: T, fetchOffset: 0 }, { maxWaitMs: 5000, version: 10 })
    made.controller.moveLeader(T, 0, 3)
    made.world.runFor(50)
    expect(send.result).toMatchObject({
      error: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 3, leaderEpoch: 1 },
    })
    expect(consumer.result?.error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  it('refuses requests of older and newer epochs', () => {
    const made = cluster()
    made.controller.moveLeader(T, 0, 2)
    made.world.runFor(50)
    const errorOf = (currentLeaderEpoch: number): number | undefined =>
      made.consume(2, { topic: T, fetchOffset: 0, currentLeaderEpoch }).result?.error
    expect(errorOf(0)).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(errorOf(1)).toBe(ErrorCode.NONE)
    expect(errorOf(2)).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
  })

  it('converges after two fast failovers with a lagging follower (KIP-279)', () => {
    const made = cluster({}, { 'min.insync.replicas': '1' })
    const checks = new ReplicaChecks(made)
    const first = made.produce(T, 'm1')
    made.until(() => first.result !== null, 'the first record')
    // Broker 3 falls behind; 1 and 2 each write a tail in an epoch of their own that nobody else sees.
    for (const id of [2, 3]) made.world.network.cut('broker-1', `broker-${id}`)
    for (const value of ['x1', 'x2', 'x3']) made.produce(T, value, { acks: 1, to: 1 })
    made.controller.moveLeader(T, 0, 2)
    made.until(() => made.partition(2, T).isLeader, 'leader 2')
    made.world.network.cut('broker-2', 'broker-3')
    made.world.network.cut('broker-2', 'broker-1')
    for (const value of ['y1', 'y2']) made.produce(T, value, { acks: 1, to: 2 })
    made.controller.moveLeader(T, 0, 1)
    made.until(() => made.partition(1, T).isLeader, 'leader 1 again')
    made.produce(T, 'z1', { acks: 1, to: 1 })
    made.controller.moveLeader(T, 0, 3)
    made.until(() => made.partition(3, T).isLeader, 'leader 3')
    made.world.network.healAll()
    const last = made.produce(T, 'w1')
    made.until(() => last.result !== null, 'the last record')
    made.until(() => made.isQuiet(), 'quiet')
    for (const id of [1, 2, 3]) expect(values(made, id)).toEqual(['m1', 'w1'])
    checks.atEnd([first, last])
    expect(checks.violations).toEqual([])
  })

  it('does not answer latest with less than it did before (KIP-207)', () => {
    const made = cluster()
    const send = made.produce(T, 'a')
    made.until(() => send.result !== null, 'the answer')
    for (const id of [1, 3]) made.world.network.cut(`broker-${id}`, 'broker-2')
    expect(made.partition(2, T).log.highWatermark).toBe(0)
    made.controller.moveLeader(T, 0, 2)
    made.until(() => made.partition(2, T).isLeader, 'the new leader')
    const partition = made.partition(2, T)
    const entry = { topic: T, partition: 0, currentLeaderEpoch: -1, timestamp: -1 }
    const input = { replicaId: -1, isolationLevel: 0, version: 7 }
    expect(lookUpOffset(partition, entry, input).error).toBe(ErrorCode.OFFSET_NOT_AVAILABLE)
    made.world.network.healAll()
    made.until(() => partition.log.highWatermark === 1, 'the high watermark')
    expect(lookUpOffset(partition, entry, input)).toMatchObject({ error: 0, offset: 1 })
  })

  it('tells listeners of roles, once for each epoch', () => {
    const heard: string[] = []
    const made = new ReplicaCluster({ seed: 3 })
    made.onManager = ({ id, manager }) => {
      manager.onLeadership((partition, kind, epoch) => {
        heard.push(`${id} ${partition.key} ${kind} ${epoch}`)
      })
    }
    made.start()
    made.controller.createTopic(T, [[1, 2]])
    made.world.runFor(100)
    made.controller.moveLeader(T, 0, 2)
    made.world.runFor(100)
    made.controller.deleteTopic(T)
    made.world.runFor(100)
    expect(heard.filter((line) => line.startsWith('1'))).toEqual([
      '1 t-0 leader 0',
      '1 t-0 follower 1',
      '1 t-0 removed 1',
    ])
    expect(heard.filter((line) => line.startsWith('2'))).toEqual([
      '2 t-0 follower 0',
      '2 t-0 leader 1',
      '2 t-0 removed 1',
    ])
  })
})

describe('ReplicaManager, followers outside of the leader log', () => {
  it('restarts a follower whose end is before the log start of the leader', () => {
    const made = cluster({}, { 'min.insync.replicas': '1' })
    made.crash(3)
    made.world.runFor(200)
    const sends = ['a', 'b', 'c'].map((value) => made.produce(T, value))
    made.until(() => sends.every(({ result }) => result !== null), 'the answers')
    made.partition(1, T).log.incrementLogStartOffset(2)
    made.restart(3)
    made.until(() => made.partition(3, T).log.logEndOffset === 3, 'the third replica')
    expect(made.partition(3, T).log.logStartOffset).toBe(2)
    expect(values(made, 3)).toEqual(['c'])
  })
})

describe('ReplicaManager, start and stop', () => {
  it('hosts nothing before it is started, and acts on no delta', () => {
    const made = new ReplicaCluster({ seed: 5 })
    made.start()
    const { manager, publisher } = made.broker(1)
    expect(manager.partitions()).toEqual([])
    expect(made.consume(1, { topic: T, fetchOffset: 0 }).result?.error).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    )
    expect(publisher.image.brokers.size).toBe(3)
  })

  it('comes back with its log and high watermark after a clean end', () => {
    const made = cluster()
    const sends = ['a', 'b'].map((value) => made.produce(T, value))
    made.until(() => sends.every(({ result }) => result !== null), 'the answers')
    made.until(() => made.isQuiet(), 'quiet')
    made.restartCleanly(2)
    expect(made.partition(2, T).log.logEndOffset).toBe(2)
    expect(made.partition(2, T).log.highWatermark).toBe(2)
    made.until(() => made.isQuiet(), 'quiet again')
  })

  it('answers what waits when it closes', () => {
    const made = cluster()
    made.world.network.cut('broker-1', 'broker-2')
    const send = made.produce(T, 'a')
    const consumer = made.consume(1, { topic: T, fetchOffset: 0 }, { maxWaitMs: 5000 })
    let isClosed = false
    made.broker(1).manager.close(() => {
      isClosed = true
    })
    expect(send.result?.error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(consumer.result).not.toBeNull()
    made.until(() => isClosed, 'the end')
    made.broker(1).manager.close()
  })

  it('removes the log of a deleted topic, and sets a stale directory of the same name aside', () => {
    const made = cluster()
    const send = made.produce(T, 'old')
    made.until(() => send.result !== null, 'the answer')
    made.crash(3)
    made.world.runFor(200)
    made.controller.deleteTopic(T)
    made.world.runFor(50)
    expect(made.broker(1).manager.partition(T, 0)).toBeNull()
    expect(made.broker(1).node.ports.disk.exists(`${T}-0`)).toBe(false)
    made.controller.createTopic(T, [[1, 2, 3]])
    made.world.runFor(50)
    made.restart(3)
    made.until(() => made.isQuiet(), 'the new topic')
    expect(made.partition(3, T).log.logEndOffset).toBe(0)
    const names = made.broker(3).node.ports.disk.list('')
    expect(names.filter((name) => name.endsWith('-stray'))).toHaveLength(1)
  })

  it('refuses another topic of the same name by its id', () => {
    const made = cluster()
    const entry = fetchEntryOf({ topic: T, topicId: 'AnotherTopicOfTheNameA', fetchOffset: 0 })
    let error = -1
    made.broker(1).manager.fetch(fetchInputOf([entry]), (results) => {
      error = results[0]!.error
    })
    expect(error).toBe(ErrorCode.INCONSISTENT_TOPIC_ID)
  })

  it('refuses a partition that is listed twice in ListOffsets', () => {
    const made = cluster()
    const entry = { topic: T, partition: 0, currentLeaderEpoch: -1, timestamp: -2 }
    const results = made.broker(1).manager.listOffsets({
      replicaId: -1,
      isolationLevel: 0,
      version: 7,
      entries: [entry, entry],
    })
    expect(results.map(({ error }) => error)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
  })
})

describe('partitionLogAccess', () => {
  it('appends, waits and reads for a coordinator', () => {
    const made = cluster()
    const log = partitionLogAccess(made.broker(1).manager, T, 4096)
    expect(log.maxBatchBytes).toBe(4096)
    const { error, lastOffset } = log.append(0, batchOf('a'), 0)
    expect({ error, lastOffset }).toEqual({ error: ErrorCode.NONE, lastOffset: 0 })
    const outcomes: number[] = []
    log.whenCommitted(0, lastOffset, 0, 5000, (outcome) => outcomes.push(outcome))
    expect(log.highWatermark(0)).toBe(0)
    expect([...valuesOf(log.read(0, 0, 1)).values()]).toEqual(['a'])
    expect(log.read(0, 1, 100).length).toBe(0)
    made.until(() => outcomes.length > 0, 'the commit')
    expect(outcomes).toEqual([ErrorCode.NONE])
    expect([log.logStartOffset(0), log.logEndOffset(0), log.highWatermark(0)]).toEqual([0, 1, 1])
    expect(log.maxBatchBytes).toBe(1_048_588)
  })

  it('refuses other epochs and partitions that are led elsewhere', () => {
    const made = cluster()
    const log = partitionLogAccess(made.broker(1).manager, T, 4096)
    expect(log.append(0, batchOf('a'), 7).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(log.append(5, batchOf('a'), 0).error).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const other = partitionLogAccess(made.broker(2).manager, T, 4096)
    expect(other.append(0, batchOf('a'), 0).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const outcomes: number[] = []
    other.whenCommitted(0, 0, 0, 100, (outcome) => outcomes.push(outcome))
    expect(outcomes).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER])
  })

  it('gives a coordinator nothing that is damaged, and takes the partition offline', () => {
    const made = cluster()
    const { manager, node } = made.broker(1)
    const log = partitionLogAccess(manager, T, 4096)
    log.append(0, batchOf('a'), 0)
    log.append(0, batchOf('b'), 0)
    const kinds: string[] = []
    made.world.onEvent(({ kind }) => kinds.push(kind))
    node.disk.flipBit(`${T}-0/00000000000000000000.log`, 64, 2)
    expect(() => log.read(0, 0, 4096)).toThrow('a batch of t-0 has a wrong CRC')
    expect(manager.partition(T, 0)).toBeNull()
    expect(kinds).toContain('partition.offline')
  })

  it('takes the partition offline when the log cannot be read for a coordinator', () => {
    const made = cluster()
    const { manager, node } = made.broker(1)
    const log = partitionLogAccess(manager, T, 4096)
    log.append(0, batchOf('a'), 0)
    node.disk.failNext('read', 'EIO')
    expect(() => log.read(0, 0, 4096)).toThrow('t-0')
    expect(manager.partition(T, 0)).toBeNull()
  })
})
