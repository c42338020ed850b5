// Goal: each check of the controller quorum and of the metadata finds what breaks its invariant. Method: real
// metadata logs on simulated disks; votes, roles and high watermarks are what the test says.
import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'
import { metadataRecord } from '../../../../../src/wire/metadata-record.ts'
import {
  clusterRecords,
  partitionChanged,
  registered,
  StateBench,
} from '../../../../support/state-bench.ts'

const NO_OP = metadataRecord('NoOpRecord', {})
const INCARNATION = 'BbcdefghijklmnopqrstuQ'

/** Node 1 leads epoch 1; two records are committed on nodes 1 and 2. */
function quorum(): StateBench {
  const bench = new StateBench()
  bench.elect(1, 1)
  bench.write(1, 1, [NO_OP, NO_OP])
  bench.replicate(1, 2)
  bench.commit(1, 2)
  return bench
}

describe('a quorum without faults', () => {
  it('passes', () => {
    const bench = quorum()
    bench.replicate(1, 3)
    bench.commit(2, 2)
    bench.commit(3, 2)
    bench.elect(2, 2, [2, 3])
    bench.write(2, 2, [NO_OP])
    bench.replicate(2, 3)
    bench.commit(2, 3)
    bench.barrier()
    bench.end()
    expect(bench.messages).toEqual([])
    for (const id of ['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6', 'Q7', 'Q8', 'Q11', 'Q13'] as const) {
      expect({ id, count: bench.count(id) }).not.toEqual({ id, count: 0 })
    }
  })

  it('asks nothing of votes and logs when the quorum is over the budget', () => {
    const bench = quorum()
    bench.budget.holdsQuorum = false
    bench.elect(3, 1, [2, 3])
    bench.node(3).quorum.epoch = 0
    bench.look(3)
    bench.write(3, 1, [NO_OP])
    bench.commit(3, 1)
    bench.barrier()
    expect(bench.messages).toEqual([])
  })
})

describe('elections', () => {
  it('Q1: two leaders in one epoch', () => {
    const bench = quorum()
    bench.replicate(1, 3)
    bench.elect(3, 1, [3])
    expect(bench.broken).toContain('Q1')
  })

  it('Q2: two votes in one epoch', () => {
    const bench = quorum()
    bench.emit(3, 'quorum.voted', { epoch: 2, candidate: 1 })
    bench.emit(3, 'quorum.voted', { epoch: 2, candidate: 2 })
    expect(bench.broken).toEqual(['Q2'])
  })

  it('Q2: a vote that was counted is gone after a power cut', () => {
    const bench = quorum()
    bench.begin(2, { lostTail: true })
    expect(bench.broken).toContain('Q3')
    const forgot = quorum()
    forgot.node(2).quorum.votedFor = -1
    forgot.look(2)
    expect(forgot.broken).toEqual(['Q2'])
  })

  it('Q2 lets a power cut take a vote that nobody has counted', () => {
    const bench = new StateBench()
    bench.emit(3, 'quorum.voted', { epoch: 1, candidate: 1 })
    bench.begin(3, { lostTail: true })
    bench.emit(3, 'quorum.voted', { epoch: 1, candidate: 2 })
    expect(bench.messages).toEqual([])
  })

  it('Q2: but a crash of the process takes none', () => {
    const bench = new StateBench()
    bench.emit(3, 'quorum.voted', { epoch: 1, candidate: 1 })
    bench.begin(3)
    bench.emit(3, 'quorum.voted', { epoch: 1, candidate: 2 })
    expect(bench.broken).toEqual(['Q2'])
  })

  it('Q3: an epoch that goes back', () => {
    const bench = quorum()
    bench.node(3).quorum.epoch = 4
    bench.look(3)
    bench.node(3).quorum.epoch = 3
    bench.look(3)
    expect(bench.broken).toEqual(['Q3'])
  })

  it('Q5: a leader without a committed entry', () => {
    const bench = quorum()
    bench.elect(3, 2, [2, 3])
    expect(bench.broken).toEqual(['Q5'])
  })
})

