import type { InvariantId } from '../invariants.ts'
import { Finding } from './finding.ts'
import type { CheckOutcome, HistoryCheck } from './history-check.ts'
import { HistoryIndex } from './history-index.ts'

/** A history check over the sorted history, which is sorted once for all rules. */
export interface HistoryRule {
  readonly invariant: InvariantId
  judge(history: HistoryIndex, finding: Finding): void
}

export function outcomeOf(rule: HistoryRule, history: HistoryIndex): CheckOutcome {
  const finding = new Finding(rule.invariant)
  rule.judge(history, finding)
  return finding.outcome()
}

/** The rule as a check of its own, which sorts the history for itself. */
export function asCheck(rule: HistoryRule): HistoryCheck {
  return {
    invariant: rule.invariant,
    check: (evidence) => outcomeOf(rule, new HistoryIndex(evidence)),
  }
}
