import type { CheckOutcome } from '../checks/history-check.ts'
import type { Verdict } from './run-result.ts'

/** How a run ended, in the fields of its result. */
export interface Ending {
  readonly verdict: Verdict
  readonly invariant: string | null
  readonly reason: string | null
  readonly atMs: number
}

/**
 * What the checks of the history make of a run that came to `ending` (null: to its end). A broken invariant says more
 * than that the cluster did not recover; a check that could not judge is a failure of the harness, unless the
 * run has another reason to end early.
 */
export function judged(
  ending: Ending | null,
  outcomes: readonly CheckOutcome[],
  nowMs: number,
): Ending {
  for (const { verdict, invariant, violations } of outcomes) {
    const first = violations[0]
    if (verdict !== 'invalid') continue
    return {
      verdict: 'fail',
      invariant,
      reason: first?.message ?? null,
      atMs: first?.atMs ?? nowMs,
    }
  }
  if (ending !== null) return ending
  const unknown = outcomes.find(({ verdict }) => verdict === 'unknown')
  if (unknown === undefined) return { verdict: 'pass', invariant: null, reason: null, atMs: nowMs }
  const { invariant } = unknown
  const reason = `${invariant} could not be judged by the history`
  return { verdict: 'harness-error', invariant, reason, atMs: nowMs }
}
