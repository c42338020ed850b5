import { isrSize, shows, within } from './lib/expectation.ts'
import { at, c3, followerOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { acksIn, after, togetherOn } from './lib/span.ts'

const LAG_MS = 1500
/** Half as long again: a leader looks for laggards twice in this time. */
const SHRUNK_MS = LAG_MS + LAG_MS / 2

/** Scenario 3 of the catalogue: one follower hears nothing for a while, and the others do not wait for it. */
export const isrShrink = scenario('isr-shrink', {
  section: 'A',
  number: 3,
  summary: 'a follower falls behind and is dropped from the ISR, catches up and is taken back',
  lesson: 'The ISR is dynamic: acks=all means all who keep up, and who does not is left out.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3({ 'replica.lag.time.max.ms': String(LAG_MS) }),
  topics: [topic('t', { partitions: 1 })],
  workload: [producers(2, { partitions: [0] }), readers(1, { partitions: [0] })],
  // Only the other brokers are out of its reach: for the controllers it lives.
  faults: [at('2s', 'cut', followerOf('t', 0), { until: '8s', params: { peers: 'brokers' } })],
  chaos: '11s',
  expect: [
    within(`${SHRUNK_MS}ms`, isrSize('t', 0, 2)),
    shows('acks go on without the slow one', (evidence) => {
      const acked = acksIn(
        evidence,
        after(
          togetherOn(evidence, () => true),
          SHRUNK_MS,
        ),
      )
      return { isMet: acked.length > 20, detail: `${acked.length} acked while it was cut off` }
    }),
    within('7500ms', isrSize('t', 0, 3)),
  ],
  invariants: ['R9', 'R10', 'R16', 'D1', 'L2'],
  twins: [
    {
      name: 'replica.lag.time.max.ms=30000',
      says: 'the leader waits for the slow follower as long as that, and everybody with it',
      change: (plan) => ({ ...plan, cluster: c3({ 'replica.lag.time.max.ms': '30000' }) }),
      mustFail: ['acks go on without the slow one'],
    },
  ],
})
