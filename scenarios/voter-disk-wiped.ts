import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, CONTROLLER, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/**
 * Scenario 30 of the catalogue: a voter comes back with an empty disk: it has forgotten what it voted and what it
 * acknowledged. With a leader in office and the others in health it copies everything again.
 */
export const voterDiskWiped = scenario('voter-disk-wiped', {
  section: 'C',
  number: 30,
  summary: 'a voter loses its disk after the next leader was elected: it rejoins, nothing is lost',
  lesson: 'A voter is its disk: replace one only while a majority of the others has everything.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(2), readers(1), { kind: 'admin', name: 'admin', everyMs: 200 }],
  faults: [
    at('2s', 'crash', 'c1', { until: '4s' }),
    at('13s', 'wipe-disk', 'c1', { until: '14s' }),
  ],
  chaos: '18s',
  expect: [sometimes('node.wiped'), sometimes('controller.activated-again'), LOSES_NOTHING],
  invariants: ['Q1', 'Q5', 'Q6', 'L1', 'D1'],
})
