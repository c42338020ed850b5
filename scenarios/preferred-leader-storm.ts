import type { Fault } from '../src/chaos/plan/fault.ts'
import { chaosBeginMs, endedSends, type Evidence } from './lib/evidence.ts'
import { shows, sometimes } from './lib/expectation.ts'
import { epochsBegun } from './lib/partition-events.ts'
import { at, c3, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { chaosSpan } from './lib/span.ts'

const CHAOS_MS = 20_000
const ELECTION_MS = 200
/** A broker leaves every so often, or there would be nothing to elect anew. */
const SHUTDOWN_MS = 3000
const AWAY_MS = 700
const FIRST_MS = 1000

/** Scenario 14 of the catalogue: an administrator asks for preferred leaders five times a second, for 20 seconds. */
export const preferredLeaderStorm = scenario('preferred-leader-storm', {
  section: 'A',
  number: 14,
  summary: 'leaders leave and are called back five times a second: slower, and nothing else',
  lesson: 'A change of leaders costs time, never records: what is in flight is sent again, once.',
  modes: ['sim', 'real'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(2), readers(1)],
  faults: [departures(), elections()],
  chaos: `${CHAOS_MS}ms`,
  expect: [
    shows('leadership moves all the time', (evidence) => {
      const count = epochsBegun(evidence, 't', chaosSpan(evidence))
      return { isMet: count >= 8, detail: `${count} leader epochs` }
    }),
    sometimes('broker.left'),
    shows('there is no second without an ack', (evidence) => {
      const slowest = Math.min(...acksBySecond(evidence))
      return { isMet: slowest > 0, detail: `${slowest} in the slowest second` }
    }),
  ],
  invariants: ['R5', 'R6', 'P1', 'P5', 'D1', 'L2'],
  figures: [
    {
      name: 'acks a second',
      value: (evidence) => {
        const sorted = acksBySecond(evidence).toSorted((a, b) => a - b)
        return `${sorted[0] ?? 0} to ${sorted.at(-1) ?? 0}`
      },
    },
  ],
})

function departures(): readonly Fault[] {
  return every(SHUTDOWN_MS, CHAOS_MS - SHUTDOWN_MS).map((atMs, index) =>
    at(atMs, 'shutdown', `any-broker(${index})`, { until: atMs + AWAY_MS }),
  )
}

function elections(): readonly Fault[] {
  return every(ELECTION_MS, CHAOS_MS - 1).map((atMs) => at(atMs, 'elect-preferred', 'cluster'))
}

function every(stepMs: number, lastMs: number): readonly number[] {
  const count = Math.floor((lastMs - FIRST_MS) / stepMs) + 1
  return Array.from({ length: count }, (_, index) => FIRST_MS + index * stepMs)
}

function acksBySecond(evidence: Evidence): readonly number[] {
  const beginMs = chaosBeginMs(evidence)
  const counts = Array.from({ length: CHAOS_MS / 1000 }, () => 0)
  for (const { atMs, kind } of endedSends(evidence)) {
    const second = Math.floor((atMs - beginMs) / 1000)
    const before = counts[second]
    if (kind === 'ok' && before !== undefined) counts[second] = before + 1
  }
  return counts
}
