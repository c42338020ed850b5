import type { HistoryEntry } from '../src/chaos/history/history.ts'
import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import {
  at,
  c3,
  leaderOf,
  offsetsWatcher,
  producers,
  readers,
  replicaOf,
  topic,
} from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/**
 * Scenario 11 of the catalogue: a leader dies right after its high watermark grew. Its successor has the records and
 * an older watermark, and the other follower is out of reach, so that it stays old for seconds.
 */
export const staleHw = scenario('stale-hw', {
  section: 'A',
  number: 11,
  summary:
    'a new leader knows an older high watermark than its clients: they wait, nothing goes back',
  lesson: 'A local high watermark may go back, but no client may see it: it is told to ask again.',
  modes: ['sim', 'kafka'],
  cluster: c3(),
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(2, { partitions: [0], everyMs: 20 }),
    readers(2, { partitions: [0], everyMs: 10 }),
    offsetsWatcher({ partitions: [0], everyMs: 20 }),
  ],
  faults: [
    // The first two are the leader and its successor.
    at('1900ms', 'cut', replicaOf('t', 0, 2), { until: '5500ms', params: { peers: 'brokers' } }),
    at('2s', 'crash', leaderOf('t', 0), { until: '7s' }),
  ],
  chaos: '10s',
  expect: [
    sometimes('leader.began-with-uncommitted'),
    sometimes('leader.end-withheld'),
    shows('ListOffsets is told to ask again, then gets a value', (evidence) => {
      const lookups = evidence.history.filter(isLookup)
      const refused = lookups.findIndex(isWithheld)
      const isAnswered = lookups.slice(refused).some(({ kind }) => kind === 'ok')
      const count = lookups.filter(isWithheld).length
      return {
        isMet: refused !== -1 && isAnswered,
        detail: `${count} times OFFSET_NOT_AVAILABLE`,
      }
    }),
    shows('no reader is reset', (evidence) => {
      const count = resets(evidence)
      return { isMet: count === 0, detail: `${count} times OFFSET_OUT_OF_RANGE` }
    }),
  ],
  invariants: ['R11', 'D5', 'D3', 'D1', 'L4'],
})

function isLookup({ operation, kind }: HistoryEntry): boolean {
  return operation.op === 'list-offsets' && kind !== 'invoke'
}

function isWithheld({ operation }: HistoryEntry): boolean {
  return operation.op === 'list-offsets' && operation.error === 'OFFSET_NOT_AVAILABLE'
}

function resets({ history }: Evidence): number {
  return history.filter(
    ({ operation }) => operation.op === 'poll' && operation.error === 'OFFSET_OUT_OF_RANGE',
  ).length
}
