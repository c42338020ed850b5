import { sometimes, shows } from './lib/expectation.ts'
import { epochsBegun } from './lib/partition-events.ts'
import { at, c3, leaderOf, producers, readers, replicaOf, topic } from './lib/plan-builders.ts'
import { scenario, STUCK } from './lib/scenario.ts'
import { chaosSpan } from './lib/span.ts'

/** Sessions so short that a leader is replaced before its clients have given it up. */
const HASTE = { 'broker.session.timeout.ms': '400', 'broker.heartbeat.interval.ms': '100' }
const MANY = ['many-1', 'many-2', 'many-3']
const FIRST = replicaOf('t', 0, 0)

/**
 * Scenario 10 of the catalogue. The first replica is called back to lead while nobody hears it but two clients, of
 * whom it appends a record each; then it dies, and the leader before it goes on with its own, longer tail of an older
 * epoch. When the first is back, its log ends within that tail: lengths say that all is well, epochs say where to cut.
 * The third replica lags behind all the while.
 */
export const fastDoubleFailover = scenario('fast-double-failover', {
  section: 'A',
  number: 10,
  summary:
    'leadership goes there for a record or two and back: logs of the same length are not the same',
  lesson: 'Where two logs part is known by epochs alone: a high watermark is an old opinion.',
  modes: ['sim'],
  cluster: c3(HASTE),
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(MANY.length, { name: 'many', partitions: [0], everyMs: 15 }),
    // Two, for the first may have got the record of one of them already: then it is a repeat, and nothing is appended.
    producers(2, { name: 'single', partitions: [0], inFlight: 1, everyMs: 15, batchRecords: 1 }),
    readers(1, { partitions: [0] }),
  ],
  faults: [
    // Another one leads from here on, and the first is in sync again.
    at('1s', 'pause', FIRST, { until: '2s' }),
    at('3500ms', 'cut', FIRST, {
      until: '8s',
      params: { peers: ['b1', 'b2', 'b3', ...MANY].join(',') },
    }),
    at('3500ms', 'latency', replicaOf('t', 0, 2), { until: '8s', params: { factor: 30 } }),
    at('4700ms', 'elect-preferred', 'cluster'),
    at('5900ms', 'crash', FIRST, { until: '8s' }),
    // The same without a choice: who leads stands still, wakes up, and is nobody.
    at('10s', 'pause', leaderOf('t', 0), { until: '10700ms' }),
    at('10650ms', 'pause', leaderOf('t', 0), { until: '11300ms' }),
  ],
  chaos: '13s',
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
      mustFail: ['R3', 'R1', 'R2', 'R14', 'D9', 'CRASH'],
    },
    {
      name: 'cut where the leader’s epoch ends',
      says: 'a follower believes the end of an epoch that it has left for another one itself',
      plant: 'cut-at-the-leaders-end-of-another-epoch',
      seeds: 10,
      mustFail: ['R3', 'R1', 'R2', 'R14', 'D9', ...STUCK, 'CRASH'],
    },
  ],
})
