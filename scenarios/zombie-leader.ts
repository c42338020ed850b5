import { lostValues } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { at, c3, leaderOf, offsetsWatcher, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

/** Scenario 7 of the catalogue: a leader stands still for three session time-outs, and wakes up as nobody. */
export const zombieLeader = scenario('zombie-leader', {
  section: 'A',
  number: 7,
  summary: 'a leader sleeps through its own dismissal: what it appends on waking is never acked',
  lesson: 'A leader cannot know that it is none any more; the epoch in every request does.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(4), readers(2), offsetsWatcher()],
  faults: [at('2s', 'pause', leaderOf('t', 0), { until: '7s' })],
  chaos: '10s',
  expect: [
    within('3s', leaderChange('t', 0)),
    sometimes('broker.fenced-for-silence'),
    sometimes('replica.truncated'),
    sometimes('isr.whole-again'),
  ],
  invariants: ['R5', 'R14', 'R15', 'D1', 'D4', 'L2', 'L3'],
  twins: [
    {
      name: 'acks=1',
      says: 'the zombie acks on waking, before it hears that it is none any more: those records go',
      change: (plan) => ({
        ...plan,
        workload: [
          ...producers(4, { acks: 1, idempotent: false, requestTimeoutMs: 8000 }),
          ...readers(2),
        ],
      }),
      seeds: 5,
      mustShow: [
        shows('acked records are lost', (evidence) => {
          const { length } = lostValues(evidence)
          return { isMet: length > 0, detail: `${length}` }
        }),
      ],
    },
  ],
})
