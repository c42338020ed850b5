import { sometimes, shows } from './lib/expectation.ts'
import { epochsBegun } from './lib/partition-events.ts'
import { at, c3, followerOf, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { chaosSpan } from './lib/span.ts'

/** Short sessions and slow links: leaders change before their followers have what they appended. */
const HASTE = {
  'broker.session.timeout.ms': '400',
  'broker.heartbeat.interval.ms': '100',
  'replica.fetch.backoff.ms': '200',
}

/**
 * Scenario 10 of the catalogue: leaders stand still one after the other, so that each wakes up with a tail of its own
 * epoch that nobody else has. Whoever follows next must find the point where the logs part, by epochs.
 */
export const fastDoubleFailover = scenario('fast-double-failover', {
  section: 'A',
  number: 10,
  summary:
    'leadership goes there and back faster than followers can follow; logs converge all the same',
  lesson: 'Where two logs part is known by epochs alone: a high watermark is an old opinion.',
  modes: ['sim'],
  cluster: {
    ...c3(HASTE),
    network: { minUs: 3000, maxUs: 9000, tailPermille: 0, tailFactor: 1, cutPermille: 20 },
  },
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(3, { partitions: [0], everyMs: 10, batchRecords: 1 }),
    readers(1, { partitions: [0] }),
  ],
  faults: [
    at('1500ms', 'latency', followerOf('t', 0, 1), { until: '8s', params: { factor: 12 } }),
    at('2s', 'pause', leaderOf('t', 0), { until: '2700ms' }),
    at('2650ms', 'pause', leaderOf('t', 0), { until: '3300ms' }),
    at('3250ms', 'crash', leaderOf('t', 0), { until: '3900ms' }),
    at('5s', 'pause', leaderOf('t', 0), { until: '5700ms' }),
    at('5650ms', 'crash', leaderOf('t', 0), { until: '6200ms' }),
    at('6800ms', 'pause', leaderOf('t', 0), { until: '7500ms' }),
  ],
  chaos: '10s',
  expect: [
    shows('leadership moves again and again', (evidence) => {
      const count = epochsBegun(evidence, 't', chaosSpan(evidence))
      return { isMet: count >= 4, detail: `${count} leader epochs` }
    }),
    sometimes('replica.truncated-as-diverging'),
    sometimes('replica.truncated-into-earlier-epoch'),
    sometimes('isr.whole-again'),
  ],
  invariants: ['R1', 'R14', 'R2', 'D1', 'D9', 'L2'],
  twins: [
    {
      name: 'truncate to the high watermark',
      says: 'a follower cuts its log at the watermark it knows, and committed records with it (before KIP-101)',
      plant: 'truncate-to-high-watermark',
      seeds: 5,
      mustFail: ['R14', 'R8', 'R7', 'R1', 'R2', 'D1', 'CRASH'],
    },
    {
      name: 'one step of truncation',
      says: 'a follower compares epochs once, and keeps what a second comparison would have cut (before KIP-279)',
      plant: 'one-step-truncation',
      seeds: 10,
      mustFail: ['R1', 'R2', 'R14', 'D9', 'CRASH'],
    },
    {
      name: 'unfenced fetch',
      says: 'a leader of another epoch is believed, so a log is cut or filled by who does not lead (before KIP-320)',
      plant: 'unfenced-fetch',
      seeds: 10,
      mustFail: ['R14', 'R15', 'R1', 'R2', 'R8', 'D1', 'CRASH'],
    },
  ],
})
