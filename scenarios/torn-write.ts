import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { finalValues, lostValues } from './lib/evidence.ts'
import { listOf } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/**
 * Scenario 16 of the catalogue: the power goes while the leader appends. What it has on its disk afterwards ends
 * somewhere within a batch, or has holes. Big batches and short pauses, so that each cut finds some under way.
 */
export const tornWrite = scenario('torn-write', {
  section: 'B',
  number: 16,
  summary: 'a leader loses power in the middle of an append: its log ends in half a batch',
  lesson: 'A log is as long as its checksums hold; the rest comes back from the others.',
  modes: ['sim'],
  cluster: c3(),
  topics: [
    topic('t', { configs: { 'internal.segment.bytes': '100000' } }),
    topic('u', { partitions: 1, configs: { 'internal.segment.bytes': '100000' } }),
  ],
  workload: [
    producers(3, { batchRecords: 5, valueBytes: 800, everyMs: 60, keys: 3 }),
    producers(1, {
      name: 'careless',
      topic: 'u',
      partitions: [0],
      acks: 1,
      idempotent: false,
      batchRecords: 5,
      valueBytes: 800,
    }),
    readers(1),
  ],
  faults: [
    at('2s', 'power-cut', leaderOf('t', 0), { until: '4s' }),
    at('14s', 'power-cut', leaderOf('t', 1), { until: '16s' }),
    // Its followers lack what it took in the last second: it comes back with more than they have.
    at('24600ms', 'cut', leaderOf('u', 0), { until: '27500ms', params: { peers: 'brokers' } }),
    at('26s', 'power-cut', leaderOf('u', 0), { until: '28s' }),
  ],
  chaos: '31s',
  expect: [
    within('3s', leaderChange('t', 0)),
    sometimes('disk.lost-tail'),
    sometimes('log.tail-cut'),
    sometimes('log.segment-recovered'),
    sometimes('isr.whole-again'),
    sometimes('replica.truncated'),
    shows('no record acked by all is lost', (evidence) => {
      const lost = lostValues(evidence, -1)
      return { isMet: lost.length === 0, detail: listOf(lost) }
    }),
    shows('everything is read at the end', (evidence) => {
      const { length } = finalValues(evidence, 't')
      return { isMet: length > 0, detail: `${length} records` }
    }),
  ],
  invariants: ['D7', 'D9', 'R14'],
})
