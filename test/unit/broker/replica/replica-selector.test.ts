import { describe, expect, it } from 'vitest'
import { replicaSelectorOf } from '../../../../broker/replica/replica-selector.ts'
import { PartitionBench } from '../../../support/replica-partition.ts'

const RACK_AWARE = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'
const LISTENERS = [{ name: 'PLAINTEXT', host: 'h', port: 1, securityProtocol: 0 }]

/** Broker 1 in rack a leads; 2 and 3 in rack b are in sync and have fetched up to 2 of 3. */
function setUp() {
  const bench = new PartitionBench()
  const inRack = (id: number, rack: string | null, change = {}) =>
    bench.register(id, 100 + id, { rack, listeners: LISTENERS, ...change })
  inRack(1, 'a')
  inRack(2, 'b')
  inRack(3, 'b')
  bench.lead()
  for (const value of ['x', 'y', 'z']) bench.append(value)
  bench.fetched(2, 2)
  bench.fetched(3, 2)
  const select = replicaSelectorOf(RACK_AWARE, 1, (id) => bench.registrations.get(id))!
  const ask = (rackId: string, offset = 0, listenerName = 'PLAINTEXT') =>
    select(bench.partition, { rackId, listenerName }, offset)
  return { bench, inRack, ask }
}

describe('RackAwareReplicaSelector', () => {
  it('names the replica of the rack that has most, and of equals the one with the higher id', () => {
    const { bench, ask } = setUp()
    expect(ask('b')).toBe(3)
    bench.fetched(2, 3)
    expect(ask('b')).toBe(2)
  })

  it('names nobody where the leader is in the rack, nobody is, or there is no rack', () => {
    const { inRack, ask } = setUp()
    expect([ask('a'), ask('c'), ask('')]).toEqual([null, null, null])
    inRack(1, 'b')
    expect(ask('b')).toBeNull()
  })

  it('leaves out who lacks the offset, is out of sync, fenced, or not on the listener', () => {
    const { bench, inRack, ask } = setUp()
    bench.fetched(2, 3)
    expect([ask('b', 3), ask('b', 4)]).toEqual([2, null])
    inRack(2, 'b', { isFenced: true })
    expect(ask('b')).toBe(3)
    expect(ask('b', 0, 'OTHER')).toBeNull()
    bench.lead({ isr: [1, 2], partitionEpoch: 2 })
    expect(ask('b')).toBeNull()
  })

  it('is asked on the leader only', () => {
    const { bench, ask } = setUp()
    bench.follow({ leaderEpoch: 2 })
    expect(ask('b')).toBeNull()
  })

  it('is there only for a class that is known', () => {
    expect(replicaSelectorOf(null, 1, () => undefined)).toBeNull()
    const leader = 'org.apache.kafka.common.replica.LeaderSelector'
    expect(replicaSelectorOf(leader, 1, () => undefined)).toBeNull()
    expect(() => replicaSelectorOf('com.example.Mine', 1, () => undefined)).toThrow(
      'replica.selector.class is com.example.Mine',
    )
  })
})
