import type { Evidence } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, leaderOf, offsetsWatcher, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { epochsBegun } from './lib/partition-events.ts'
import { acksIn, after, togetherOn } from './lib/span.ts'

/** The first move is over: a session, and the controller's work. */
const MOVED_MS = 3000

/**
 * Scenario 29 of the catalogue: a leader hears nothing of its controllers for ten seconds, while its partition moves
 * twice. Clients and brokers reach it all the time; the epochs in what they send tell it and them apart.
 */
export const metadataLag = scenario('metadata-lag', {
  section: 'C',
  number: 29,
  summary: 'a leader misses two moves of its partition: clients and followers know better than it',
  lesson: 'Metadata is always late somewhere; epochs turn late into refused, not into wrong.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(4), readers(2), offsetsWatcher()],
  faults: [
    at('2s', 'cut', leaderOf('t', 0), { until: '12s', params: { peers: 'controllers' } }),
    at('6s', 'crash', leaderOf('t', 0), { until: '9s' }),
  ],
  chaos: '16s',
  expect: [
    within('4s', leaderChange('t', 0)),
    shows('the partition moves twice meanwhile', (evidence) => {
      const span = togetherOn(evidence, ({ row }) => row.kind === 'cut')
      const moves = span === null ? 0 : epochsBegun(evidence, 't', span)
      return { isMet: moves >= 2, detail: `${moves} epochs of its topic began` }
    }),
    shows('the stale leader is refused by its followers', (evidence) => staleFetches(evidence)),
    shows('what clients sent to it goes to another leader', (evidence) => {
      const moved = evidence.probes['produce.leader-lost-while-waiting'] ?? 0
      const span = after(
        togetherOn(evidence, ({ row }) => row.kind === 'cut'),
        MOVED_MS,
      )
      const acked = acksIn(evidence, span, ({ operation }) => operation.partition === 0).length
      return { isMet: acked > 0, detail: `${acked} acked by others, ${moved} answered by it` }
    }),
    sometimes('replica.truncated'),
    LOSES_NOTHING,
  ],
  invariants: ['R5', 'R6', 'R9', 'Q12', 'D1'],
})

/** Followers of a newer epoch ask the old leader, which does not know it, or an old one asks the new leader. */
function staleFetches({ probes }: Evidence): { isMet: boolean; detail: string } {
  const fenced = probes['fetch.follower-fenced'] ?? 0
  const tooNew = (probes['fetch.follower-too-new'] ?? 0) + (probes['fetch.consumer-too-new'] ?? 0)
  return { isMet: fenced + tooNew > 0, detail: `${fenced} too old, ${tooNew} too new` }
}
