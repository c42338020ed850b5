import type { Plan } from '../src/chaos/plan/plan.ts'
import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { listOf, LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, CONTROLLER, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario, STUCK } from './lib/scenario.ts'

const WIPED = 'c1'

/**
 * Scenario 30 of the catalogue: a voter comes back with an empty disk: it has forgotten what it voted and what it
 * acknowledged. With a leader in office and the other voter in health it copies everything again, and can be elected
 * later. The twin wipes a voter while it is one of the two that have what was committed.
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
    at('2s', 'crash', WIPED, { until: '3s' }),
    // The next leader is in office since, with the vote of the third voter, and both have everything.
    at('14s', 'wipe-disk', WIPED, { until: '15s', params: { isWithinBudget: true } }),
    at('25s', 'crash', CONTROLLER, { until: '27s' }),
  ],
  chaos: '30s',
  expect: [
    sometimes('node.wiped'),
    shows('it follows again', (evidence) => {
      const tookMs = rejoinedMs(evidence)
      const detail = tookMs === Infinity ? 'never' : `after ${Math.round(tookMs)} ms`
      return { isMet: tookMs < 5000, detail }
    }),
    shows('a leader is elected after that', ({ events, fired }) => {
      const wipedMs = fired.find(({ row }) => row.kind === 'wipe-disk')?.atMs ?? Infinity
      const { length } = events.filter(
        ({ atMs, event }) => event.kind === 'quorum.elected' && atMs > wipedMs,
      )
      return { isMet: length > 0, detail: `${length} elections` }
    }),
    shows('no committed topic is lost', (evidence) => {
      const lost = forgottenTopics(evidence)
      return { isMet: lost.length === 0, detail: listOf(lost) }
    }),
    LOSES_NOTHING,
  ],
  invariants: ['Q1', 'Q2', 'Q5', 'Q6', 'Q7', 'L1', 'D1'],
  twins: [
    {
      name: 'wiped before the election',
      says: 'one of the two voters with the newest entries is wiped as the other dies: they are gone',
      change: wipedBefore,
      seeds: 3,
      mustFail: ['CRASH', 'Q5', 'Q6', 'Q4', 'no committed topic is lost', ...STUCK],
    },
  ],
})

/** The third voter is cut off and lags; then one of the others is emptied, and the leader dies. */
function wipedBefore(plan: Plan): Plan {
  return {
    ...plan,
    faults: [
      at('1s', 'cut', 'c3', { until: '4100ms', params: { peers: 'nodes' } }),
      at('4s', 'crash', 'c1', { until: '12s' }),
      at('4s', 'wipe-disk', 'c2', { until: '4200ms' }),
    ],
  }
}

/** From the restart with an empty disk to the role of a follower. */
function rejoinedMs({ events, fired }: Evidence): number {
  const wipe = fired.find(({ row }) => row.kind === 'wipe-disk')
  if (wipe === undefined) return Infinity
  const fromMs = wipe.atMs + (wipe.row.untilMs ?? Infinity) - wipe.row.atMs
  const found = events.find(
    ({ atMs, event }) =>
      atMs >= fromMs &&
      event.node === wipe.node &&
      event.kind === 'quorum.role-changed' &&
      event.fields['to'] === 'follower',
  )
  return (found?.atMs ?? Infinity) - fromMs
}

/** Topics whose creation was acknowledged and whose deletion was later refused since there is no such topic. */
function forgottenTopics({ history }: Evidence): readonly string[] {
  const created = new Set<string>()
  const asked = new Set<string>()
  const forgotten: string[] = []
  for (const { kind, operation } of history) {
    if (operation.op === 'create-topic' && kind === 'ok') created.add(operation.topic)
    if (operation.op !== 'delete-topic') continue
    const isFirst = kind !== 'invoke' && !asked.has(operation.topic)
    if (kind !== 'invoke') asked.add(operation.topic)
    const isUnknown = operation.error === 'UNKNOWN_TOPIC_OR_PARTITION'
    if (isFirst && isUnknown && created.has(operation.topic)) forgotten.push(operation.topic)
  }
  return forgotten
}
