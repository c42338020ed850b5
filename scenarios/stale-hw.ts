import type { HistoryEntry } from '../src/chaos/history/history.ts'
import type { Evidence, HeardEvent } from './lib/evidence.ts'
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

/** Who else tells no events, or cannot be hit in the right moment. */
const IN_SIMULATION = { modes: ['sim'] } as const

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
  // Links so slow that there is always a high watermark on its way to the followers.
  cluster: {
    ...c3(),
    network: { minUs: 5000, maxUs: 15_000, tailPermille: 0, tailFactor: 1, cutPermille: 20 },
  },
  topics: [topic('t', { partitions: 1 })],
  workload: [
    producers(2, { partitions: [0], everyMs: 20 }),
    readers(2, { partitions: [0], everyMs: 10 }),
    offsetsWatcher({ partitions: [0], everyMs: 20 }),
  ],
  faults: [
    // The first two replicas are the leader and its successor. It waits for the crash from the start on: whatever
    // moves the times of the two about, the crash comes later.
    at(0, 'cut', replicaOf('t', 0, 2), {
      until: '3500ms',
      params: { peers: 'brokers' },
      atProbe: { name: 'node.crashed', hit: 1 },
    }),
    at('2s', 'crash', leaderOf('t', 0), { until: '7s' }),
  ],
  chaos: '10s',
  expect: [
    sometimes('leader.began-with-uncommitted'),
    sometimes('leader.end-withheld'),
    shows(
      'ListOffsets is told to ask again, then gets a value',
      (evidence) => {
        const lookups = evidence.history.filter(isLookup)
        const refused = lookups.findIndex(isWithheld)
        const isAnswered = lookups.slice(refused).some(({ kind }) => kind === 'ok')
        const count = lookups.filter(isWithheld).length
        return {
          isMet: refused !== -1 && isAnswered,
          detail: `${count} times OFFSET_NOT_AVAILABLE`,
        }
      },
      IN_SIMULATION,
    ),
    shows('no reader is reset', (evidence) => {
      const count = resets(evidence)
      return { isMet: count === 0, detail: `${count} times OFFSET_OUT_OF_RANGE` }
    }),
  ],
  invariants: ['R11', 'D5', 'D3', 'D1', 'L4'],
  figures: [
    // In the moment of the crash the two may be the same: then the successor was told just in time.
    { name: 'end seen by clients', value: (evidence) => seenBefore(evidence, beginOf(evidence)) },
    {
      name: 'high watermark of the new leader',
      value: ({ events }) => Number(events.find(isNewLeader)?.event.fields['highWatermark'] ?? -1),
    },
  ],
  twins: [
    {
      name: 'the end told too early',
      says: 'a new leader tells clients its own old watermark, less than they have read (before KIP-207)',
      plant: 'latest-offset-answered-too-early',
      seeds: 5,
      mustFail: ['R11'],
    },
  ],
})

/** The first leader epoch is that of the topic's birth. */
function isNewLeader({ event: { kind, fields } }: HeardEvent): boolean {
  const isBegun = kind === 'partition.leader-changed' && fields['role'] === 'leader'
  return isBegun && fields['topic'] === 't' && Number(fields['leaderEpoch']) > 0
}

function beginOf({ events }: Evidence): number {
  return events.find(isNewLeader)?.atMs ?? 0
}

/** The highest offset that any client was told to be the end, or the watermark, before that time. */
function seenBefore({ history }: Evidence, beforeMs: number): number {
  let seen = -1
  for (const { atMs, kind, operation } of history) {
    if (kind !== 'ok' || atMs > beforeMs) continue
    if (operation.op === 'poll') seen = Math.max(seen, operation.highWatermark ?? -1)
    if (operation.op === 'list-offsets') seen = Math.max(seen, operation.offset ?? -1)
  }
  return seen
}

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
