import { endedSends, finalValues, firstFaultMs, lostValues, type Evidence } from './evidence.ts'
import type { Figure } from './scenario.ts'

/** What every run is summed up by. */
export const STANDARD_FIGURES: readonly Figure[] = [
  { name: 'acked', value: (evidence) => countOf(evidence, 'ok') },
  { name: 'refused', value: (evidence) => countOf(evidence, 'fail') },
  { name: 'unknown', value: (evidence) => countOf(evidence, 'info') },
  { name: 'read back', value: (evidence) => finalValues(evidence).length },
  { name: 'acked and lost', value: (evidence) => lostValues(evidence).length },
  { name: 'written twice', value: duplicates },
  { name: 'longest gap', value: longestGap },
]

function countOf(evidence: Evidence, kind: 'ok' | 'fail' | 'info'): number {
  return endedSends(evidence).filter((send) => send.kind === kind).length
}

function duplicates(evidence: Evidence): number {
  const values = finalValues(evidence)
  return values.length - new Set(values).size
}

/** Between two acks=all acknowledgements of one partition, from the first fault on. */
function longestGap(evidence: Evidence): string {
  const fromMs = firstFaultMs(evidence) ?? 0
  const lastMs = new Map<string, number>()
  let longestMs = 0
  for (const { atMs, kind, operation } of endedSends(evidence)) {
    if (kind !== 'ok' || operation.acks !== -1) continue
    const key = `${operation.topic}-${operation.partition}`
    const beforeMs = lastMs.get(key)
    lastMs.set(key, atMs)
    if (beforeMs !== undefined && atMs >= fromMs) longestMs = Math.max(longestMs, atMs - beforeMs)
  }
  return `${Math.round(longestMs)} ms`
}
