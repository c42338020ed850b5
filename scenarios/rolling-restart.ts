import { shows, sometimes } from './lib/expectation.ts'
import { NO_SEND_FAILS } from './lib/outcome.ts'
import { smallestIsr } from './lib/partition-events.ts'
import { at, cluster, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { chaosSpan } from './lib/span.ts'

/** Scenario 12 of the catalogue: every node of a cluster is restarted under load, one after the other. */
export const rollingRestart = scenario('rolling-restart', {
  section: 'A',
  number: 12,
  summary: 'all nodes, brokers and controllers at once, restarted one by one: no send fails',
  lesson: 'To upgrade, restart one by one and wait for the ISR each time: nobody will notice.',
  modes: ['sim', 'real', 'kafka'],
  // Each node is a broker and a voter, so that a round restarts both.
  cluster: cluster({ brokers: 3, controllers: 3, layout: 'combined' }),
  topics: [topic('t')],
  workload: [producers(3), readers(1)],
  faults: [
    at('1s', 'shutdown', 'n1', { until: '2s' }),
    at('8s', 'shutdown', 'n2', { until: '9s' }),
    at('15s', 'shutdown', 'n3', { until: '16s' }),
  ],
  chaos: '19s',
  expect: [
    NO_SEND_FAILS,
    shows('no ISR below two', (evidence) => {
      const smallest = smallestIsr(evidence, 't', chaosSpan(evidence))
      return { isMet: smallest >= 2, detail: `the smallest had ${smallest}` }
    }),
    sometimes('broker.left'),
    sometimes('controller.resigned'),
    sometimes('isr.whole-again'),
  ],
  invariants: ['D1', 'R4', 'P1', 'P5', 'L1', 'L2'],
  twins: [
    {
      name: 'without waiting',
      says: 'the next node goes while the one before is still away',
      change: (plan) => ({
        ...plan,
        faults: [
          at('1s', 'shutdown', 'n1', { until: '4s' }),
          at('1500ms', 'shutdown', 'n2', { until: '4500ms' }),
          at('2s', 'shutdown', 'n3', { until: '5s' }),
        ],
      }),
      mustFail: ['no ISR below two', 'no send fails'],
    },
  ],
})
