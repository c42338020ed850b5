import { finalValues, firstFaultMs, type Evidence } from './lib/evidence.ts'
import { shows } from './lib/expectation.ts'
import { acksWithin, LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, group, producers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const HOUR_MS = 3_600_000
const SEGMENT_BYTES = '8000'

/** Scenario 71 of the catalogue: wall clocks go wrong by an hour, of one node, then of all. */
export const clockJump = scenario('clock-jump', {
  section: 'G',
  number: 71,
  summary: 'clocks jump by an hour, there and back: nothing expires, nobody is thrown out',
  lesson: 'Sessions and time-outs run on a clock that cannot jump; wall clocks are for records.',
  modes: ['sim'],
  cluster: c3({ 'log.retention.check.interval.ms': '500' }),
  topics: [topicKeptFor(2 * HOUR_MS)],
  workload: [producers(2), group()],
  faults: [
    at('1s', 'clock-skew', 'b1', { until: '3s', params: { ms: HOUR_MS } }),
    at('2s', 'clock-skew', 'c1', { until: '3500ms', params: { ms: -HOUR_MS } }),
    at('5s', 'clock-jump', 'all', { params: { ms: HOUR_MS } }),
    at('7s', 'clock-jump', 'all', { params: { ms: -HOUR_MS } }),
  ],
  chaos: '10s',
  expect: [
    shows('the clocks jump', ({ fired }) => {
      const count = fired.filter(({ isIdle }) => !isIdle).length
      return { isMet: count > 3, detail: `${count} jumps` }
    }),
    shows('no rebalance', (evidence) => {
      const count = rebalances(evidence)
      return { isMet: count === 0, detail: `${count} generations after the first jump` }
    }),
    LOSES_NOTHING,
    acksWithin(200),
  ],
  invariants: ['D1', 'G9', 'G6', 'L2'],
  figures: [{ name: 'in the log', value: (evidence) => finalValues(evidence).length }],
  twins: [
    {
      name: 'retention of half an hour',
      says: 'retention does believe the wall clock: a jump beyond it takes records that are seconds old',
      change: (plan) => ({ ...plan, topics: [topicKeptFor(HOUR_MS / 2)] }),
      mustFail: ['no acked record is lost'],
    },
  ],
})

function topicKeptFor(retentionMs: number): ReturnType<typeof topic> {
  return topic('t', {
    configs: { 'retention.ms': String(retentionMs), 'internal.segment.bytes': SEGMENT_BYTES },
  })
}

function rebalances(evidence: Evidence): number {
  const fromMs = firstFaultMs(evidence) ?? 0
  return evidence.events.filter(
    ({ atMs, event }) => atMs >= fromMs && event.kind === 'group.rebalanced',
  ).length
}