describe('the metadata log', () => {
  it('Q4: two histories at one place', () => {
    const bench = quorum()
    bench.node(3).quorum.role = 'leader'
    bench.write(3, 1, [metadataRecord('FeatureLevelRecord', { name: 'x', featureLevel: 1 })])
    expect(bench.broken).toContain('Q4')
  })

  it('Q6: a node that takes another entry for committed', () => {
    const bench = quorum()
    bench.write(3, 2, [NO_OP])
    bench.node(3).quorum.highWatermark = 1
    bench.look(3)
    expect(bench.broken).toContain('Q6')
  })

  it('Q7: a commit that a minority holds, and one by an older entry', () => {
    const minority = quorum()
    minority.write(1, 1, [NO_OP])
    minority.commit(1, 3)
    expect(minority.broken).toEqual(['Q7'])
    const older = quorum()
    older.write(1, 1, [NO_OP])
    older.replicate(1, 2)
    older.elect(2, 2)
    older.commit(2, 3)
    expect(older.broken).toEqual(['Q7'])
  })

  it('Q7: a commit that a majority holds, but not on its disks; a restart forgets no fsync', () => {
    const bench = quorum()
    bench.write(1, 1, [NO_OP])
    bench.replicate(1, 2)
    bench.node(2).quorum.durableEndOffset = 0
    bench.commit(1, 3)
    expect(bench.messages).toEqual([])
    bench.begin(2, { lostDisk: true })
    bench.node(2).quorum.durableEndOffset = 0
    bench.replicate(1, 2)
    bench.write(1, 1, [NO_OP])
    bench.replicate(1, 2)
    bench.commit(1, 4)
    expect(bench.broken).toContain('Q7')
  })

  it('Q8: a high watermark that goes back', () => {
    const bench = quorum()
    bench.node(1).quorum.highWatermark = 1
    bench.look(1)
    expect(bench.broken).toEqual(['Q8'])
  })

  it('Q10 and Q11: a cut below the high watermark', () => {
    const bench = quorum()
    bench.commit(2, 2)
    bench.node(2).quorum.log.truncateTo(0)
    bench.look(2)
    bench.barrier()
    expect(bench.broken.slice(0, 2)).toEqual(['Q10', 'Q11'])
  })

  describe('a node that ends because its leader lacks what is committed', () => {
    const LOST = { to: 0, highWatermark: 2, epoch: 2 }

    /** The only one of the voters that counts comes back empty. */
    function wiped(): StateBench {
      const bench = quorum()
      bench.commit(2, 2)
      bench.world.node('n1').disk.tree.remove('__cluster_metadata-0')
      bench.budget.holdsQuorum = false
      bench.begin(1, { lostDisk: true })
      return bench
    }

    it('is excused over the budget, when a voter has lost what is committed', () => {
      const bench = wiped()
      bench.emit(2, 'quorum.committed-lost', LOST)
      expect(bench.broken).toEqual([])
      expect(bench.isMetadataLost).toBe(true)
    })

    it('Q10: is not excused within the budget, nor when no voter has lost anything', () => {
      const within = wiped()
      within.budget.holdsQuorum = true
      within.emit(2, 'quorum.committed-lost', LOST)
      const whole = quorum()
      whole.budget.holdsQuorum = false
      whole.begin(1)
      whole.emit(2, 'quorum.committed-lost', LOST)
      for (const bench of [within, whole]) {
        expect(bench.broken).toEqual(['Q10'])
        expect(bench.isMetadataLost).toBe(false)
      }
    })

    it('has a cluster without its metadata when the empty voter is elected', () => {
      const bench = wiped()
      bench.elect(1, 3)
      expect(bench.isMetadataLost).toBe(true)
      const whole = quorum()
      whole.budget.holdsQuorum = false
      whole.begin(1)
      whole.elect(1, 3)
      expect(whole.isMetadataLost).toBe(false)
    })
  })

  it('Q11: a committed entry that only a minority still has', () => {
    const bench = quorum()
    bench.world.node('n2').disk.tree.remove('__cluster_metadata-0')
    bench.budget.holdsQuorum = false
    bench.begin(2, { lostDisk: true })
    bench.budget.holdsQuorum = true
    bench.barrier()
    expect(bench.broken).toEqual(['Q11'])
  })

  it('Q13: entries of an epoch by another node than its leader', () => {
    const bench = quorum()
    bench.elect(1, 2)
    bench.replicate(1, 3)
    bench.write(3, 2, [NO_OP])
    expect(bench.broken).toEqual(['Q13'])
  })
})

describe('metadata', () => {
  it('Q12: a node that applies what is not committed, or goes back', () => {
    const bench = quorum()
    bench.node(3).image.lastOffset = 2
    bench.look(3)
    expect(bench.broken).toEqual(['Q12'])
    const back = quorum()
    back.node(1).image.lastOffset = 1
    back.look(1)
    back.node(1).image.lastOffset = 0
    back.look(1)
    expect(back.broken).toEqual(['Q12'])
  })

  it('Q6: an image that is not what the records say', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords())
    bench.replicate(1, 2)
    bench.commit(1, 5)
    const { image } = bench.node(2)
    for (const record of clusterRecords()) image.apply(record)
    bench.look(2)
    bench.barrier()
    expect(bench.messages).toEqual([])
    const other = bench.node(3).image
    for (const record of clusterRecords([1, 2])) other.apply(record)
    bench.look(3)
    bench.barrier()
    expect(bench.broken).toEqual(['Q6'])
  })

  it('Q14: a new incarnation while the one before is not fenced', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, clusterRecords())
    bench.write(1, 1, [registered(2, 200, INCARNATION, true)])
    bench.replicate(1, 2)
    bench.commit(1, 6)
    expect(bench.broken).toContain('Q14')
  })

  it('Q14: a smaller epoch, and one epoch on two nodes', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, [registered(2, 102, ZERO_UUID, true), registered(2, 101, INCARNATION, true)])
    bench.replicate(1, 2)
    bench.commit(1, 2)
    expect(bench.broken).toEqual(['Q14'])
    bench.messages.length = 0
    bench.node(3).brokerEpoch = 101
    bench.barrier()
    expect(bench.broken).toEqual(['Q14'])
  })

  it('R16: a fenced broker in an ISR of several', () => {
    const bench = new StateBench()
    bench.elect(1, 1)
    bench.write(1, 1, [...clusterRecords(), partitionChanged({ isr: [1, 2] })])
    bench.replicate(1, 2)
    bench.commit(1, 6)
    expect(bench.messages).toEqual([])
    bench.write(1, 1, [metadataRecord('FenceBrokerRecord', { id: 2, epoch: 102 })])
    bench.replicate(1, 2)
    bench.commit(1, 7)
    expect(bench.broken).toEqual(['R16'])
  })
})
