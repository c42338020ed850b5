import { endedSends, finalValues, firstFaultMs, lostValues, type Evidence } from './evidence.ts'
import { shows, type Expectation } from './expectation.ts'
import { chaosSpan } from './span.ts'

const SHOWN = 3

/** Acknowledged records are gone, as this scenario is about: by name, and no check of a promise that was not made. */
export function losesAcked(acks?: -1 | 0 | 1): Expectation {
  return shows('acked records are lost, and listed', (evidence) => {
    const lost = lostValues(evidence, acks)
    return { isMet: lost.length > 0, detail: listOf(lost) }
  })
}

export const LOSES_NOTHING: Expectation = shows('no acked record is lost', (evidence) => {
  const lost = lostValues(evidence)
  return { isMet: lost.length === 0, detail: listOf(lost) }
})

/** Every send ends well: whatever went wrong on the way was made good by a retry. */
export const NO_SEND_FAILS: Expectation = shows('no send fails', (evidence) => {
  const failed = endedSends(evidence).filter(({ kind }) => kind !== 'ok')
  const [first] = failed
  const why = first === undefined ? '' : `, the first with ${first.operation.error ?? first.kind}`
  return { isMet: failed.length === 0, detail: `${failed.length} without an ack${why}` }
})

/** No acknowledgement takes longer than that, from the first fault to the end of the chaos. */
export function acksWithin(limitMs: number): Expectation {
  return shows(
    `every ack within ${limitMs} ms`,
    (evidence) => {
      const waitedMs = longestWaitMs(evidence)
      return { isMet: waitedMs <= limitMs, detail: `the longest wait was ${waitedMs} ms` }
    },
    // A machine that starts processes beside may stand still for as long.
    { modes: ['sim'] },
  )
}

/** Values that are in the log more than once. */
export function repeatedValues(evidence: Evidence): readonly string[] {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const value of finalValues(evidence)) {
    if (seen.has(value)) repeated.add(value)
    seen.add(value)
  }
  return [...repeated]
}

/** `3: a, b, c` or `12: a, b, c and 9 more`. */
export function listOf(values: readonly string[]): string {
  if (values.length === 0) return 'none'
  const more = values.length > SHOWN ? ` and ${values.length - SHOWN} more` : ''
  return `${values.length}: ${values.slice(0, SHOWN).join(', ')}${more}`
}

/** Of sends that were begun during the chaos, after the first fault. */
function longestWaitMs(evidence: Evidence): number {
  const { untilMs } = chaosSpan(evidence)
  const fromMs = firstFaultMs(evidence) ?? 0
  const begun = new Map<number, number>()
  let longestMs = 0
  for (const { index, of, atMs, kind, operation } of evidence.history) {
    if (operation.op !== 'send') continue
    if (kind === 'invoke') begun.set(index, atMs)
    const beganMs = begun.get(of)
    if (kind !== 'ok' || beganMs === undefined || beganMs < fromMs || beganMs > untilMs) continue
    longestMs = Math.max(longestMs, atMs - beganMs)
  }
  return Math.round(longestMs)
}
