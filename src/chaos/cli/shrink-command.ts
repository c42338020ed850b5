import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import { createProgress } from '../campaign/progress.ts'
import { runAnyPlan } from '../campaign/run-seed.ts'
import type { Plan } from '../plan/plan.ts'
import { printSchedule } from '../plan/plan-file.ts'
import type { RunResult } from '../run/run-result.ts'
import { failureOf, shrinkPlan, type Shrunk } from '../shrink/shrink-plan.ts'
import type { SimOptions } from './options.ts'
import { tellRun } from './tell-run.ts'

const MAX_RUNS = 300

/**
 * Makes a failing plan small, writes it as a schedule file with its story and sequence diagram beside it, and
 * shows the story. True when the plan passes: then there is nothing to shrink.
 */
export async function shrinkCommand(options: SimOptions, plan: Plan): Promise<boolean> {
  const file = typeof options.shrink === 'string' ? options.shrink : `${plan.name}.schedule.json`
  const limitMs = options.wallLimit * 1000
  const first = await runAnyPlan(plan)
  if (first.verdict === 'pass') {
    process.stdout.write(`${plan.name} passes: there is nothing to shrink\n`)
    return true
  }
  const fromMs = performance.now()
  const progress = createProgress(MAX_RUNS, 'runs')
  const shrunk = await shrinkPlan(first, {
    run: tolerantRun,
    maxRuns: MAX_RUNS,
    isOutOfTime: () => performance.now() - fromMs > limitMs,
    onProgress: ({ runs, plan: smallest }) => {
      progress.show(runs, sizeOf(smallest))
    },
  })
  progress.end()
  const told = await tellRun(shrunk.plan)
  mkdirSync(dirname(file), { recursive: true })
  const { verdict, invariant } = shrunk.result
  writeFileSync(file, printSchedule({ plan: shrunk.plan, expect: { verdict, invariant } }))
  writeFileSync(storyFile(file), told.markdown)
  process.stdout.write(`${summary(plan, shrunk, file)}\n\n${told.text}\n`)
  return false
}

/** The story of a schedule lies beside it. */
export function storyFile(file: string): string {
  return file.replace(/(?:\.json)?$/, '.md')
}

/** A smaller plan may be no valid one. */
async function tolerantRun(plan: Plan): Promise<RunResult | null> {
  try {
    return await runAnyPlan(plan)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

function summary(plan: Plan, shrunk: Shrunk, file: string): string {
  const others = [...shrunk.others.keys()]
  return [
    `${failureOf(shrunk.result)}: ${sizeOf(plan)} became ${sizeOf(shrunk.plan)} in ${shrunk.runs} runs`,
    ...others.map((other) => `on the way another failure came up: ${other}`),
    `schedule: ${file}`,
    `replay: npm run sim -- --replay ${file}`,
  ].join('\n')
}

function sizeOf({ faults, workload, cluster }: Plan): string {
  const { layout, brokers, controllers } = cluster
  const nodes = layout === 'combined' ? brokers : brokers + controllers
  return `${faults.length} faults, ${workload.length} clients, ${nodes} nodes`
}
