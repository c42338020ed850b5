import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../src/base/errors.ts'
import { plantedStart } from '../../src/chaos/mutants/planted-process.ts'
import { carryOut, type CarriedOut, type PlanReport, type RunChoice } from './plan-run.ts'
import type { Scenario, Twin } from './scenario.ts'

const RUN = fileURLToPath(new URL('../run.ts', import.meta.url))

/** Whether a twin fails as it should. */
export interface TwinReport {
  readonly twin: string
  readonly says: string
  readonly isAsItShould: boolean
  /** What was seen. */
  readonly detail: string
  readonly seed: number
}

type ChildReport = Pick<PlanReport, 'verdict' | 'broken' | 'expectations'> & {
  readonly checks: readonly { readonly invariant: string; readonly verdict: string }[]
}

/** Runs a twin on one seed after another until it fails as it should, or its seeds are used up. */
export async function runTwin(
  scenario: Scenario,
  twin: Twin,
  choice: RunChoice,
): Promise<TwinReport> {
  const seeds = twin.seeds ?? 1
  let detail = ''
  for (let seed = choice.seed; seed < choice.seed + seeds; seed += 1) {
    const seen = await attempt(scenario, twin, { ...choice, seed })
    if (seen.isAsItShould) return { twin: twin.name, says: twin.says, seed, ...seen }
    ;({ detail } = seen)
  }
  return { twin: twin.name, says: twin.says, seed: choice.seed, isAsItShould: false, detail }
}

/** Planted bugs are there in simulation only: their process is another one. */
export function canRunTwin(twin: Twin, { mode }: RunChoice): boolean {
  return twin.plant === undefined || mode === 'sim'
}

type Attempt = Pick<TwinReport, 'isAsItShould' | 'detail'>

async function attempt(scenario: Scenario, twin: Twin, choice: RunChoice): Promise<Attempt> {
  if (twin.plant !== undefined) {
    const report = await runPlanted(scenario.name, twin.plant, choice.seed)
    return typeof report === 'string'
      ? { isAsItShould: false, detail: report }
      : failuresOf(twin, report)
  }
  const plan = scenario.plan(choice.seed)
  const done = await carryOut(scenario, twin.change?.(plan) ?? plan, choice)
  const failures = failuresOf(twin, { ...done.report, checks: done.report.outcomes })
  return twin.mustFail !== undefined && !failures.isAsItShould
    ? failures
    : shown(twin, done, failures)
}

function failuresOf({ mustFail = [] }: Twin, report: ChildReport): Attempt {
  const broken = new Set<string>()
  if (report.broken !== null) broken.add(report.broken)
  for (const { invariant, verdict } of report.checks)
    if (verdict === 'invalid') broken.add(invariant)
  for (const { name, isMet } of report.expectations) if (isMet === false) broken.add(name)
  const found = mustFail.filter((name) => broken.has(name))
  if (found.length > 0) return { isAsItShould: true, detail: `fails ${found.join(', ')}` }
  const instead = broken.size === 0 ? 'it passes' : `it fails ${[...broken].join(', ')}`
  return { isAsItShould: false, detail: `should fail ${mustFail.join(' or ')}: ${instead}` }
}

function shown({ mustShow }: Twin, { evidence }: CarriedOut, failures: Attempt): Attempt {
  if (mustShow === undefined) return failures
  const judged = mustShow.map((each) => ({ name: each.name, ...each.judge(evidence) }))
  const missing = judged.filter(({ isMet }) => isMet !== true)
  const detail = (missing.length > 0 ? missing : judged)
    .map((each) => `${each.name}: ${each.detail}`)
    .join('; ')
  const isShown = missing.length === 0
  const also = isShown && failures.isAsItShould ? `${failures.detail}; ` : ''
  return {
    isAsItShould: isShown,
    detail: isShown ? `${also}shows ${detail}` : `does not show ${detail}`,
  }
}

/** The scenario in a process that was started for this one bug; a text when that went wrong. */
function runPlanted(name: string, plant: string, seed: number): Promise<ChildReport | string> {
  const { execArgv, env } = plantedStart(plant)
  const parameters = [...execArgv, RUN, name, '--mode', 'sim', '--seed', String(seed), '--json']
  const child = spawn(process.execPath, parameters, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString()
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', () => {
      try {
        resolve(JSON.parse(output) as ChildReport)
      } catch (error) {
        resolve(
          `the process with ${plant} planted gave no report (${messageOf(error)}): ${errors.trim()}`,
        )
      }
    })
  })
}
