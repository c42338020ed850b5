import type { Evidence } from './lib/evidence.ts'
import { isrSize, shows, sometimes, within } from './lib/expectation.ts'
import { LOSES_NOTHING } from './lib/outcome.ts'
import { at, c3, followerOf, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'
import { after, togetherOn, type Span } from './lib/span.ts'

/** The lag time-out and what comes before it is noticed. */
const LEAVES_MS = 5000
const QUICK_MS = 300

/**
 * Scenario 21 of the catalogue: the disk of a follower stalls for ten seconds, and with it the process, which writes
 * without a second thread. It is not dead: its session lives on (as with Apache Kafka's 9 s), nobody fences it. What
 * saves the others is `replica.lag.time.max.ms`.
 */
export const slowDisk = scenario('slow-disk', {
  section: 'B',
  number: 21,
  summary:
    'the disk of a follower stalls for ten seconds: acks wait for it, until the ISR does not',
  lesson: 'Slow is worse than dead: nobody notices it but those who wait (gray failure).',
  modes: ['sim'],
  cluster: c3({ 'broker.session.timeout.ms': '15000' }),
  topics: [topic('t', { partitions: 1, configs: { 'internal.segment.bytes': '8000' } })],
  workload: [
    producers(3, { partitions: [0], requestTimeoutMs: 8000 }),
    readers(1, { partitions: [0] }),
  ],
  faults: [
    at('2s', 'slow-disk', followerOf('t', 0), { until: '12s', params: { stallMs: 10_000 } }),
    at('2s', 'slow-node', followerOf('t', 0), { until: '12s', params: { factor: 200_000 } }),
  ],
  chaos: '18s',
  expect: [
    shows('acks wait for the slow one', (evidence) => {
      const waitedMs = slowestMs(evidence, stall(evidence))
      return { isMet: waitedMs > QUICK_MS, detail: `up to ${waitedMs} ms` }
    }),
    within(`${LEAVES_MS}ms`, isrSize('t', 0, 2)),
    shows('they are quick again while it still stalls', (evidence) => {
      const waitedMs = slowestMs(evidence, after(stall(evidence), LEAVES_MS))
      return { isMet: waitedMs >= 0 && waitedMs <= QUICK_MS, detail: `at most ${waitedMs} ms` }
    }),
    within('6s', isrSize('t', 0, 3), { after: '11300ms' }),
    sometimes('isr.shrunk'),
    sometimes('isr.whole-again'),
    LOSES_NOTHING,
  ],
  invariants: ['R16', 'L8', 'D1', 'R9', 'R10'],
  figures: [
    {
      name: 'p99 of acks in the stall',
      value: (evidence) => `${percentile99Ms(evidence, stall(evidence))} ms`,
    },
    {
      name: 'p99 after it left the ISR',
      value: (evidence) => `${percentile99Ms(evidence, after(stall(evidence), LEAVES_MS))} ms`,
    },
  ],
})

function stall(evidence: Evidence): Span | null {
  return togetherOn(evidence, ({ row }) => row.kind === 'slow-node')
}

/** Waits of the acknowledged sends that were begun within the span, sorted. */
function waitsMs({ history }: Evidence, span: Span | null): readonly number[] {
  const begun = new Map<number, number>()
  const waits: number[] = []
  for (const { index, of, atMs, kind, operation } of history) {
    if (operation.op !== 'send' || span === null) continue
    if (kind === 'invoke' && atMs >= span.fromMs && atMs < span.untilMs) begun.set(index, atMs)
    const beganMs = begun.get(of)
    if (kind === 'ok' && beganMs !== undefined) waits.push(atMs - beganMs)
  }
  return waits.sort((a, b) => a - b)
}

/** -1 when there was none. */
function slowestMs(evidence: Evidence, span: Span | null): number {
  return Math.round(waitsMs(evidence, span).at(-1) ?? -1)
}

function percentile99Ms(evidence: Evidence, span: Span | null): number {
  const waits = waitsMs(evidence, span)
  return Math.round(waits[Math.floor((waits.length * 99) / 100)] ?? -1)
}
