// Goal: the invariants Q1 to Q8, Q10 and Q11 hold under faults, and the quorum comes back when they end.
// Method: seeded schedules of crashes, power cuts, one-way cuts and stops over the simulated world; the
// checker of test/support/raft-checker.ts looks at every answer, commit and log. A failure names its seed.
import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../../../src/base/errors.ts'
import type { Latency } from '../../../../../src/sim/latency.ts'
import { RaftCluster } from '../../../../support/raft-cluster.ts'
import { harass } from '../../../../support/raft-nemesis.ts'

const SEEDS_PER_TEST = 20
const VOTER_COUNTS = [3, 5, 3, 1, 3, 2, 5, 3]
/** Long enough that many crashes fall between a write and its fsync. */
const SLOW_FSYNC: Latency = { minUs: 2000, maxUs: 30_000, tailPermille: 0, tailFactor: 1 }

function run(seed: number): RaftCluster {
  const cluster = new RaftCluster({
    seed,
    voters: VOTER_COUNTS[seed % VOTER_COUNTS.length]!,
    observers: seed % 3 === 0 ? 1 : 0,
    ...(seed % 2 === 0 ? {} : { fsyncLatency: SLOW_FSYNC }),
  })
  try {
    harass(cluster, { durationMs: 3000, losesUnsynced: seed % 5 !== 0 })
  } catch (error) {
    throw new Error(`seed ${seed}: ${messageOf(error)} (${cluster.describe()})`, { cause: error })
  }
  return cluster
}

describe('a quorum under faults', () => {
  it.each(Array.from({ length: 10 }, (_, index) => 1 + index * SEEDS_PER_TEST))(
    `keeps its promises and comes back, seeds from %i`,
    { timeout: 120_000 },
    (firstSeed) => {
      const total = { elections: 0, votes: 0, commits: 0, truncations: 0, comparisons: 0 }
      for (let seed = firstSeed; seed < firstSeed + SEEDS_PER_TEST; seed += 1) {
        const { counts } = run(seed).checker
        total.elections += counts.elections
        total.votes += counts.votes
        total.commits += counts.commits
        total.truncations += counts.truncations
        total.comparisons += counts.comparisons
      }
      // Each invariant was really put to the test.
      expect(total.elections).toBeGreaterThan(SEEDS_PER_TEST * 2)
      expect(total.votes).toBeGreaterThan(SEEDS_PER_TEST * 4)
      expect(total.commits).toBeGreaterThan(SEEDS_PER_TEST * 100)
      expect(total.truncations).toBeGreaterThan(5)
      expect(total.comparisons).toBeGreaterThan(SEEDS_PER_TEST * 100)
    },
  )

  it('does the same again from the same seed, and something else from another', () => {
    const hash = (seed: number): string => run(seed).world.trace.hash()
    const first = hash(11)
    expect(hash(12)).not.toBe(first)
    expect(hash(11)).toBe(first)
  })
})
