import { endedSends, type Evidence } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { kafkajs } from './lib/kafkajs-clients.ts'
import { at, c3, leaderOf, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { chaosSpan } from './lib/span.ts'

const ON_THE_WAY_MS = 2000

/** Scenario 73 of the catalogue: a client that nobody here wrote, on the simulated network and clock. */
export const kafkajsInTheBox = scenario('kafkajs-in-the-box', {
  section: 'G',
  number: 73,
  summary:
    'unmodified kafkajs in the simulated world: lost answers, a dead leader, the same trace twice',
  lesson: 'Who controls sockets, timers and chance can replay somebody else’s client to the byte.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [kafkajs({ name: 'box' }), readers(1)],
  faults: [
    at('2s', 'lose-responses', leaderOf('t', 0)),
    at('3s', 'lose-responses', leaderOf('t', 1)),
    at('5s', 'crash', leaderOf('t', 0), { until: '8s' }),
    at('9s', 'lose-responses', leaderOf('t', 2)),
  ],
  chaos: '12s',
  expect: [
    shows('kafkajs sends and is acknowledged', (evidence) => {
      const acked = endedSends(evidence).filter(({ kind }) => kind === 'ok')
      return { isMet: acked.length > 50, detail: `${acked.length} acked` }
    }),
    shows('its group gets what was acknowledged', (evidence) => {
      const missing = unconsumed(evidence)
      return { isMet: missing === 0, detail: `${missing} never came` }
    }),
    sometimes('group.rebalanced'),
    within('4s', leaderChange('t', 0), { after: '5s' }),
  ],
  invariants: ['D1', 'P1', 'D3', 'L2', 'L3', 'L4'],
})

function unconsumed(evidence: Evidence): number {
  const consumed = new Set<string>()
  for (const { kind, operation } of evidence.history) {
    if (kind !== 'ok' || operation.op !== 'poll' || operation.purpose !== 'group') continue
    for (const { value } of operation.records ?? []) consumed.add(value)
  }
  // Its consumers stop when its producer does, whatever came last.
  const lastMs = chaosSpan(evidence).untilMs - ON_THE_WAY_MS
  return endedSends(evidence).filter(
    ({ atMs, kind, operation }) => kind === 'ok' && atMs < lastMs && !consumed.has(operation.value),
  ).length
}
