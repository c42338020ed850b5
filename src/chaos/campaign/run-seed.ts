import { messageOf } from '../../base/errors.ts'
import type { Plan } from '../plan/plan.ts'
import { runPlan, runPlanAsync } from '../run/run-plan.ts'
import type { RunResult } from '../run/run-result.ts'
import { planOfSeed } from '../swarm/plan-of-seed.ts'
import type { SwarmProfile } from '../swarm/swarm-profile.ts'
import { harnessError, needsTurns, outcomeOf, type SeedOutcome } from './seed-outcome.ts'

/** Carries out a plan in the simulated world, in the way that its clients need. */
export async function runAnyPlan(
  plan: Plan,
  options: { readonly keepHistory?: boolean } = {},
): Promise<RunResult> {
  return needsTurns(plan) ? runPlanAsync(plan, options) : runPlan(plan, options)
}

/** One seed, as the workers of a campaign run it. What the harness throws is the verdict of that seed. */
export async function runSeed(seed: number, profile: SwarmProfile): Promise<SeedOutcome> {
  const fromMs = performance.now()
  try {
    const result = await runAnyPlan(planOfSeed(seed, profile))
    return outcomeOf(result, performance.now() - fromMs)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
    return harnessError(seed, text, performance.now() - fromMs)
  }
}
