import type { Fault } from '../src/chaos/plan/fault.ts'
import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { at, cluster, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { acksIn, after, togetherOn, type Span } from './lib/span.ts'

const PARTITIONS = [0, 1, 2, 3, 4]
const MINORITY = ['n1', 'n2', 'left', 'left-reader']
const MAJORITY = ['n3', 'n4', 'n5', 'right', 'right-reader']
/** Answers that were on their way when the links fell. */
const UNDER_WAY_MS = 1000
/** By then the majority has fenced the others, and elected leaders of its own. */
const DECIDED_MS = 3500

/** Scenario 9 of the catalogue: two of five nodes, with clients of their own, are on the wrong side of a partition. */
export const splitBrainPrevention = scenario('split-brain-prevention', {
  section: 'A',
  number: 9,
  summary: 'five nodes split 2 to 3 with clients on both sides: only the three commit anything',
  lesson: 'A majority decides who leads, and the ISR what counts: two halves never both say yes.',
  modes: ['sim', 'real'],
  cluster: cluster({ brokers: 5, controllers: 5, layout: 'combined' }),
  // Three replicas on five nodes: of every partition one at least is on the side of the majority.
  topics: [topic('t', { partitions: PARTITIONS.length })],
  workload: [
    producers(1, { name: 'left', partitions: PARTITIONS, everyMs: 20 }),
    producers(1, { name: 'right', partitions: PARTITIONS, everyMs: 20 }),
    readers(1, { name: 'left-reader', partitions: PARTITIONS }),
    readers(1, { name: 'right-reader', partitions: PARTITIONS }),
  ],
  faults: MINORITY.map(isolate),
  watch: { topic: 't', partition: 1 },
  chaos: '12s',
  expect: [
    shows('no acks=all among the two', (evidence) => {
      const acked = acksIn(evidence, after(split(evidence), UNDER_WAY_MS), isOf('left'))
      return { isMet: acked.length === 0, detail: `${acked.length} acked` }
    }),
    shows('the three go on', (evidence) => {
      const acked = acksIn(evidence, after(split(evidence), DECIDED_MS), isOf('right'))
      return { isMet: acked.length > 0, detail: `${acked.length} acked` }
    }),
    sometimes('broker.fenced-for-silence'),
    sometimes('replica.truncated'),
    sometimes('isr.whole-again'),
  ],
  invariants: ['R5', 'Q1', 'D1', 'D9', 'L1', 'L2'],
})

function isolate(name: string): Fault {
  return at('2s', 'cut', name, { until: '9s', params: { peers: MAJORITY.join(',') } })
}

function split(evidence: Evidence): Span | null {
  return togetherOn(evidence, ({ row }) => row.kind === 'cut')
}

function isOf(client: string): (send: { readonly process: string }) => boolean {
  return ({ process }) => process === client || process.startsWith(`${client}/`)
}
