// Goal: what clients are told, producer sessions and groups are checked against the state. Method: as in
// replicas.test.ts, with a history and with group shards that say what the test wants.
import { describe, expect, it } from 'vitest'
import type { GroupShardView, GroupView } from '../../../../../broker/index.ts'
import type { Partition } from '../../../../../broker/replica/partition.ts'
import type { SendOperation } from '../../../../../src/chaos/history/operation.ts'
import {
  clusterRecords,
  follow,
  produce,
  producedBatch,
  StateBench,
  TOPIC,
} from '../../../../support/state-bench.ts'

const SEND: SendOperation = {
  op: 'send',
  topic: TOPIC,
  partition: 0,
  value: 'a',
  key: null,
  acks: -1,
  idempotent: false,
  producerId: -1,
  producerEpoch: -1,
}

/** The leader of `bench`, on which everything that is appended is committed at once. */
function lonely(bench: StateBench): (batch: Buffer) => void {
  const leader = bench.replicas()[0]!
  return (batch) => {
    produce(leader, batch)
    bench.look(1)
    leader.log.updateHighWatermark(leader.log.logEndOffset)
    bench.look(1)
  }
}

function acknowledge(bench: StateBench, offset: number, change: Partial<SendOperation> = {}): void {
  const send = { ...SEND, ...change }
  bench.history.end(bench.history.invoke('c', send), 'c', 'ok', { ...send, offset })
}

describe('answers', () => {
  it('passes what is committed', () => {
    const bench = new StateBench()
    lonely(bench)(producedBatch(['a', 'b'], 4))
    const session = { producerId: 7, producerEpoch: 0 }
    acknowledge(bench, 0, { ...session, sequence: 4 })
    acknowledge(bench, 1, { ...session, sequence: 5, value: 'b' })
    expect(bench.messages).toEqual([])
    expect([bench.count('D8'), bench.count('D6')]).toEqual([2, 2])
  })

  it('D8: an acknowledged record above the high watermark', () => {
    const bench = new StateBench()
    lonely(bench)(producedBatch(['a']))
    acknowledge(bench, 1)
    expect(bench.broken).toEqual(['D8'])
  })

  it('D8: one that was committed with too few in sync', () => {
    const bench = new StateBench()
    const leader = bench.replicas()[0]!
    leader.leaderRole!.inSync.commit([1])
    produce(leader, producedBatch(['a']))
    bench.look(1)
    leader.log.updateHighWatermark(1)
    bench.emit(1, 'partition.high-watermark', { topic: TOPIC, partition: 0 })
    bench.look(1)
    acknowledge(bench, 0)
    expect(bench.broken).toContain('D8')
  })

  it('D6: an offset that is of another producer, or of another record', () => {
    const bench = new StateBench()
    lonely(bench)(producedBatch(['a', 'b'], 4))
    acknowledge(bench, 0)
    expect(bench.broken).toEqual(['D6'])
    const other = new StateBench()
    lonely(other)(producedBatch(['a', 'b'], 4))
    acknowledge(other, 1, { producerId: 7, producerEpoch: 0, sequence: 4 })
    expect(other.broken).toEqual(['D6'])
  })

  it('D6: of a client that keeps its session to itself, only whether the record has one', () => {
    const bench = new StateBench()
    lonely(bench)(producedBatch(['a'], 4))
    acknowledge(bench, 0, { idempotent: true, producerId: -1 })
    expect(bench.messages).toEqual([])
    const other = new StateBench()
    lonely(other)(producedBatch(['a']))
    acknowledge(other, 0, { idempotent: true, producerId: -1 })
    expect(other.broken).toEqual(['D6'])
  })

  it('D3: a read above the high watermark', () => {
    const bench = new StateBench()
    const leader = bench.replicas()[0]!
    produce(leader, producedBatch(['a']))
    bench.look(1)
    bench.history.note('r', {
      op: 'poll',
      topic: TOPIC,
      partition: 0,
      position: 0,
      isolation: 'read_uncommitted',
      isFirst: true,
      purpose: 'reader',
      records: [{ offset: 0, value: 'a', key: null }],
      highWatermark: 0,
    })
    expect(bench.broken).toEqual(['D3'])
  })
})

