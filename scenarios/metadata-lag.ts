import { endedSends, type Evidence } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, leaderOf, offsetsWatcher, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { epochsBegun } from './lib/partition-events.ts'
import { togetherOn } from './lib/span.ts'

/** What a client is told by a broker that does not lead, or by one that knows less or more than it does. */
const STALE = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_ENOUGH_REPLICAS',
  'TIMEOUT',
])

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
    shows('clients are refused and go on elsewhere', (evidence) => {
      const count = endedSends(evidence).filter(({ operation }) =>
        STALE.has(operation.error ?? ''),
      ).length
      return { isMet: count > 0, detail: `${count} sends` }
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
