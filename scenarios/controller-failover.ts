import type { Evidence } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { listOf, LOSES_NOTHING } from './lib/outcome.ts'

import {
  at,
  cluster,
  CONTROLLER,
  leaderOf,
  producers,
  readers,
  topic,
} from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { acksIn, type Span } from './lib/span.ts'

const OFFICE_LIMIT_MS = 3000
/** Over processes the broker that dies is a voter too: the third may have to wait for it. */
const OFFICE_LIMIT_REAL_MS = 9000

/**
 * Scenario 27 of the catalogue: the active controller dies three times: at any moment among many topic creations,
 * right after one was committed and before its answer left, and while it elects leaders for a dead broker.
 */
export const controllerFailover = scenario('controller-failover', {
  section: 'C',
  number: 27,
  summary:
    'the active controller dies while it creates topics and elects leaders: all or nothing happens',
  lesson:
    'What a controller did not commit has not happened; what it did, the next one goes on with.',
  modes: ['sim', 'real', 'kafka'],
  // Over processes the three voters are brokers too, and two of the five are brokers alone.
  cluster: cluster({
    brokers: 5,
    controllers: 3,
    properties: { 'default.replication.factor': '3' },
  }),
  topics: [topic('t')],
  workload: [producers(3), readers(1), { kind: 'admin', name: 'admin', everyMs: 100 }],
  faults: [
    at('2s', 'crash', CONTROLLER, { until: '5s' }),
    at('6s', 'crash', CONTROLLER, {
      until: '9s',
      atProbe: { name: 'controller.topic-created', hit: 1 },
    }),
    at('11s', 'crash', leaderOf('t', 0), { until: '15s' }),
    at('11100ms', 'crash', CONTROLLER, {
      until: '14s',
      atProbe: { name: 'controller.elected', hit: 1 },
    }),
  ],
  chaos: '18s',
  expect: [
    shows(
      'another controller takes office each time',
      (evidence) => {
        const limitMs = evidence.mode === 'sim' ? OFFICE_LIMIT_MS : OFFICE_LIMIT_REAL_MS
        const late = officeTimes(evidence).filter((tookMs) => tookMs > limitMs)
        const detail = `after ${officeTimes(evidence)
          .map((tookMs) => (tookMs === Infinity ? 'never' : `${Math.round(tookMs)} ms`))
          .join(', ')}`
        return { isMet: officeTimes(evidence).length >= 2 && late.length === 0, detail }
      },
      { modes: ['sim', 'real'] },
    ),
    sometimes('controller.activated-again'),
    shows('topics come whole or not at all', wholeTopics, {
      modes: ['sim'],
    }),
    shows(
      'producers go on without a controller',
      (evidence) => {
        const span = withoutController(evidence)
        const { length } = acksIn(evidence, span)
        return { isMet: length > 0, detail: `${length} acked meanwhile` }
      },
      { modes: ['sim'] },
    ),
    within('8s', leaderChange('t', 0), { after: '10s' }),
    LOSES_NOTHING,
  ],
  invariants: ['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6', 'Q7', 'Q8', 'L1', 'D1'],
})

/** From each death of an active controller to the next one's office. */
function officeTimes({ events, fired }: Evidence): readonly number[] {
  return fired
    .filter(({ row, isIdle }) => row.target === CONTROLLER && !isIdle)
    .map(({ atMs }) => {
      const next = events.find(
        (each) => each.event.kind === 'controller.activated' && each.atMs > atMs,
      )
      return (next?.atMs ?? Infinity) - atMs
    })
}

/** From the first death to the next office. */
function withoutController(evidence: Evidence): Span | null {
  const [tookMs] = officeTimes(evidence)
  const first = evidence.fired.find(({ row, isIdle }) => row.target === CONTROLLER && !isIdle)
  if (first === undefined || tookMs === undefined) return null
  return { fromMs: first.atMs, untilMs: first.atMs + Math.min(tookMs, OFFICE_LIMIT_MS) }
}

/** What was acknowledged came up without a hole, and what was refused did not come up at all. */
function wholeTopics(evidence: Evidence): { isMet: boolean; detail: string } {
  const seen = new Map<string, Set<string>>()
  for (const { event } of evidence.events) {
    const { topic: name, partition } = event.fields
    if (event.kind !== 'partition.leader-changed' || typeof name !== 'string') continue
    seen.set(name, (seen.get(name) ?? new Set()).add(String(partition)))
  }
  const wrong: string[] = []
  let created = 0
  for (const { kind, operation } of evidence.history) {
    if (operation.op !== 'create-topic' || kind === 'invoke' || kind === 'info') continue
    const partitions = seen.get(operation.topic) ?? new Set()
    const isWhole = [...partitions].every((each) => Number(each) < partitions.size)
    if (kind === 'ok') created += 1
    const isRight = kind === 'ok' ? partitions.size > 0 && isWhole : partitions.size === 0
    if (!isRight && operation.error !== 'TOPIC_ALREADY_EXISTS') wrong.push(operation.topic)
  }
  return {
    isMet: created > 0 && wrong.length === 0,
    detail: `${created} created, otherwise: ${listOf(wrong)}`,
  }
}