describe('producer sessions', () => {
  it.each([
    ['P1', 'a sequence twice', [0, 0], [0, 0]],
    ['P2', 'a gap', [0, 9], [0, 0]],
    ['P2', 'a new epoch that does not begin at 0', [0, 5], [0, 1]],
    ['P3', 'an older epoch after a newer one', [0, 0], [1, 0]],
  ])('%s: %s', (invariant, _what, sequences, epochs) => {
    const bench = new StateBench()
    const leader = bench.replicas()[0]!
    for (const [index, sequence] of sequences.entries()) {
      const batch = producedBatch(['a'], sequence, epochs[index])
      batch.writeBigInt64BE(BigInt(index), 0)
      batch.writeInt32BE(1, 12)
      // As a leader would that does not look at sequences.
      leader.log.appendAsFollower(batch, 1)
    }
    bench.look(1)
    leader.log.updateHighWatermark(2)
    bench.look(1)
    expect(bench.broken).toContain(invariant)
  })

  it('takes sessions in order', () => {
    const bench = new StateBench()
    const append = lonely(bench)
    append(producedBatch(['a', 'b'], 0))
    append(producedBatch(['c'], 2))
    append(producedBatch(['d'], 0, 1))
    bench.barrier()
    expect(bench.messages).toEqual([])
    expect([bench.count('P1'), bench.count('P3'), bench.count('P4')]).toEqual([1, 1, 1])
  })

  it('P4: a leader that has forgotten a producer of its log', () => {
    const bench = new StateBench()
    lonely(bench)(producedBatch(['a'], 0))
    const { log } = bench.node(1).partition(`${TOPIC}-0`)!
    Object.defineProperty(log, 'producerEntries', { value: () => [] })
    bench.barrier()
    expect(bench.broken).toEqual(['P4'])
  })
})

function shard(change: Partial<GroupView>, dump = ''): GroupShardView {
  const group: GroupView = {
    groupId: 'g',
    state: 'Stable',
    generation: 2,
    leader: 'm1',
    protocol: 'range',
    members: ['m1', 'm2'],
    offsets: new Map(),
    ...change,
  }
  return { partition: 0, leaderEpoch: 1, isActive: true, dump: () => dump, groups: () => [group] }
}

function show(bench: StateBench, change: Partial<GroupView>): void {
  bench.node(1).shards = [shard(change)]
  bench.emit(1, 'group.state-changed', { group: 'g', state: 'Stable' })
  bench.look(1)
}

describe('groups', () => {
  it.each([
    ['a generation that goes back', { generation: 1 }],
    ['two protocols', { protocol: 'roundrobin' }],
    ['two leaders', { leader: 'm2' }],
  ])('G2: %s', (_what, change) => {
    const bench = new StateBench()
    show(bench, {})
    show(bench, {})
    expect(bench.messages).toEqual([])
    show(bench, change)
    expect(bench.broken).toEqual(['G2'])
  })

  it('G2 lets a static leader come back under another member id', () => {
    const bench = new StateBench()
    show(bench, {})
    show(bench, { leader: 'm3', members: ['m2', 'm3'] })
    expect(bench.messages).toEqual([])
  })

  it.each([
    ['forgets', true, []],
    ['may not forget, within the budget,', false, ['G2']],
  ])('G2: a coordinator that lost its disk %s generations', (_what, isOverBudget, broken) => {
    const bench = new StateBench()
    bench.budget.holdsDurability = !isOverBudget
    show(bench, {})
    bench.begin(1, { lostDisk: true })
    show(bench, { generation: 1 })
    expect(bench.broken).toEqual(broken)
  })

  it('G2 begins anew when the voters have lost the metadata, which is over the budget', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords())
    bench.replicate(1, 2)
    bench.commit(1, 5)
    show(bench, {})
    bench.world.node('n1').disk.tree.remove('__cluster_metadata-0')
    bench.budget.holdsQuorum = false
    bench.begin(1, { lostDisk: true })
    bench.elect(1, 3)
    expect(bench.isMetadataLost).toBe(true)
    show(bench, { generation: 1 })
    expect(bench.broken).toEqual([])
  })

  it('G2: a coordinator that begins before a generation that was told', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    const records = clusterRecords().map((record) =>
      record.type === 'TopicRecord'
        ? { ...record, data: { ...record.data, name: '__consumer_offsets' } }
        : record,
    ) as ReturnType<typeof clusterRecords>
    bench.write(1, 1, records)
    bench.replicate(1, 2)
    bench.commit(1, 5)
    const told = { group: 'g', member: 'm1', generation: 3, topic: TOPIC, partitions: [0] }
    bench.history.note('m1', { op: 'assigned', ...told })
    bench.node(1).shards = [shard({ generation: 2 })]
    bench.emit(1, 'coordinator.loaded', { partition: 0 })
    bench.look(1)
    expect(bench.broken).toEqual(['G2'])
  })

  it('G3: an acknowledged commit of a generation that is over', () => {
    const bench = new StateBench()
    const assigned = { group: 'g', member: 'm1', topic: TOPIC, partitions: [0] }
    const commit = { group: 'g', member: 'm1', topic: TOPIC, partition: 0, offset: 5 }
    const { history } = bench
    history.note('m1', { op: 'assigned', ...assigned, generation: 2 })
    const good = { op: 'commit', ...commit, generation: 2 } as const
    history.end(history.invoke('m1', good), 'm1', 'ok', good)
    expect(bench.messages).toEqual([])
    const stale = { op: 'commit', ...commit, generation: 1 } as const
    history.end(history.invoke('m1', stale), 'm1', 'ok', stale)
    expect(bench.broken).toEqual(['G3'])
  })

  it('G3: a refused commit that has changed the offset', () => {
    const bench = new StateBench()
    const { history } = bench
    const place = { group: 'g', member: 'm1', generation: 1, topic: TOPIC, partition: 0 }
    const commit = { op: 'commit', ...place, offset: 5 } as const
    history.end(history.invoke('m1', commit), 'm1', 'fail', { ...commit, error: 'X' })
    bench.node(1).shards = [shard({ offsets: new Map([[`${TOPIC}-0`, 4]]) })]
    bench.barrier()
    expect(bench.messages).toEqual([])
    bench.node(1).shards = [shard({ offsets: new Map([[`${TOPIC}-0`, 5]]) })]
    bench.barrier()
    expect(bench.broken).toEqual(['G3'])
  })

  it('G5: memory that is not the replay of the log', () => {
    const bench = new StateBench()
    const offsets = bench.node(1).host('__consumer_offsets')
    offsets.log.appendAsLeader(producedBatch(['x']), {
      leaderEpoch: 1,
      nowMs: 1,
      origin: 'raft',
    })
    bench.look(1)
    bench.node(1).shards = [shard({}, 'offset of nobody\n')]
    bench.emit(1, 'coordinator.loaded', { partition: 0 })
    bench.look(1)
    expect(bench.broken).toEqual(['G5'])
  })
})

