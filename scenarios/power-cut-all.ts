import { ackedBy, sometimes, within } from './lib/expectation.ts'
import { losesAcked, LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const BACK_MS = 6000

/**
 * Scenario 70 of the catalogue: the whole room loses power. Brokers acknowledge from the page cache, as Apache Kafka's
 * do, so replication does not help here: all copies were in memory.
 */
export const powerCutAll = scenario('power-cut-all', {
  section: 'G',
  number: 70,
  summary: 'all nodes lose power at once: they converge again, and what is lost is named',
  lesson: 'Replication protects from the loss of some machines, not of the power of all of them.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t', { configs: { 'internal.segment.bytes': '20000' } })],
  workload: [producers(3), readers(1)],
  faults: [at('4s', 'power-cut-all', 'all', { until: `${BACK_MS}ms`, params: { spreadMs: 1000 } })],
  chaos: '11s',
  expect: [
    sometimes('node.lost-power'),
    sometimes('disk.lost-tail'),
    sometimes('log.segment-recovered'),
    within('6s', ackedBy('t', 0), { after: BACK_MS }),
    losesAcked(),
  ],
  invariants: ['D2', 'D9', 'Q2', 'Q5', 'L1', 'L2', 'L3'],
  twins: [
    {
      name: 'kill -9 of everything',
      says: 'processes die, their machines do not: the page cache has it all',
      change: (plan) => ({
        ...plan,
        faults: [at('4s', 'crash', 'all', { until: `${BACK_MS}ms` })],
      }),
      mustFail: ['acked records are lost, and listed'],
      mustShow: [LOSES_NOTHING],
    },
  ],
})
