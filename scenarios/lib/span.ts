import type { FiredFault } from '../../src/chaos/run/run-result.ts'
import { chaosBeginMs, endedSends, type EndedSend, type Evidence } from './evidence.ts'

/** A part of the run, in milliseconds of it. */
export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

/** When all faults that fit were on at once: from the last begin to the first end. Null when they never were. */
export function togetherOn({ fired }: Evidence, fits: (fault: FiredFault) => boolean): Span | null {
  const faults = fired.filter((fault) => !fault.isIdle && fits(fault))
  if (faults.length === 0) return null
  const fromMs = Math.max(...faults.map(({ atMs }) => atMs))
  const untilMs = Math.min(...faults.map((fault) => fault.atMs + lengthMs(fault)))
  return fromMs < untilMs ? { fromMs, untilMs } : null
}

/** The phase with faults, as far as clients could see it. */
export function chaosSpan(evidence: Evidence): Span {
  const fromMs = chaosBeginMs(evidence)
  return { fromMs, untilMs: fromMs + evidence.plan.chaosMs }
}

/** The span without its first part. */
export function after(span: Span | null, skippedMs: number): Span | null {
  if (span === null) return null
  const fromMs = span.fromMs + skippedMs
  return fromMs < span.untilMs ? { fromMs, untilMs: span.untilMs } : null
}

/** Sends that ended within the span with an acknowledgement. */
export function acksIn(
  evidence: Evidence,
  span: Span | null,
  fits: (send: EndedSend) => boolean = () => true,
): readonly EndedSend[] {
  if (span === null) return []
  return endedSends(evidence).filter(
    (send) =>
      send.kind === 'ok' && send.atMs >= span.fromMs && send.atMs < span.untilMs && fits(send),
  )
}

function lengthMs({ row }: FiredFault): number {
  return row.untilMs === undefined ? Infinity : row.untilMs - row.atMs
}
