import type { Evidence } from './lib/evidence.ts'
import { shows, sometimes, type Expectation } from './lib/expectation.ts'
import { at, c3, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const SEGMENT_BYTES = '5000'

/**
 * Scenario 25 of the catalogue: `t` keeps so many bytes, `u` keeps so many seconds. One reader of each sleeps for
 * longer than that; what it would have read next is gone when it wakes up.
 */
export const retention = scenario('retention', {
  section: 'B',
  number: 25,
  summary: 'retention by size and by time: a reader that sleeps too long finds a gap, and is told',
  lesson: 'Retention does not wait for consumers: OFFSET_OUT_OF_RANGE is how a gap is said aloud.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3({
    'log.retention.check.interval.ms': '500',
    // Apache Kafka waits a minute before it removes the file of a deleted segment; readers do not see it before.
    'log.initial.task.delay.ms': '500',
  }),
  topics: [
    topic('t', {
      partitions: 1,
      configs: { 'internal.segment.bytes': SEGMENT_BYTES, 'retention.bytes': '15000' },
    }),
    topic('u', {
      partitions: 1,
      configs: { 'internal.segment.bytes': SEGMENT_BYTES, 'retention.ms': '2000' },
    }),
  ],
  workload: [
    producers(2, { partitions: [0], valueBytes: 200 }),
    producers(1, { name: 'hourly', topic: 'u', partitions: [0], valueBytes: 200, everyMs: 30 }),
    readers(1, { name: 'awake', partitions: [0] }),
    readers(1, { name: 'sleeper', partitions: [0] }),
    readers(1, { name: 'dozer', topic: 'u', partitions: [0] }),
  ],
  faults: [
    at('2s', 'client-pause', 'sleeper', { until: '9s' }),
    at('2s', 'client-pause', 'dozer', { until: '9s' }),
  ],
  chaos: '12s',
  expect: [
    sometimes('log.segments-deleted'),
    sometimes('log.start-raised'),
    isTold('sleeper', 't'),
    isTold('dozer', 'u'),
    shows('who keeps up misses nothing', (evidence) => {
      const gap = gapOf(evidence, 'awake')
      return { isMet: gap === 0, detail: `${gap} records skipped` }
    }),
  ],
  invariants: ['R13', 'D5', 'D2', 'L4'],
  figures: [
    { name: 'records that the sleeper missed', value: (evidence) => gapOf(evidence, 'sleeper') },
    { name: 'records that the dozer missed', value: (evidence) => gapOf(evidence, 'dozer') },
  ],
  twins: [
    {
      name: 'no limits',
      says: 'everything is kept: the readers wake up and miss nothing',
      change: (plan) => ({
        ...plan,
        topics: plan.topics.map(({ name }) => topic(name, { partitions: 1 })),
      }),
      mustFail: ['sometimes log.segments-deleted', 'sleeper is told that its place is gone'],
    },
  ],
})

/** The reader of the topic is refused once, and begins again at the new start: a gap that it knows of. */
function isTold(reader: string, topicName: string): Expectation {
  return shows(`${reader} is told that its place is gone`, (evidence) => {
    const refused = evidence.history.filter(
      ({ process, kind, operation }) =>
        process.startsWith(reader) &&
        kind === 'fail' &&
        operation.op === 'poll' &&
        operation.topic === topicName &&
        operation.error === 'OFFSET_OUT_OF_RANGE',
    ).length
    const gap = gapOf(evidence, reader)
    return { isMet: refused > 0 && gap > 0, detail: `${refused} times, a gap of ${gap} records` }
  })
}

/** Offsets between what the reader had read and where it went on. */
function gapOf({ history }: Evidence, reader: string): number {
  let gap = 0
  let next: number | null = null
  for (const { process, kind, operation } of history) {
    if (!process.startsWith(reader) || kind !== 'ok' || operation.op !== 'poll') continue
    const { position, records = [] } = operation
    if (next !== null && position > next) gap += position - next
    next = (records.at(-1)?.offset ?? position - 1) + 1
  }
  return gap
}
