import { ackedBy, shows, showsSend, within } from './lib/expectation.ts'
import { chaosBeginMs, endedSends, type Evidence } from './lib/evidence.ts'
import { at, cluster, followerOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const TOO_FEW = new Set(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'])
/** The ISR is one replica from here on: both sessions are over. */
const ALONE_MS = 6000
const BACK_MS = 9000

/** Scenario 4 of the catalogue: two of three replicas are down; acks=all is refused, acks=1 is not. */
export const minIsrBlock = scenario('min-isr-block', {
  section: 'A',
  number: 4,
  summary: 'two followers down: acks=all is refused rather than risked, acks=1 goes on',
  lesson: 'min.insync.replicas chooses durability over availability: no ack beats a false one.',
  modes: ['sim', 'real', 'kafka'],
  // Two of three nodes that are voters too would take the quorum along: of five they do not.
  cluster: cluster({ brokers: 5, controllers: 5, layout: 'combined' }),
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(2, { partitions: [0], idempotent: false, inFlight: 1 }),
    producers(1, { name: 'careless', partitions: [0], acks: 1, idempotent: false, inFlight: 1 }),
    readers(1, { partitions: [0] }),
  ],
  faults: [
    at('2s', 'crash', followerOf('t', 0, 0), { until: `${BACK_MS}ms` }),
    at('2100ms', 'crash', followerOf('t', 0, 1), { until: `${BACK_MS}ms` }),
  ],
  chaos: '13s',
  expect: [
    showsSend('acks=all is refused', ({ operation }) => {
      return operation.acks === -1 && TOO_FEW.has(operation.error ?? '')
    }),
    shows('no acks=all while the leader is alone', (evidence) => {
      const count = acksAlone(evidence, -1)
      return { isMet: count === 0, detail: `${count} acked` }
    }),
    shows('acks=1 goes on meanwhile', (evidence) => {
      const count = acksAlone(evidence, 1)
      return { isMet: count > 0, detail: `${count} acked` }
    }),
    within('4s', ackedBy('t', 0), { after: BACK_MS }),
  ],
  invariants: ['D8', 'R10', 'D1', 'L2', 'L3'],
  twins: [
    {
      name: 'min.insync.replicas=1',
      says: 'the leader alone is enough, and its acknowledgement rests on one disk',
      change: (plan) => ({ ...plan, topics: [topic('t', { partitions: 1, minIsr: 1 })] }),
      mustFail: ['acks=all is refused', 'no acks=all while the leader is alone'],
    },
    {
      name: 'ack-before-hw',
      says: 'acks=all is answered as soon as the leader has appended',
      plant: 'ack-before-hw',
      seeds: 3,
      mustFail: ['D8', 'D1', 'R10', 'no acks=all while the leader is alone'],
    },
  ],
})

function acksAlone(evidence: Evidence, acks: -1 | 1): number {
  const undone = evidence.fired.map(({ row, atMs }) => atMs + (row.untilMs ?? Infinity) - row.atMs)
  const fromMs = chaosBeginMs(evidence) + ALONE_MS
  return endedSends(evidence).filter(
    ({ atMs, kind, operation }) =>
      kind === 'ok' && operation.acks === acks && atMs > fromMs && atMs < Math.min(...undone),
  ).length
}
