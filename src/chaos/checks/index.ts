import { offsetAssignment, realTimeOrder } from './append-order.ts'
import { acknowledgedOffset } from './acknowledged-offset.ts'
import { committedRegister, staleCommits } from './committed-register.ts'
import { committedLines, runningTasks, sourceOffsets, sunkLines } from './connect-lines.ts'
import { groupDelivery } from './delivery.ts'
import { durability } from './durability.ts'
import type { CheckOutcome, HistoryCheck, HistoryEvidence } from './history-check.ts'
import { HistoryIndex } from './history-index.ts'
import { asCheck, outcomeOf, type HistoryRule } from './history-rule.ts'
import { answered, reachedEnd } from './liveness.ts'
import { completeAssignment, singleOwner } from './ownership.ts'
import { epochFencing, noDuplicates, noGaps, sessionOrder } from './producer-session.ts'
import { readOrder } from './read-order.ts'
import { consistentReads, noFailedReads, noPhantoms, readableBytes } from './reads.ts'
import { visibleEnd } from './visible-end.ts'

const RULES: readonly HistoryRule[] = [
  offsetAssignment,
  realTimeOrder,
  visibleEnd,
  durability,
  noPhantoms,
  consistentReads,
  noFailedReads,
  readOrder,
  acknowledgedOffset,
  readableBytes,
  noDuplicates,
  noGaps,
  epochFencing,
  sessionOrder,
  singleOwner,
  staleCommits,
  committedRegister,
  groupDelivery,
  completeAssignment,
  committedLines,
  sourceOffsets,
  sunkLines,
  runningTasks,
  answered,
  reachedEnd,
]

/** Every invariant that is checked on what clients saw, one check each. */
export const HISTORY_CHECKS: readonly HistoryCheck[] = RULES.map(asCheck)

/** All checks at once: the history is sorted one time for all of them. */
export function checkHistory(evidence: HistoryEvidence): readonly CheckOutcome[] {
  const history = new HistoryIndex(evidence)
  return RULES.map((rule) => outcomeOf(rule, history))
}

export type { CheckOutcome, HistoryCheck, HistoryEvidence, Violation } from './history-check.ts'
