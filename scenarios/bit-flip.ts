import { finalValues, type Evidence } from './lib/evidence.ts'
import { shows, sometimes, type Expectation } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, followerOf, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/** A client that reads from the start while the leader is damaged finds out, and decodes nothing of it. */
const READER_REFUSES: Expectation = shows(
  'a reader refuses what it cannot check',
  ({ history }) => {
    const refused = history.filter(
      ({ kind, operation }) =>
        kind === 'fail' && operation.op === 'poll' && operation.error === 'CORRUPT_MESSAGE',
    ).length
    return { isMet: refused > 0, detail: `${refused} times` }
  },
  { modes: ['sim'] },
)

const ONLY_WHAT_WAS_SENT: Expectation = shows('nobody reads what nobody sent', (evidence) => {
  const foreign = foreignValues(evidence)
  return { isMet: foreign === 0, detail: `${foreign} values` }
})

/**
 * Scenario 18 of the catalogue: bits flip in old segments, first of a follower, then of the leader. The follower is
 * made empty and copies everything again, from the damaged leader: it must refuse. The third replica, which is
 * whole, takes over and mends it.
 */
export const bitFlip = scenario('bit-flip', {
  section: 'B',
  number: 18,
  summary: 'bits flip in old segments of two replicas: nobody copies or believes them',
  lesson: 'Checksums are for the reader: every hop checks, so damage stays where it happened.',
  // Over processes nobody mends a file at the end, and a damaged node is stopped for it: another story.
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t', { partitions: 1, configs: { 'internal.segment.bytes': '20000' } })],
  workload: [
    producers(2, { partitions: [0], valueBytes: 200 }),
    readers(1, { partitions: [0] }),
    readers(1, { name: 'late', partitions: [0] }),
  ],
  faults: [
    at('3s', 'bit-flip', followerOf('t', 0, 0), { params: { where: 'closed', topic: 't' } }),
    at('4500ms', 'bit-flip', leaderOf('t', 0), { params: { where: 'closed', topic: 't' } }),
    at('6s', 'wipe-disk', followerOf('t', 0, 0), { until: '6500ms' }),
    at('7500ms', 'client-crash', 'late', { until: '8s' }),
    at('10s', 'crash', leaderOf('t', 0), { until: '12s' }),
  ],
  chaos: '15s',
  expect: [
    shows('a follower refuses what it cannot check', refusedCopies, { modes: ['sim'] }),
    READER_REFUSES,
    ONLY_WHAT_WAS_SENT,
    LOSES_NOTHING,
    sometimes('replica.caught-up'),
  ],
  invariants: ['D7', 'D2', 'R1', 'D9'],
  twins: [
    {
      name: 'crc-skipped-in-replication',
      says: 'followers trust the bytes of their leader: the damage spreads',
      plant: 'crc-skipped-in-replication',
      seeds: 3,
      mustFail: ['D7', 'R1', 'R2', 'D2', 'D9', 'a follower refuses what it cannot check'],
    },
  ],
})

function refusedCopies({ probes }: Evidence): { isMet: boolean; detail: string } {
  const count = probes['replica.corrupt-batch-refused'] ?? 0
  return { isMet: count > 0, detail: `${count} times` }
}

function foreignValues(evidence: Evidence): number {
  const sent = new Set<string>()
  for (const { operation } of evidence.history) {
    if (operation.op === 'send') sent.add(operation.value)
  }
  return finalValues(evidence, 't').filter((value) => !sent.has(value)).length
}