describe('at rest', () => {
  /** Three equal replicas of a partition that the metadata know. */
  function rest(bench: StateBench): readonly Partition[] {
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords())
    bench.replicate(1, 2)
    bench.commit(1, 5)
    const replicas = bench.replicas()
    const [leader, ...followers] = replicas
    const bytes = produce(leader!, producedBatch(['a', 'b']))
    leader!.log.updateHighWatermark(2)
    bench.look(1)
    for (const follower of followers) follow(follower, bytes, 2)
    bench.look(2, 3)
    return replicas
  }

  it('passes equal replicas', () => {
    const bench = new StateBench()
    rest(bench)
    acknowledge(bench, 1, { value: 'b' })
    bench.end()
    expect(bench.messages).toEqual([])
    expect(bench.count('D9')).toBeGreaterThan(3)
  })

  it.each([
    ['a shorter log', (third: Partition): void => third.truncateTo(0, 'a test')],
    ['another high watermark', (third: Partition): void => third.log.updateHighWatermark(0)],
    [
      'an epoch that begins elsewhere',
      (third: Partition): void => {
        const value = [{ epoch: 1, startOffset: 1 }]
        Object.defineProperty(third.log, 'epochEntries', { value })
      },
    ],
  ])('D9: %s', (_what, change) => {
    const bench = new StateBench()
    change(rest(bench)[2]!)
    bench.look(3)
    bench.messages.length = 0
    bench.end()
    expect(bench.broken).toEqual(['D9'])
  })

  it('D9: memory that the files do not give', () => {
    const bench = new StateBench()
    const { log } = rest(bench)[1]!
    Object.defineProperty(log, 'producerEntries', {
      value: () => [
        {
          producerId: 1,
          producerEpoch: 0,
          lastSequence: 0,
          lastOffset: 0,
          offsetDelta: 0,
          lastTimestampMs: 0,
          coordinatorEpoch: -1,
          currentTxnFirstOffset: -1,
        },
      ],
    })
    bench.end()
    expect(bench.broken).toEqual(['D9'])
  })

  it('D6: another value at an acknowledged offset', () => {
    const bench = new StateBench()
    rest(bench)
    acknowledge(bench, 1, { value: 'other' })
    bench.end()
    expect(bench.broken).toEqual(['D6'])
  })
})
