import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { finalValues } from './lib/evidence.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
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
  topics: [topic('t')],
  workload: [producers(3, { batchRecords: 10, valueBytes: 400, everyMs: 30, keys: 3 }), readers(1)],
  faults: [
    at('2s', 'power-cut', leaderOf('t', 0), { until: '4s' }),
    at('14s', 'power-cut', leaderOf('t', 1), { until: '16s' }),
    at('26s', 'power-cut', leaderOf('t', 2), { until: '28s' }),
  ],
  chaos: '31s',
  expect: [
    within('3s', leaderChange('t', 0)),
    sometimes('disk.lost-tail'),
    sometimes('log.tail-cut'),
    sometimes('log.segment-recovered'),
    sometimes('isr.whole-again'),
    LOSES_NOTHING,
    shows('everything is read at the end', (evidence) => {
      const { length } = finalValues(evidence, 't')
      return { isMet: length > 0, detail: `${length} records` }
    }),
  ],
  invariants: ['D7', 'D9', 'R14', 'D1'],
})
