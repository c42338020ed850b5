// Goal: each check of partition replicas finds what breaks its invariant, and nothing else. Method: real
// partitions and logs on simulated disks, whose every move is the test's.
import { describe, expect, it } from 'vitest'
import {
  clusterRecords,
  fetched,
  follow,
  partitionChanged,
  produce,
  producedBatch,
  StateBench,
  stateOf,
  TOPIC,
} from '../../../../support/state-bench.ts'

/** A batch on all replicas, committed. */
function committed(bench: StateBench, values = ['a', 'b']) {
  const replicas = bench.replicas()
  const [leader, second, third] = replicas
  const bytes = produce(leader!, producedBatch(values))
  bench.look(1)
  for (const follower of [second!, third!]) follow(follower, bytes)
  bench.look(2, 3)
  const end = leader!.log.logEndOffset
  for (const id of [2, 3]) fetched(leader!, id, end)
  bench.look(1)
  return [leader!, second!, third!] as const
}

describe('a replicated partition without faults', () => {
  it.each([true, false])('passes, files read directly: %s', (readsFiles) => {
    const bench = new StateBench({ readsFiles })
    const [leader, second, third] = committed(bench)
    for (const follower of [second, third]) follow(follower, Buffer.alloc(0), 2)
    bench.look(2, 3)
    bench.barrier()
    bench.end()
    expect(bench.messages).toEqual([])
    expect(leader.log.highWatermark).toBe(2)
    for (const id of ['R1', 'R2', 'R3', 'R5', 'R10', 'R11', 'R15', 'D7'] as const) {
      expect({ id, count: bench.count(id) }).not.toEqual({ id, count: 0 })
    }
  })

  it('counts nothing of a log that nobody has written to', () => {
    const bench = new StateBench()
    bench.replicas()
    bench.barrier()
    expect([...bench.counts.keys()].filter((id) => /^[RDP]/.test(id))).toEqual(['R5'])
  })
})

describe('logs', () => {
  it('R1: a follower with other bytes at the same place', () => {
    const bench = new StateBench()
    const [leader, second] = bench.replicas()
    produce(leader!, producedBatch(['a']))
    bench.look(1)
    const forged = producedBatch(['x'])
    forged.writeInt32BE(1, 12)
    follow(second!, forged)
    bench.look(2)
    expect(bench.broken).toEqual(['R1'])
  })

  it.each([
    ['R1: the same batch behind another one', 0, ['R1']],
    ['R1 does not reach below the start of a log', 1, []],
  ])('%s', (_what, logStartOffset, broken) => {
    const bench = new StateBench()
    const [leader, second] = bench.replicas()
    produce(leader!, producedBatch(['a']))
    const records = produce(leader!, producedBatch(['b']))
    bench.look(1)
    // Of epoch 0, and uncommitted when its leader went.
    const older = producedBatch(['x'])
    older.writeInt32BE(0, 12)
    follow(second!, older)
    bench.look(2)
    expect(bench.broken).toEqual([])
    second!.appendAsFollower({ leaderEpoch: 1, records, highWatermark: 1, logStartOffset })
    bench.look(2)
    expect(bench.broken.filter((id) => id === 'R1')).toEqual(broken)
  })

  it('R3: an epoch that falls along the log', () => {
    const bench = new StateBench()
    const [, second] = bench.replicas()
    for (const [base, epoch] of [
      [0, 1],
      [1, 0],
    ]) {
      const batch = producedBatch(['x'])
      batch.writeBigInt64BE(BigInt(base!), 0)
      batch.writeInt32BE(epoch!, 12)
      second!.log.appendAsFollower(batch, 1)
    }
    bench.look(2)
    expect(bench.broken).toContain('R3')
  })

  it('D7: a batch that enters a log with a wrong CRC', () => {
    const bench = new StateBench()
    const [leader] = bench.replicas()
    produce(leader!, producedBatch(['abc']))
    const file = 'orders-0/00000000000000000000.log'
    bench.world.node('n1').disk.flipBit(file, leader!.log.sizeBytes - 2, 0)
    bench.look(1)
    expect(bench.broken).toEqual(['D7'])
  })

  it('takes no damage for a broken log that a node finds at its start', () => {
    const bench = new StateBench()
    const [leader, second] = bench.replicas()
    for (const value of ['a', 'b', 'c']) {
      follow(second!, produce(leader!, producedBatch([value])))
      bench.look(1, 2)
    }
    second!.log.close()
    bench.world.node('n2').disk.flipBit('orders-0/00000000000000000000.log', 66, 3)
    const again = bench.begin(2).host(undefined, undefined, true)
    expect(again.log.logEndOffset).toBe(3)
    bench.barrier()
    expect(bench.messages).toEqual([])
  })

  it('R2: a replica whose high watermark covers what was never committed', () => {
    const bench = new StateBench()
    const [, second] = committed(bench)
    second.log.updateHighWatermark(2)
    second.truncateTo(0, 'a test')
    const forged = producedBatch(['x', 'y'])
    second.log.appendAsFollower(forged, 1)
    second.log.updateHighWatermark(2)
    bench.look(2)
    bench.barrier()
    expect(bench.broken).toContain('R2')
  })
})

