import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, CONTROLLER, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const OFFICE_LIMIT_MS = 5000
const ELECTIONS_MAX = 4

/**
 * Scenario 31 of the catalogue: what is sent to the active controller is lost, what it sends arrives. It could hold
 * its office for ever by telling everybody that it leads; it gives up since no majority fetches from it.
 */
export const asymmetricController = scenario('asymmetric-controller', {
  section: 'C',
  number: 31,
  summary: 'the active controller is heard and hears nobody: it resigns by itself, one other leads',
  lesson: 'A leader must hear its majority; being heard by it is not enough.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(3), readers(1), { kind: 'admin', name: 'admin', everyMs: 250 }],
  faults: [at('2s', 'cut', CONTROLLER, { until: '10s', params: { direction: 'in' } })],
  chaos: '14s',
  expect: [
    sometimes('quorum.resigned-alone'),
    shows('another controller takes office soon', (evidence) => {
      const tookMs = officeMs(evidence)
      return {
        isMet: tookMs <= OFFICE_LIMIT_MS,
        detail: tookMs === Infinity ? 'never' : `after ${Math.round(tookMs)} ms`,
      }
    }),
    shows('few elections', (evidence) => {
      const count = electionsSince(evidence)
      return { isMet: count >= 1 && count <= ELECTIONS_MAX, detail: `${count}` }
    }),
    LOSES_NOTHING,
  ],
  invariants: ['Q1', 'L1', 'L8', 'D1'],
  figures: [{ name: 'elections', value: electionsSince }],
})

function officeMs({ events, fired }: Evidence): number {
  const [cut] = fired
  if (cut === undefined) return Infinity
  const next = events.find(
    ({ atMs, event }) =>
      event.kind === 'controller.activated' && atMs > cut.atMs && event.node !== cut.node,
  )
  return (next?.atMs ?? Infinity) - cut.atMs
}

function electionsSince({ events, fired }: Evidence): number {
  const fromMs = fired[0]?.atMs ?? Infinity
  return events.filter(({ atMs, event }) => event.kind === 'quorum.elected' && atMs > fromMs).length
}
