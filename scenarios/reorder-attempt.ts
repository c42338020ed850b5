import { shows, sometimes } from './lib/expectation.ts'
import { endedSends, finalValues, type Evidence } from './lib/evidence.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/** Scenario 34 of the catalogue: of five requests in flight some are lost on the way, and the later ones arrive. */
export const reorderAttempt = scenario('reorder-attempt', {
  section: 'D',
  number: 34,
  summary:
    'five requests in flight, connections cut in their midst: the log keeps the order of the sends',
  lesson:
    'With sequence numbers five may be in flight: what comes too early is refused, not misplaced.',
  modes: ['sim', 'real'],
  cluster: c3(),
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(3, { partitions: [0], inFlight: 5, everyMs: 15, requestTimeoutMs: 1500 }),
    // Sends gaps on purpose, which nothing of honest clients does.
    producers(1, { name: 'prober', partitions: [0], probes: true }),
    readers(1, { partitions: [0] }),
  ],
  faults: [
    ...[1000, 1400, 1800, 2200, 2600].map((ms) => at(ms, 'reset', leaderOf('t', 0))),
    ...[3200, 3600, 4000].map((ms) => at(ms, 'lose-responses', leaderOf('t', 0))),
    at('5s', 'hold', 'producer-1', { until: '7s' }),
    at('8s', 'hold', 'producer-2', { until: '10s' }),
  ],
  chaos: '12s',
  expect: [
    sometimes('produce.repeat-answered'),
    shows('the log has the order of the sends', (evidence) => {
      const count = outOfOrder(evidence)
      return { isMet: count === 0, detail: `${count} records before an earlier one` }
    }),
    shows('everything sent arrives', (evidence) => {
      const open = endedSends(evidence).filter(
        ({ kind, operation }) => kind !== 'ok' && operation.expects === undefined,
      ).length
      return { isMet: open === 0, detail: `${open} without an ack` }
    }),
  ],
  invariants: ['P2', 'P5', 'P1', 'D1', 'D6', 'R4'],
})

/** Values are `producer:number` with numbers that grow. */
function outOfOrder(evidence: Evidence): number {
  const last = new Map<string, number>()
  let count = 0
  for (const value of finalValues(evidence, 't')) {
    const colon = value.lastIndexOf(':')
    const producer = value.slice(0, colon)
    const number = Number(value.slice(colon + 1))
    if (number < (last.get(producer) ?? -1)) count += 1
    last.set(producer, Math.max(number, last.get(producer) ?? -1))
  }
  return count
}
