import type { Plan } from '../plan/plan.ts'
import type { RunResult } from '../run/run-result.ts'
import { REDUCTIONS } from './reductions.ts'

export interface ShrinkOptions {
  /** Carries a plan out; null when the plan is not a valid one. */
  readonly run: (plan: Plan) => RunResult | null | Promise<RunResult | null>
  /** At most so many runs. */
  readonly maxRuns: number
  /** Asked before each run: true ends the shrinking with what there is. */
  readonly isOutOfTime?: () => boolean
  /** Hears of every run; `plan` is the smallest so far. */
  readonly onProgress?: (progress: ShrinkProgress) => void
}

export interface ShrinkProgress {
  readonly runs: number
  readonly plan: Plan
}

export interface Shrunk {
  readonly plan: Plan
  readonly result: RunResult
  readonly runs: number
  /** Other failures that came up on the way, one plan each: finds of their own. */
  readonly others: ReadonlyMap<string, Plan>
}

/** A failure is the same when its verdict and its invariant are. */
export function failureOf(result: RunResult): string {
  return `${result.verdict} ${result.invariant ?? ''}`.trim()
}

/**
 * Makes a failing plan as small as it gets while it fails in the same way: greedy delta debugging over
 * faults, actors, nodes, settings and times. Every subset of a schedule is a schedule, so there are no
 * invalid steps among its faults.
 */
export async function shrinkPlan(failing: RunResult, options: ShrinkOptions): Promise<Shrunk> {
  const wanted = failureOf(failing)
  const seen = new Set<string>([textOf(failing.plan)])
  const others = new Map<string, Plan>()
  let smallest = failing
  let runs = 0
  let isSmaller = true
  const isOver = (): boolean => runs >= options.maxRuns || options.isOutOfTime?.() === true

  const attempt = async (candidate: Plan): Promise<boolean> => {
    const text = textOf(candidate)
    if (seen.has(text)) return false
    seen.add(text)
    runs += 1
    const result = await options.run(candidate)
    options.onProgress?.({ runs, plan: smallest.plan })
    if (result === null) return false
    const failure = failureOf(result)
    if (failure === wanted) {
      smallest = result
      return true
    }
    if (result.verdict === 'fail' && !others.has(failure)) others.set(failure, candidate)
    return false
  }

  while (isSmaller && !isOver()) {
    isSmaller = false
    for (const reduction of REDUCTIONS) {
      // After a success the same reduction goes on from the smaller plan.
      let hasShrunk = true
      while (hasShrunk && !isOver()) {
        hasShrunk = false
        for (const candidate of reduction(smallest.plan, smallest)) {
          if (isOver()) break
          if (!(await attempt(candidate))) continue
          hasShrunk = true
          isSmaller = true
          break
        }
      }
    }
  }
  return { plan: smallest.plan, result: smallest, runs, others }
}

function textOf(plan: Plan): string {
  return JSON.stringify(plan)
}