describe('leaders', () => {
  it('R5: two in one epoch', () => {
    const bench = new StateBench()
    const [, second] = bench.replicas()
    second!.makeLeader(stateOf({ leader: 2, partitionEpoch: 2 }))
    bench.look(2)
    expect(bench.broken).toEqual(['R5'])
  })

  it('R6: an older epoch after a restart', () => {
    const bench = new StateBench()
    const [, second] = bench.replicas()
    second!.makeFollower(stateOf({ leader: 3, leaderEpoch: 4, partitionEpoch: 4 }))
    bench.look(2)
    bench
      .begin(2)
      .host()
      .makeFollower(stateOf({ leader: 3, leaderEpoch: 3 }))
    bench.look(2)
    expect(bench.broken).toEqual(['R6'])
  })

  it('R7: a leader without the committed records, and with others in their place', () => {
    const short = new StateBench()
    const [leader, second] = short.replicas()
    const bytes = produce(leader!, producedBatch(['a']))
    short.look(1)
    follow(short.node(3).partition('orders-0')!, bytes)
    short.look(3)
    leader!.log.updateHighWatermark(1)
    short.look(1)
    second!.makeLeader(stateOf({ leader: 2, leaderEpoch: 2, partitionEpoch: 2 }))
    short.look(2)
    expect(short.broken).toEqual(['R7'])

    const other = new StateBench()
    const third = committed(other)[2]
    third.log.truncateFullyAndStartAt(0)
    third.log.appendAsFollower(producedBatch(['x', 'y']), 1)
    other.look(3)
    other.messages.length = 0
    third.makeLeader(stateOf({ leader: 3, leaderEpoch: 2, partitionEpoch: 2 }))
    other.look(3)
    expect(other.broken).toEqual(['R7'])
  })

  it('R7 is about what was committed before the leader began, not in the rest of the same step', () => {
    const bench = new StateBench()
    const third = committed(bench)[2]
    third.makeLeader(stateOf({ leader: 3, leaderEpoch: 2, partitionEpoch: 2, isr: [3] }))
    produce(third, producedBatch(['c']))
    third.log.updateHighWatermark(3)
    bench.emit(3, 'partition.high-watermark', { topic: TOPIC, partition: 0 })
    bench.look(3)
    expect(bench.broken).not.toContain('R7')

    const late = new StateBench()
    const [leader, second] = late.replicas()
    const bytes = produce(leader!, producedBatch(['a']))
    follow(late.node(3).partition('orders-0')!, bytes)
    leader!.log.updateHighWatermark(1)
    late.look(1, 3)
    second!.makeLeader(stateOf({ leader: 2, leaderEpoch: 2, partitionEpoch: 2 }))
    produce(second!, producedBatch(['b']))
    late.look(2)
    expect(late.broken).toContain('R7')
  })

  it('R7 is not asked when durability is over the budget', () => {
    const bench = new StateBench()
    bench.budget.holdsDurability = false
    const third = committed(bench)[2]
    third.log.truncateFullyAndStartAt(0)
    bench.look(3)
    third.makeLeader(stateOf({ leader: 3, leaderEpoch: 2, partitionEpoch: 2 }))
    bench.look(3)
    expect(bench.broken).not.toContain('R7')
  })
})

