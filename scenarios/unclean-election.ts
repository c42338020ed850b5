import type { Plan } from '../src/chaos/plan/plan.ts'
import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { losesAcked, LOSES_NOTHING } from './lib/outcome.ts'
import {
  at,
  cluster,
  followerOf,
  leaderOf,
  producers,
  readers,
  topic,
} from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const FLAG = 'unclean.leader.election.enable'

/** Scenario 5 of the catalogue: the only replica that is left is one that has missed the last records. */
export const uncleanElection = scenario('unclean-election', {
  section: 'A',
  number: 5,
  summary:
    'all in-sync replicas die, a laggard is elected: the partition lives, acked records do not',
  lesson:
    'unclean.leader.election buys availability, and pays with records that were acknowledged.',
  modes: ['sim', 'real', 'kafka'],
  // Two nodes die: over processes they are voters too, and of five the quorum survives it.
  cluster: cluster({
    brokers: 5,
    controllers: 5,
    properties: { 'replica.lag.time.max.ms': '1500' },
  }),
  topics: [topic('t', { partitions: 1, configs: { [FLAG]: 'true' } })],
  workload: [producers(2, { partitions: [0] }), readers(1, { partitions: [0] })],
  faults: [
    // The last by id, so that the one that dies with the leader is the other.
    at('1s', 'cut', followerOf('t', 0, 1), { until: '9s', params: { peers: 'brokers' } }),
    at('5s', 'crash', followerOf('t', 0, 0), { until: '10s' }),
    at('5100ms', 'crash', leaderOf('t', 0), { until: '10s' }),
  ],
  chaos: '13s',
  expect: [
    sometimes('controller.elected-uncleanly'),
    losesAcked(),
    sometimes('replica.truncated'),
    shows('readers that went too far are reset', (evidence) => {
      const count = resets(evidence)
      return { isMet: count > 0, detail: `${count} were told OFFSET_OUT_OF_RANGE` }
    }),
  ],
  invariants: ['D2', 'D9', 'L2', 'L3'],
  twins: [
    {
      name: 'unclean.leader.election.enable=false',
      says: 'the partition waits for one of its in-sync replicas, and loses nothing',
      change: withoutFlag,
      mustFail: ['sometimes controller.elected-uncleanly'],
      mustShow: [sometimes('leader.none'), LOSES_NOTHING],
    },
  ],
})

function withoutFlag(plan: Plan): Plan {
  return { ...plan, topics: [topic('t', { partitions: 1 })] }
}

function resets({ history }: Evidence): number {
  return history.filter(
    ({ operation }) => operation.op === 'poll' && operation.error === 'OFFSET_OUT_OF_RANGE',
  ).length
}
