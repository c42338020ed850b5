import type { CheckOutcome } from '../checks/history-check.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { Fault } from '../plan/fault.ts'
import type { Plan } from '../plan/plan.ts'

export type Verdict =
  | 'pass'
  /** An invariant was broken. */
  | 'fail'
  /** Healed, and it did not become whole; `reason` is what was still pending. */
  | 'stuck'
  /** It could not become whole by design: all replicas of a range are lost. */
  | 'unavailable'
  /** A check answered `unknown`, or the harness itself failed. */
  | 'harness-error'

/** A fault as it fired: its symbols resolved. */
export interface FiredFault {
  readonly row: Fault
  readonly node: string
  readonly atMs: number
  /** It did not apply: the node was already down, there was no leader. */
  readonly isIdle: boolean
}

export interface RunResult {
  readonly plan: Plan
  readonly verdict: Verdict
  /** The invariant of a `fail`: `R14`, `CRASH` for an exception in a node; of `stuck`: `L2`. Null on pass. */
  readonly invariant: string | null
  /** All that were found broken: one, unless the run was to go on after the first. */
  readonly broken: readonly string[]
  readonly reason: string | null
  /** Milliseconds after the begin of the run at which it was found. */
  readonly atMs: number
  readonly virtualMs: number
  readonly eventsRun: number
  /** Of the whole trace; null in real mode. */
  readonly traceHash: string | null
  readonly outcomes: readonly CheckOutcome[]
  /** Non-vacuous looks by invariant, state and history checks together. */
  readonly evaluated: Readonly<Record<string, number>>
  /** Hits by probe. */
  readonly probes: Readonly<Record<string, number>>
  readonly fired: readonly FiredFault[]
  readonly history: readonly HistoryEntry[]
}
