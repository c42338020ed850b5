import { ackedBy, shows, sometimes, within } from './lib/expectation.ts'
import { chaosBeginMs, type Evidence } from './lib/evidence.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, cluster, otherController, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { acksIn, after, togetherOn, type Span } from './lib/span.ts'

const BACK_MS = 10_000
/** The leader of the quorum believes in its majority for a fetch time-out. */
const BELIEVES_MS = 2500

/**
 * Scenario 28 of the catalogue: two of three controllers are dead. Over processes they take their brokers along, so
 * what goes on there is what needs none of them: `alone` has one replica a partition.
 */
export const controllerMajorityLoss = scenario('controller-majority-loss', {
  section: 'C',
  number: 28,
  summary: 'two of three controllers are gone: data flows on, nothing can be changed',
  lesson: 'The control plane decides who leads; as long as nobody has to change, nobody asks it.',
  modes: ['sim', 'real', 'kafka'],
  cluster: cluster({ brokers: 5, controllers: 3 }),
  topics: [topic('t'), topic('alone', { partitions: 5, rf: 1, minIsr: 1 })],
  workload: [
    producers(2),
    producers(2, { name: 'loner', topic: 'alone', partitions: [0, 1, 2, 3, 4] }),
    readers(1),
    { kind: 'admin', name: 'admin', everyMs: 300 },
  ],
  faults: [
    at('2s', 'crash', otherController(0), { until: `${BACK_MS}ms` }),
    at('2100ms', 'crash', otherController(1), { until: `${BACK_MS}ms` }),
  ],
  chaos: '14s',
  expect: [
    shows('producers go on', (evidence) => {
      const { length } = acksIn(evidence, headless(evidence))
      return { isMet: length > 0, detail: `${length} acked` }
    }),
    shows(
      'no partition stands still',
      (evidence) => {
        const keys = new Set(
          acksIn(evidence, headless(evidence)).map(
            ({ operation }) => `${operation.topic}-${operation.partition}`,
          ),
        )
        return { isMet: keys.size === 8, detail: `${keys.size} of 8 acknowledge` }
      },
      { modes: ['sim'] },
    ),
    shows(
      'no leader is elected',
      (evidence) => {
        const count = electionsIn(evidence, headless(evidence))
        return { isMet: count === 0, detail: `${count} elections` }
      },
      { modes: ['sim', 'real'] },
    ),
    shows('administration gets no answer', (evidence) => {
      const { created, unanswered } = creationsIn(evidence, headless(evidence))
      return {
        isMet: created === 0 && unanswered > 0,
        detail: `${unanswered} without an answer, ${created} carried out`,
      }
    }),
    shows('administration goes on afterwards', (evidence) => {
      const fromMs = chaosBeginMs(evidence) + BACK_MS
      const { created } = creationsIn(evidence, { fromMs, untilMs: Infinity })
      return { isMet: created > 0, detail: `${created} carried out` }
    }),
    sometimes('quorum.resigned-alone'),
    within('8s', ackedBy('t', 0), { after: BACK_MS }),
    LOSES_NOTHING,
  ],
  invariants: ['Q7', 'D1', 'L1', 'Q5'],
})

/** While both are gone, from when the third has given up. */
function headless(evidence: Evidence): Span | null {
  return after(
    togetherOn(evidence, ({ row }) => row.kind === 'crash'),
    BELIEVES_MS,
  )
}

function electionsIn({ events }: Evidence, span: Span | null): number {
  return events.filter(
    ({ atMs, event }) =>
      event.kind === 'controller.leader-elected' &&
      span !== null &&
      atMs >= span.fromMs &&
      atMs < span.untilMs,
  ).length
}

function creationsIn(
  { history }: Evidence,
  span: Span | null,
): { readonly created: number; readonly unanswered: number } {
  let created = 0
  let unanswered = 0
  for (const { atMs, kind, operation } of history) {
    const isAdmin = operation.op === 'create-topic' || operation.op === 'delete-topic'
    if (!isAdmin || span === null || atMs < span.fromMs || atMs >= span.untilMs) continue
    if (kind === 'ok') created += 1
    if (kind === 'info' || kind === 'fail') unanswered += 1
  }
  return { created, unanswered }
}
