import type { HistoryEntry } from '../history/history.ts'
import type { InvariantId } from '../invariants.ts'
import type { Plan } from '../plan/plan.ts'
import type { FaultBudget } from '../plan/fault-budget.ts'

/** What the checks of a history have to go by. */
export interface HistoryEvidence {
  readonly plan: Plan
  readonly entries: readonly HistoryEntry[]
  readonly budget: FaultBudget
  /** The final read got to the end of every partition. Without it, what misses records answers `unknown`. */
  readonly isFinalReadComplete: boolean
  /**
   * From here on the cluster was whole: no replaced leader or coordinator answers from an old state any more. Left
   * out when it is not known.
   */
  readonly healedAtMs?: number
  /** Members of groups were told to stop; what a group did not reach by then it had no more time for. */
  readonly membersStoppedAtMs?: number
}

export interface Violation {
  readonly invariant: InvariantId
  /** One sentence: what should be, what is, where. */
  readonly message: string
  readonly atMs: number
}

export interface CheckOutcome {
  readonly invariant: InvariantId
  readonly verdict: 'valid' | 'invalid' | 'unknown'
  /** How often it was looked at with something to find (X2). */
  readonly evaluated: number
  readonly violations: readonly Violation[]
}

/** One invariant, checked at the end on what clients saw (H). O(n log n) in the length of the history. */
export interface HistoryCheck {
  readonly invariant: InvariantId
  check(evidence: HistoryEvidence): CheckOutcome
}
