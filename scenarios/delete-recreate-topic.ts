import type { Evidence } from './lib/evidence.ts'
import { finalValues } from './lib/evidence.ts'
import { ackedBy, shows, within } from './lib/expectation.ts'
import { listOf } from './lib/outcome.ts'
import { at, c3, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

const AGAIN_MS = 6000

/**
 * Scenario 26 of the catalogue: a topic is deleted and made again under the same name, twice, while producers and
 * readers go on with it. `other` shows that the neighbours notice nothing.
 */
export const deleteRecreateTopic = scenario('delete-recreate-topic', {
  section: 'B',
  number: 26,
  summary: 'a topic is deleted and made anew under load: no old record comes back',
  lesson: 'A topic is its id, not its name: whoever asks with the old id asks for nothing.',
  modes: ['sim', 'real', 'kafka'],
  cluster: c3(),
  topics: [topic('t'), topic('other', { partitions: 1 })],
  workload: [
    producers(3),
    producers(1, { name: 'neighbour', topic: 'other', partitions: [0] }),
    readers(1),
    readers(1, { name: 'neighbour-reader', topic: 'other', partitions: [0] }),
  ],
  faults: [
    at('2s', 'recreate-topic', 't', { params: { topic: 't' } }),
    at(`${AGAIN_MS}ms`, 'recreate-topic', 't', { params: { topic: 't' } }),
  ],
  chaos: '10s',
  expect: [
    shows('the topic is deleted, and made again', (evidence) => {
      const { length } = recreations(evidence)
      return { isMet: length === 2, detail: `${length} times` }
    }),
    shows('records of the old topic were acknowledged', (evidence) => {
      const { length } = oldValues(evidence)
      return { isMet: length > 0, detail: `${length} records` }
    }),
    shows('none of them is in the new one', (evidence) => {
      const present = new Set(finalValues(evidence, 't'))
      const found = oldValues(evidence).filter((value) => present.has(value))
      return { isMet: found.length === 0, detail: listOf(found) }
    }),
    within('6s', ackedBy('t', 0), { after: AGAIN_MS + 1000 }),
  ],
  invariants: ['D2', 'R3', 'D9', 'L2', 'L3'],
})

/** When the topic was asked to go and come again, in milliseconds of the run. */
function recreations({ fired }: Evidence): readonly number[] {
  return fired.flatMap(({ row, isIdle, atMs }) =>
    row.kind === 'recreate-topic' && !isIdle ? [atMs] : [],
  )
}

/** Acknowledged before the last deletion was asked for: the topic that has them is gone. */
function oldValues(evidence: Evidence): readonly string[] {
  const untilMs = recreations(evidence).at(-1) ?? 0
  return evidence.history.flatMap(({ kind, atMs, operation }) =>
    operation.op === 'send' && operation.topic === 't' && kind === 'ok' && atMs < untilMs
      ? [operation.value]
      : [],
  )
}