describe('high watermarks', () => {
  it('R10: beyond the log of a member of the maximal ISR', () => {
    const bench = new StateBench()
    const [leader] = bench.replicas()
    produce(leader!, producedBatch(['a']))
    bench.look(1)
    for (const id of [2, 3]) fetched(leader!, id, 1)
    bench.look(1)
    expect(bench.broken).toEqual(['R10', 'R15'])
  })

  it('R10: moved with fewer in sync than min.insync.replicas', () => {
    const bench = new StateBench()
    const [leader] = bench.replicas()
    leader!.makeLeader(stateOf({ isr: [1], leaderEpoch: 2, partitionEpoch: 2 }))
    produce(leader!, producedBatch(['a']))
    bench.look(1)
    leader!.log.updateHighWatermark(1)
    bench.emit(1, 'partition.high-watermark', { topic: 'orders', partition: 0, highWatermark: 1 })
    bench.look(1)
    expect(bench.broken).toEqual(['R10'])
  })

  it('R10: a follower beyond what any leader has had', () => {
    const bench = new StateBench()
    const [leader, second] = bench.replicas()
    follow(second!, produce(leader!, producedBatch(['a'])))
    second!.log.updateHighWatermark(1)
    bench.look(1, 2)
    expect(bench.broken).toEqual(['R10'])
  })

  it('R11: back on one leader within one epoch', () => {
    const bench = new StateBench()
    const [leader] = committed(bench)
    leader.log.updateHighWatermark(1)
    bench.look(1)
    expect(bench.broken).toEqual(['R11'])
  })

  it('R9: the controller may elect somebody whom the leader does not wait for', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords([1, 2, 3]))
    bench.replicate(1, 2)
    bench.commit(1, 5)
    const [leader, second] = bench.replicas()
    leader!.makeLeader(stateOf({ isr: [1, 2], partitionEpoch: 2 }))
    follow(second!, produce(leader!, producedBatch(['a'])))
    bench.look(1, 2)
    fetched(leader!, 2, 1)
    bench.look(1)
    expect(bench.broken).toContain('R9')
  })

  it('R9: the leader no longer waits for somebody, before anything follows from it', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords([1, 2, 3]))
    bench.replicate(1, 2)
    bench.commit(1, 5)
    const [leader] = bench.replicas()
    leader!.makeLeader(stateOf({ isr: [1, 2, 3] }))
    bench.look(1)
    expect(bench.broken).toEqual([])
    leader!.makeLeader(stateOf({ isr: [1, 2], partitionEpoch: 2 }))
    bench.look(1)
    expect(bench.broken).toEqual(['R9'])
  })
})

describe('answers of the controller', () => {
  const expanded = (bench: StateBench, partitionEpoch: number): void => {
    const leader = bench.node(1).host()
    leader.makeLeader(stateOf({ isr: [1] }))
    bench.look(1)
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords([1, 2]))
    bench.replicate(1, 2)
    bench.commit(1, 5)
    leader.makeLeader(stateOf({ isr: [1, 2], partitionEpoch }))
    bench.emit(1, 'partition.isr-expanded', { topic: TOPIC, partition: 0 })
  }

  it('pass when what they tell is committed', () => {
    const bench = new StateBench()
    expanded(bench, 1)
    expect(bench.messages).toEqual([])
    expect(bench.count('Q13')).toBeGreaterThan(0)
  })

  it('Q13: a leader has an ISR that is not committed', () => {
    const bench = new StateBench()
    expanded(bench, 2)
    expect(bench.broken).toContain('Q13')
  })
})

