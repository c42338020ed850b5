import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { endedSends } from './lib/evidence.ts'
import { listOf, repeatedValues } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario, STUCK } from './lib/scenario.ts'

/**
 * A producer state that was read from disk knows the newest batch of each producer and no more, here as in Apache
 * Kafka: of several in flight, a repeat of an earlier one would be called a gap by it.
 */
const ONE_IN_FLIGHT = { inFlight: 1, everyMs: 25, requestTimeoutMs: 4000 } as const

/**
 * Scenario 35 of the catalogue: answers are lost and then their leader is, so that the retries go to a broker which
 * knows the producers from its log alone. And the other way round: a leader appends on waking up what it has to cut
 * off, and the retry comes to it again, for its successor is out of the clients' reach: it must have forgotten.
 */
export const idempotenceAcrossFailover = scenario('idempotence-across-failover', {
  section: 'D',
  number: 35,
  summary:
    'retries go to another leader than the first attempt: it knows the sequences from its log',
  lesson:
    'Who has sent what is in the log itself: with it, a new leader can tell a repeat from a gap.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [
    producers(2, ONE_IN_FLIGHT),
    producers(1, { ...ONE_IN_FLIGHT, name: 'prober', probes: true }),
    readers(1),
  ],
  faults: [
    at('1s', 'lose-responses', leaderOf('t', 0)),
    // Over processes the leader may be the active controller as well: another one is elected before it can be fenced.
    // The cut comes before the first retries: they begin when the time-out of what the leader slept over has passed.
    at('2s', 'pause', leaderOf('t', 0), { until: '5800ms' }),
    at('5400ms', 'cut', leaderOf('t', 0), { until: '9s', params: { peers: 'clients' } }),
    at('7200ms', 'elect-preferred', 'cluster'),
    at('11s', 'lose-responses', leaderOf('t', 1)),
    at('11010ms', 'crash', leaderOf('t', 1), { until: '14s' }),
    at('14s', 'lose-responses', leaderOf('t', 2)),
  ],
  chaos: '16s',
  expect: [
    within('4s', leaderChange('t', 0), { after: '2s' }),
    sometimes('produce.repeat-answered'),
    sometimes('replica.truncated'),
    shows('every value is in the log once', (evidence) => {
      const repeated = repeatedValues(evidence)
      return { isMet: repeated.length === 0, detail: `more than once: ${listOf(repeated)}` }
    }),
    shows('no repeat is called a gap', (evidence) => {
      const refused = endedSends(evidence).filter(
        ({ operation }) =>
          operation.expects !== 'gap' && operation.error === 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      )
      return { isMet: refused.length === 0, detail: `${refused.length} times` }
    }),
  ],
  invariants: ['P1', 'P2', 'P4', 'D1', 'D6', 'L2'],
  twins: [
    {
      name: 'producers kept over a truncation',
      says: 'a log is cut and what is known of producers is not, so a retry is taken for a repeat of what is gone',
      plant: 'producer-state-kept-over-truncation',
      seeds: 10,
      mustFail: ['P4', 'P1', 'P2', 'D1', 'D6', ...STUCK, 'CRASH'],
    },
    {
      name: '45 to duplicates',
      says: 'a repeat is refused as out of order instead of answered with the offset of the first',
      plant: 'out-of-order-on-duplicate',
      seeds: 5,
      mustFail: ['P2', 'P1', 'no repeat is called a gap'],
    },
  ],
})
