import { leaderChange, sometimes, within } from './lib/expectation.ts'
import { acksWithin, NO_SEND_FAILS } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/** Scenario 2 of the catalogue: a leader leaves in order, and hands over what it leads before it goes. */
export const failoverClean = scenario('failover-clean', {
  section: 'A',
  number: 2,
  summary: 'a leader is shut down in order: leadership moves first, no client notices',
  lesson:
    'A shutdown is not a crash: who says good-bye costs milliseconds, who dies costs a session.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(3), readers(1)],
  faults: [at('2s', 'shutdown', leaderOf('t', 0), { until: '5s' })],
  chaos: '8s',
  expect: [
    sometimes('broker.shutting-down'),
    sometimes('broker.left'),
    within('500ms', leaderChange('t', 0)),
    NO_SEND_FAILS,
    acksWithin(200),
  ],
  invariants: ['D1', 'R5', 'L2'],
  twins: [
    {
      name: 'kill -9',
      says: 'nobody is told, so the partition waits for the session of the dead one to end',
      change: (plan) => ({
        ...plan,
        faults: [at('2s', 'crash', leaderOf('t', 0), { until: '5s' })],
      }),
      mustFail: ['sometimes broker.left', 'every ack within 200 ms'],
    },
  ],
})
