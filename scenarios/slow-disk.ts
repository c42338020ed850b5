import { isrSize, sometimes, within } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, followerOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

export const slowDisk = scenario('slow-disk', {
  section: 'B',
  number: 21,
  summary: 'one broker is slow, not dead',
  lesson: 'Gray',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t', { configs: { 'internal.segment.bytes': '8000' } })],
  workload: [producers(3), readers(1)],
  faults: [at('2s', 'slow-disk', followerOf('t', 0), { until: '12s', params: { stallMs: 10000 } })],
  chaos: '18s',
  expect: [within('6s', isrSize('t', 0, 2)), sometimes('isr.whole-again'), LOSES_NOTHING],
  invariants: ['R16', 'L8', 'D1'],
})
