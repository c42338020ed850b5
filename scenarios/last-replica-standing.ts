import { sometimes } from './lib/expectation.ts'
import { losesAcked, LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, replicaOf, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/**
 * Scenario 6 of the catalogue: the ISR shrinks to its leader, and the leader loses its power. Followers with every
 * acknowledged record come back and may not lead; the leader comes back with less, and is elected.
 * Eligible leader replicas (KIP-966) would remember them; `eligible.leader.replicas.version` is 0 here.
 */
export const lastReplicaStanding = scenario('last-replica-standing', {
  section: 'A',
  number: 6,
  summary:
    'the last in-sync replica loses its tail, and complete ones must follow it into the loss',
  lesson:
    'In sync is not complete: without KIP-966 the last of the ISR leads, whatever it still has.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t', { partitions: 1 })],
  workload: [producers(2, { partitions: [0] }), readers(1, { partitions: [0] })],
  faults: [
    // The first replica is the leader.
    at('2s', 'crash', replicaOf('t', 0, 1), { until: '8s' }),
    at('2100ms', 'crash', replicaOf('t', 0, 2), { until: '8s' }),
    at('6s', 'power-cut', leaderOf('t', 0), { until: '10s' }),
  ],
  chaos: '13s',
  expect: [
    sometimes('isr.alone'),
    sometimes('node.lost-power'),
    sometimes('leader.none'),
    losesAcked(-1),
    sometimes('replica.truncated'),
  ],
  invariants: ['R15', 'D2', 'D9', 'L2'],
  twins: [
    {
      name: 'followers in sync',
      says: 'the same power cut with the followers alive: one of them leads, nothing is lost',
      change: (plan) => ({
        ...plan,
        faults: [at('6s', 'power-cut', leaderOf('t', 0), { until: '10s' })],
      }),
      mustFail: ['acked records are lost, and listed'],
      mustShow: [sometimes('node.lost-power'), LOSES_NOTHING],
    },
  ],
})
