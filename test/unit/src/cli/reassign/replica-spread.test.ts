import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spreadReplicas } from '../../../../../src/cli/reassign/replica-spread.ts'

const PLAIN = [3, 1, 2].map((id) => ({ id, rack: null }))

describe('spreadReplicas', () => {
  it('goes round the brokers, and shifts the others every round', () => {
    expect(spreadReplicas(PLAIN, 7, 2, () => 0)).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
      [1, 3],
      [2, 1],
      [3, 2],
      [1, 2],
    ])
    expect(spreadReplicas(PLAIN, 2, 1, () => 2)).toEqual([[3], [1]])
    expect(spreadReplicas([{ id: 7, rack: null }], 2, 1, () => 0)).toEqual([[7], [7]])
  })

  it('refuses more replicas than brokers', () => {
    expect(() => spreadReplicas(PLAIN, 1, 4, () => 0)).toThrow(
      'The target replication factor of 4 cannot be reached because only 3 broker(s) are registered or some ' +
        'brokers have all their log directories cordoned.',
    )
  })

  it('gives every partition different brokers, and every rack one replica before a second', () => {
    const racks = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 9 })
    const seeds = fc.tuple(fc.nat(), fc.nat())
    const property = fc.property(
      racks,
      fc.nat(20),
      fc.nat(),
      seeds,
      (names, partitions, wish, draws) => {
        const brokers = names.map((rack, id) => ({ id, rack }))
        const factor = (wish % brokers.length) + 1
        const drawn = [...draws]
        const spread = spreadReplicas(
          brokers,
          partitions,
          factor,
          (limit) => (drawn.shift() ?? 0) % limit,
        )
        expect(spread).toHaveLength(partitions)
        const rackCount = new Set(names).size
        for (const replicas of spread) {
          expect(new Set(replicas).size).toBe(factor)
          const used = new Set(replicas.map((id) => names[id]))
          expect(used.size).toBe(Math.min(factor, rackCount))
        }
      },
    )
    fc.assert(property)
  })
})
