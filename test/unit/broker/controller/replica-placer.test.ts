import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  placeReplicas,
  type Placement,
  type UsableBroker,
} from '../../../../broker/controller/replica-placer.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'

function broker(id: number, rack: string | null = null, isFenced = false): UsableBroker {
  return { id, rack, isFenced }
}

function place(
  brokers: readonly UsableBroker[],
  partitionCount: number,
  replicationFactor: number,
  seed = 1,
): readonly (readonly number[])[] {
  const placement = tryPlace(brokers, partitionCount, replicationFactor, seed)
  if ('problem' in placement) throw new Error(placement.problem)
  return placement.replicas
}

function tryPlace(
  brokers: readonly UsableBroker[],
  partitionCount: number,
  replicationFactor: number,
  seed = 1,
): Placement {
  return placeReplicas({ brokers, partitionCount, replicationFactor }, SimRandom.ofSeed(seed))
}

function count(ids: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

describe('placeReplicas', () => {
  it('gives each broker of one rack the same share of leaders and replicas', () => {
    const replicas = place([broker(1), broker(2), broker(3)], 3, 2)
    expect(new Set(replicas.map(([leader]) => leader)).size).toBe(3)
    expect([...count(replicas.flat()).values()]).toEqual([2, 2, 2])
  })

  it('starts at a random broker, the same for the same seed', () => {
    const brokers = [broker(1), broker(2), broker(3)]
    const starts = Array.from({ length: 20 }, (_, seed) => place(brokers, 1, 3, seed)[0]![0])
    expect(new Set(starts)).toEqual(new Set([1, 2, 3]))
    expect(place(brokers, 50, 3, 7)).toEqual(place(brokers, 50, 3, 7))
  })

  it('takes the next brokers in a circle', () => {
    const circles = ['1,2,3', '2,3,1', '3,1,2']
    for (const replicas of place([broker(3), broker(1), broker(2)], 3, 3)) {
      expect(circles).toContain(replicas.join())
    }
  })

  it('places one replica in each rack', () => {
    const brokers = [1, 2, 3, 4, 5, 6].map((id) => broker(id, `rack-${id % 3}`))
    for (const replicas of place(brokers, 30, 3)) {
      expect(new Set(replicas.map((id) => id % 3)).size).toBe(3)
    }
  })

  it('takes fenced brokers last and never as leader', () => {
    const brokers = [broker(1), broker(2, null, true), broker(3)]
    for (const replicas of place(brokers, 20, 3)) {
      expect(replicas[2]).toBe(2)
    }
    for (const replicas of place(brokers, 20, 2)) expect(replicas).not.toContain(2)
  })

  it('says why replicas cannot be placed', () => {
    expect(tryPlace([broker(1), broker(2)], 1, 3)).toMatchObject({
      problem: expect.stringContaining('only 2 broker(s) are registered'),
    })
    expect(tryPlace([broker(1, null, true)], 1, 1)).toMatchObject({
      problem: 'All brokers are currently fenced.',
    })
    expect(tryPlace([], 1, 1)).toMatchObject({ problem: 'All brokers are currently fenced.' })
    expect(tryPlace([broker(1)], 1, 0)).toMatchObject({
      problem: expect.stringContaining('must be positive'),
    })
  })

  it('gives distinct replicas led by an unfenced broker, spread over leaders', () => {
    const brokers = fc.uniqueArray(
      fc.record({
        id: fc.nat(50),
        rack: fc.constantFrom(null, 'a', 'b', 'c'),
        isFenced: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12, selector: ({ id }) => id },
    )
    fc.assert(
      fc.property(
        brokers,
        fc.nat(11),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        (all, extra, partitions, seed) => {
          fc.pre(all.some(({ isFenced }) => !isFenced))
          const factor = 1 + (extra % all.length)
          const unfenced = all.filter(({ isFenced }) => !isFenced).map(({ id }) => id)
          for (const replicas of place(all, partitions, factor, seed)) {
            expect(new Set(replicas).size).toBe(factor)
            expect(unfenced).toContain(replicas[0])
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
