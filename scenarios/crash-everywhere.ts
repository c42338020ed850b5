import { crashSweep } from './lib/crash-sweep.ts'
import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { at, cluster, producers, topic } from './lib/plan-builders.ts'
import { scenario, STUCK } from './lib/scenario.ts'

const NODE = 'n1'
/** The script: appends, rolls with snapshots and index files, checkpoints, retention, a topic deleted and made again. */
const SCRIPT_MS = 700
const OPERATIONS_MIN = 40

/**
 * Scenario 17 of the catalogue: not some crashes but all. The same second of one broker is run again and again; each
 * time it dies right after another operation of its disk, as a process, by a power cut that tears the tail, and by
 * one that leaves holes in it.
 */
export const crashEverywhere = scenario('crash-everywhere', {
  section: 'B',
  number: 17,
  summary: 'one broker dies after each single operation of its disk, in three ways: all come back',
  lesson: 'There are only so many moments to die in: try them all instead of waiting for one.',
  modes: ['sim'],
  cluster: cluster({
    brokers: 1,
    controllers: 1,
    layout: 'combined',
    properties: {
      'log.retention.check.interval.ms': '300',
      'replica.high.watermark.checkpoint.interval.ms': '120',
    },
  }),
  topics: [
    topic('t', {
      partitions: 1,
      rf: 1,
      minIsr: 1,
      configs: { 'internal.segment.bytes': '1500', 'retention.bytes': '4000' },
    }),
    topic('u', { partitions: 1, rf: 1, minIsr: 1 }),
  ],
  workload: [
    producers(1, { partitions: [0], inFlight: 1, everyMs: 80, valueBytes: 120 }),
    producers(1, { name: 'other', topic: 'u', partitions: [0], inFlight: 1, everyMs: 250 }),
  ],
  // So early that it is part of the script also where times are moved about.
  faults: [at('50ms', 'recreate-topic', 'u', { params: { topic: 'u' } })],
  chaos: '1200ms',
  simPlay: (plan, onHeard) =>
    crashSweep(plan, { node: NODE, untilMs: SCRIPT_MS, topic: 't' }, onHeard),
  expect: [
    shows('it dies after every operation', (evidence) => {
      const { operations, crashes } = sweepOf(evidence)
      const detail = `${crashes} crashes, up to ${operations} operations`
      return { isMet: operations >= OPERATIONS_MIN && crashes >= 3 * OPERATIONS_MIN, detail }
    }),
    sometimes('log.rolled'),
    sometimes('log.segments-deleted'),
    sometimes('log.segment-recovered'),
    sometimes('log.tail-cut'),
    sometimes('disk.lost-tail'),
    sometimes('disk.lost-names'),
    sometimes('controller.topic-deleted'),
  ],
  invariants: ['D9', 'R13', 'P4', 'R3', 'D2'],
  figures: [{ name: 'crashes', value: (evidence) => sweepOf(evidence).crashes }],
  twins: [
    {
      name: 'a disk that lies',
      says: 'fsync answers and makes nothing durable: a power cut takes what a broker built upon',
      change: (plan) => ({ ...plan, faults: [at(0, 'lying-fsync', NODE), ...plan.faults] }),
      mustFail: ['D9', 'Q2', 'Q3', 'R13', 'P4', 'CRASH', ...STUCK, 'unavailable'],
    },
  ],
})

function sweepOf({ events, fired }: Evidence): { operations: number; crashes: number } {
  const counts = fired.map(({ row }) => Number(row.params?.['afterOperations'] ?? 0))
  return {
    // The last run of each way to end is the one that finds no operation left.
    operations: Math.max(0, ...counts) - 1,
    crashes: events.filter(({ event }) => event.kind === 'node.crashed').length,
  }
}
