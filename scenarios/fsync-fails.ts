import { leaderChange, sometimes, within } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/**
 * Scenario 20 of the catalogue: one fsync fails, the next would succeed. The pages that it was about may be gone
 * (PostgreSQL's fsyncgate), so a second try proves nothing: the directory, and with it the broker, is out.
 * Small segments, since a broker syncs only when it begins a new one.
 */
export const fsyncFails = scenario('fsync-fails', {
  section: 'B',
  number: 20,
  summary: 'one fsync of a leader fails and the next would not: the broker does not believe it',
  lesson: 'After a failed fsync the only safe copy is on another machine (fsyncgate).',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t', { configs: { 'internal.segment.bytes': '8000' } })],
  workload: [producers(3), readers(1)],
  faults: [at('2s', 'fsync-error', leaderOf('t', 0))],
  chaos: '10s',
  expect: [
    sometimes('log.flush-failed'),
    sometimes('node.failed'),
    within('4s', leaderChange('t', 0)),
    LOSES_NOTHING,
  ],
  invariants: ['D1', 'D7', 'D9', 'L2', 'L3'],
})
