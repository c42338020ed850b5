import { shows, sometimes } from './lib/expectation.ts'
import { kafkajs } from './lib/kafkajs-clients.ts'
import { listOf, repeatedValues } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/** Scenario 33 of the catalogue: requests arrive and are carried out, their answers do not come back. */
export const lostAck = scenario('lost-ack', {
  section: 'D',
  number: 33,
  summary: 'answers are lost, so batches are sent again: with idempotence each is in the log once',
  lesson:
    'No answer is not a no: a retry is safe only where the broker can tell it from a new send.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(3), readers(1)],
  faults: [1, 2, 3, 4, 5, 6].map((second) =>
    at(`${second}s`, 'lose-responses', leaderOf('t', second % 3)),
  ),
  chaos: '9s',
  expect: [
    sometimes('produce.repeat-answered'),
    shows('every value is in the log once', (evidence) => {
      const repeated = repeatedValues(evidence)
      return { isMet: repeated.length === 0, detail: `more than once: ${listOf(repeated)}` }
    }),
  ],
  invariants: ['P1', 'D6', 'D1', 'L3'],
  twins: [
    {
      name: 'idempotence off',
      says: 'kafkajs without idempotence sends again all the same, and the log has both',
      change: (plan) => ({
        ...plan,
        workload: [kafkajs({ idempotent: false, everyMs: 10 }), ...readers(1)],
      }),
      mustFail: ['every value is in the log once'],
      mustShow: [
        shows('duplicates are counted', (evidence) => {
          const repeated = repeatedValues(evidence)
          return { isMet: repeated.length > 0, detail: listOf(repeated) }
        }),
      ],
    },
  ],
  figures: [
    {
      name: 'retries answered as repeats',
      value: ({ probes }) => probes['produce.repeat-answered'] ?? 0,
    },
  ],
})
