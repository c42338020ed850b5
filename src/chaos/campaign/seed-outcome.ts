import type { FaultKind } from '../plan/fault.ts'
import type { Plan, Profile } from '../plan/plan.ts'
import type { RunResult, Verdict } from '../run/run-result.ts'

/** How often faults of one kind fired, and how often they found nothing to do. */
export interface KindCount {
  readonly fired: number
  readonly idle: number
}

/** What is kept of one seed: plain data, one line of the state file. */
export interface SeedOutcome {
  readonly seed: number
  readonly profile: Profile | null
  readonly verdict: Verdict
  readonly invariant: string | null
  /** All that were found broken, when the run went on after the first. */
  readonly broken: readonly string[]
  readonly reason: string | null
  readonly atMs: number
  readonly virtualMs: number
  readonly eventsRun: number
  readonly wallMs: number
  readonly traceHash: string | null
  readonly evaluated: Readonly<Record<string, number>>
  readonly probes: Readonly<Record<string, number>>
  readonly faults: Readonly<Partial<Record<FaultKind, KindCount>>>
}

const BAD: ReadonlySet<Verdict> = new Set(['fail', 'stuck', 'harness-error'])

/** `unavailable` is no failure: the plan took more away than can be brought back. */
export function isFailure({ verdict }: Pick<SeedOutcome, 'verdict'>): boolean {
  return BAD.has(verdict)
}

export function outcomeOf(result: RunResult, wallMs: number): SeedOutcome {
  const { plan, verdict, invariant, broken, reason, atMs, virtualMs, eventsRun, traceHash } = result
  const faults: Partial<Record<FaultKind, { fired: number; idle: number }>> = {}
  for (const { row, isIdle } of result.fired) {
    const count = (faults[row.kind] ??= { fired: 0, idle: 0 })
    if (isIdle) count.idle += 1
    else count.fired += 1
  }
  return {
    seed: plan.seed,
    profile: plan.profile,
    verdict,
    invariant,
    broken,
    reason,
    atMs,
    virtualMs,
    eventsRun,
    wallMs,
    traceHash,
    evaluated: result.evaluated,
    probes: result.probes,
    faults,
  }
}

/** A seed that gave no result: its worker died, hung or threw. */
export function harnessError(seed: number, reason: string, wallMs: number): SeedOutcome {
  return {
    seed,
    profile: null,
    verdict: 'harness-error',
    invariant: null,
    broken: [],
    reason,
    atMs: 0,
    virtualMs: 0,
    eventsRun: 0,
    wallMs,
    traceHash: null,
    evaluated: {},
    probes: {},
    faults: {},
  }
}

/** Plans with clients that run on promises are carried out in turns of the real event loop. */
export function needsTurns(plan: Plan): boolean {
  return plan.workload.some(({ kind }) => kind === 'kafkajs' || kind === 'connect')
}
