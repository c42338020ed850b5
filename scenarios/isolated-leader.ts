import { lostValues, type Evidence } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { losesAcked, LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { acksIn, after, togetherOn, type Span } from './lib/span.ts'

/** From then on an acks=all answer of the isolated leader could only be a false one. */
const UNDER_WAY_MS = 50

/** Scenario 8 of the catalogue: a leader that only its clients can reach does not know that it was replaced. */
export const isolatedLeader = scenario('isolated-leader', {
  section: 'A',
  number: 8,
  summary:
    'a leader cut off from its cluster, not from its clients: acks=1 says ok to what will vanish',
  lesson:
    'acks=1 lies under a partition: it is the promise of one machine that may be none any more.',
  modes: ['sim', 'real'],
  cluster: c3(),
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(1, { name: 'careless', partitions: [0], acks: 1, idempotent: false }),
    producers(1, { name: 'careful', partitions: [0] }),
    readers(1, { partitions: [0] }),
  ],
  faults: [
    at('2s', 'cut', leaderOf('t', 0), {
      until: '8s',
      params: { peers: 'b1,b2,b3,c1,c2,c3' },
    }),
  ],
  chaos: '11s',
  expect: [
    within('3500ms', leaderChange('t', 0)),
    shows('acks=1 goes on while nobody hears the leader', (evidence) => {
      const acked = acksIn(evidence, isolation(evidence), ({ operation }) => operation.acks === 1)
      return { isMet: acked.length > 0, detail: `${acked.length} acked` }
    }),
    shows('no acks=all before there is another leader', (evidence) => {
      const span = after(isolation(evidence), UNDER_WAY_MS)
      const changedMs = leaderChange('t', 0).firstMs(evidence, span?.fromMs ?? 0)
      if (span === null || changedMs === null) return { isMet: false, detail: 'no leader change' }
      const alone = { fromMs: span.fromMs, untilMs: changedMs }
      const acked = acksIn(evidence, alone, ({ operation }) => operation.acks === -1)
      return { isMet: acked.length === 0, detail: `${acked.length} acked` }
    }),
    sometimes('replica.truncated'),
    losesAcked(1),
  ],
  invariants: ['D1', 'D8', 'R14', 'L2'],
  figures: [{ name: 'acks=1 lost', value: (evidence) => lostValues(evidence, 1).length }],
  twins: [
    {
      name: 'acks=all for everyone',
      says: 'the isolated leader says ok to nobody, and nothing vanishes',
      change: (plan) => ({
        ...plan,
        workload: [...producers(2, { partitions: [0] }), ...readers(1, { partitions: [0] })],
      }),
      mustFail: ['acked records are lost, and listed'],
      mustShow: [LOSES_NOTHING],
    },
  ],
})

function isolation(evidence: Evidence): Span | null {
  return togetherOn(evidence, ({ row }) => row.kind === 'cut')
}
