import { readFileSync } from 'node:fs'
import { ConfigError, messageOf } from '../../base/errors.ts'
import { runAnyPlan } from '../campaign/run-seed.ts'
import { isFailure } from '../campaign/seed-outcome.ts'
import { parseSchedule, type Schedule } from '../plan/plan-file.ts'
import type { RunResult } from '../run/run-result.ts'
import type { SimOptions } from './options.ts'
import { shrinkCommand } from './shrink-command.ts'
import { tellRun, verdictOf } from './tell-run.ts'

/** Carries out a schedule file, tells it and says whether it ends as the file has it; true when it passed. */
export async function replayCommand(options: SimOptions, file: string): Promise<boolean> {
  const schedule = readSchedule(file)
  if (options.shrink !== undefined) return shrinkCommand(options, schedule.plan)
  if (options.json === true) {
    const result = await runAnyPlan(schedule.plan)
    const { history: _, ...shown } = result
    const isReproduced = isAsExpected(schedule, result)
    process.stdout.write(`${JSON.stringify({ ...shown, isReproduced }, null, 2)}\n`)
    return !isFailure(result)
  }
  const { result, text } = await tellRun(schedule.plan, { isVerbose: options.verbose === true })
  const seen = isAsExpected(schedule, result)
    ? 'as the schedule says'
    : `the schedule says ${verdictOf(schedule.expect)}`
  process.stdout.write(`${text}, ${seen}\n`)
  return !isFailure(result)
}

function isAsExpected({ expect }: Schedule, { verdict, invariant }: RunResult): boolean {
  return expect.verdict === verdict && expect.invariant === invariant
}

function readSchedule(file: string): Schedule {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${messageOf(error)}`)
  }
  return parseSchedule(text)
}