describe('log starts, cuts and members', () => {
  it('R13: a log start that goes back', () => {
    const bench = new StateBench()
    const [leader] = committed(bench)
    leader.log.incrementLogStartOffset(2)
    bench.look(1)
    leader.log.truncateFullyAndStartAt(1)
    bench.look(1)
    expect(bench.broken).toContain('R13')
  })

  it('R14: a cut of committed records', () => {
    const bench = new StateBench()
    const [, second] = committed(bench)
    second.truncateTo(0, 'a test')
    bench.look(2)
    expect(bench.broken).toEqual(['R14'])
  })

  it('R14: a cut of records that the leader has', () => {
    const bench = new StateBench()
    const [leader, second] = bench.replicas()
    follow(second!, produce(leader!, producedBatch(['a'])))
    bench.look(1, 2)
    second!.truncateTo(0, 'to the high watermark')
    bench.look(2)
    expect(bench.broken).toEqual(['R14'])
  })

  it('R14 lets a follower drop what its leader never had', () => {
    const bench = new StateBench()
    const [leader, second, third] = bench.replicas()
    produce(leader!, producedBatch(['lost']))
    bench.look(1)
    second!.makeLeader(stateOf({ leader: 2, leaderEpoch: 2, partitionEpoch: 2 }))
    third!.makeFollower(stateOf({ leader: 2, leaderEpoch: 2, partitionEpoch: 2 }))
    leader!.makeFollower(stateOf({ leader: 2, leaderEpoch: 2, partitionEpoch: 2 }))
    bench.look(1, 2, 3)
    leader!.truncateTo(0, 'diverging-epoch')
    follow(leader!, produce(second!, producedBatch(['kept'])))
    bench.look(2, 1)
    bench.barrier()
    expect(bench.messages).toEqual([])
    expect(bench.count('R14')).toBe(1)
  })

  it('R15: a follower that is counted further than its log goes', () => {
    const bench = new StateBench()
    const [leader] = bench.replicas()
    produce(leader!, producedBatch(['a']))
    fetched(leader!, 2, 1)
    bench.look(1)
    bench.barrier()
    expect(bench.broken).toEqual(['R15'])
  })

  it('R8: a live member of the ISR without a committed record', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords())
    bench.replicate(1, 2)
    bench.commit(1, 5)
    const third = committed(bench)[2]
    bench.barrier()
    expect(bench.messages).toEqual([])
    bench.budget.holdsDurability = false
    third.truncateTo(0, 'a test')
    bench.look(3)
    bench.messages.length = 0
    bench.barrier()
    expect(bench.broken).not.toContain('R8')
    bench.budget.holdsDurability = true
    bench.barrier()
    expect(bench.broken).toContain('R8')
  })

  it('R8 does not ask a broker that is not yet registered in this life', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords())
    bench.replicate(1, 2)
    bench.commit(1, 5)
    committed(bench)
    const { disk } = bench.world.node('n3')
    disk.tree.remove('orders-0')
    bench.begin(3, { lostDisk: true }).brokerEpoch = -1
    bench.node(3).host()
    bench.barrier()
    expect(bench.messages).toEqual([])
  })

  it('R16: a leader from outside of the ISR, unless the plan allows it and says so', () => {
    for (const isUnclean of [false, true]) {
      const bench = new StateBench()
      bench.budget.isUnclean = isUnclean
      bench.elect(1, 1)
      bench.write(1, 1, clusterRecords([1, 2]))
      bench.write(1, 1, [partitionChanged({ leader: 3, isr: [3], leaderRecoveryState: 1 })])
      bench.replicate(1, 2)
      bench.commit(1, 6)
      expect(bench.broken).toEqual(isUnclean ? [] : ['R16'])
    }
  })
})
