import { ackedBy, leaderChange, sometimes, within } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, leaderOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const ROOM_AGAIN_MS = 8000

/**
 * Scenario 19 of the catalogue: no space is left on the leader's only log directory. As Apache Kafka does, the broker
 * stops: it could promise nothing more. Its partitions move; it comes back when there is room.
 */
export const diskFull = scenario('disk-full', {
  section: 'B',
  number: 19,
  summary: 'the disk of a leader is full: it stops, its partitions move, and it returns with space',
  lesson: 'A broker that cannot write must not lead; half an append is none.',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(3), readers(1)],
  faults: [
    at('2s', 'disk-full', leaderOf('t', 0), {
      until: `${ROOM_AGAIN_MS}ms`,
      params: { freeBytes: 700 },
    }),
  ],
  chaos: '11s',
  expect: [
    sometimes('log.append-without-room'),
    sometimes('node.failed'),
    within('4s', leaderChange('t', 0)),
    within('5s', ackedBy('t', 0), { after: '4s' }),
    sometimes('isr.whole-again'),
    LOSES_NOTHING,
  ],
  invariants: ['D1', 'L2', 'L3', 'R16'],
})
