import { runAnyPlan } from '../campaign/run-seed.ts'
import { isFailure } from '../campaign/seed-outcome.ts'
import { planOfSeed } from '../swarm/plan-of-seed.ts'
import type { SimOptions } from './options.ts'
import { shrinkCommand } from './shrink-command.ts'
import { tellRun } from './tell-run.ts'

/** Runs one seed and tells what happened, or shrinks it; true when it passed. */
export async function seedCommand(options: SimOptions, seed: number): Promise<boolean> {
  const plan = planOfSeed(seed, options)
  if (options.shrink !== undefined) return shrinkCommand(options, plan)
  if (options.json === true) {
    const result = await runAnyPlan(plan)
    const { history: _, ...shown } = result
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
    return !isFailure(result)
  }
  const { result, text } = await tellRun(plan, { isVerbose: options.verbose === true })
  process.stdout.write(`${text}\n`)
  return !isFailure(result)
}
