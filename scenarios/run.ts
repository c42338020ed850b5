import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { ConfigError, messageOf } from '../src/base/errors.ts'
import { didYouMean } from '../src/base/nearest-name.ts'
import { colors } from '../src/real/colors.ts'
import { MissingRequirementError } from '../tools/apache-kafka/requirements.ts'
import { SCENARIOS } from './catalogue.ts'
import { jittered } from './lib/jitter.ts'
import { listJson, listText } from './lib/list.ts'
import { reportJson, reportText, type Report } from './lib/play-report.ts'
import {
  planReportJson,
  planReportText,
  storyMarkdown,
  verdictLine,
} from './lib/plan-report-text.ts'
import { carryOut, type PlanReport, type RunChoice } from './lib/plan-run.ts'
import { runOptions, type RunFlags, type RunOptions } from './lib/run-options.ts'
import type { Play, Scenario, ScenarioResult } from './lib/scenario.ts'
import { Story } from './lib/story.ts'
import { canRunTwin, runTwin } from './lib/twins.ts'

const FAILURE_EXIT_CODE = 1
const USAGE_EXIT_CODE = 2

const program = new Command('scenario')
  .usage('NAME [-- OPTIONS]')
  .description('Run a failure scenario and print its story, figures and verdict.')
  .argument('[name]', 'which scenario; without it, all are listed')
  .option('--list', 'list all scenarios')
  .option('--mode <mode>', 'sim, real (processes, TCP, disk) or kafka (Apache Kafka)')
  .option('--seed <n>', 'of everything that the plan leaves open; default 1')
  .option('--seeds <a..b>', 'one run a seed, with the fault times moved by it')
  .option('--twins', 'run the negative twins, and see that they fail as they should')
  .option(
    '--bootstrap-server <host:port>',
    'mode kafka on a cluster that runs already, without faults',
  )
  .option('--out <directory>', 'write verdict.json, history.jsonl and story.md there')
  .option('--verbose', 'the whole story, not a screen of it')
  .option('--json', 'print one line of JSON instead of the story')
  .exitOverride()
  .action(main)

try {
  await program.parseAsync()
} catch (error) {
  const isHelp = error instanceof CommanderError && error.exitCode === 0
  const isUsage =
    error instanceof CommanderError ||
    error instanceof ConfigError ||
    error instanceof MissingRequirementError
  // The parser has said it already.
  if (!(error instanceof CommanderError)) process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = isHelp ? 0 : isUsage ? USAGE_EXIT_CODE : FAILURE_EXIT_CODE
}

async function main(name: string | undefined, flags: RunFlags): Promise<void> {
  if (name === undefined || flags.list === true) {
    process.stdout.write(`${flags.json === true ? listJson(SCENARIOS) : listText(SCENARIOS)}\n`)
    return
  }
  const scenario = scenarioNamed(name)
  const options = runOptions(scenario, flags)
  const hasPassed = await runAs(scenario, options)
  process.exitCode = hasPassed ? 0 : FAILURE_EXIT_CODE
}

function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((candidate) => candidate.name === name)
  if (found !== undefined) return found
  const names = SCENARIOS.map((candidate) => candidate.name)
  const near = didYouMean(name, names) || didYouMean(startingWith(name, names), names)
  throw new ConfigError(`unknown scenario "${name}"${near}\n${listText(SCENARIOS)}`)
}

/** A name that was not typed to its end; itself when there is none. */
function startingWith(text: string, names: readonly string[]): string {
  return names.find((name) => name.startsWith(text)) ?? text
}

function runAs(scenario: Scenario, options: RunOptions): Promise<boolean> {
  if (options.wantsTwins) return runTwins(scenario, options)
  const { first, last } = options.seeds
  if (first !== last) return runMany(scenario, options)
  const { play } = scenario
  if (options.mode === 'real' && play !== null) return runPlay(scenario, play, options)
  return runOnce(scenario, options)
}

async function runOnce(scenario: Scenario, options: RunOptions): Promise<boolean> {
  const plan = scenario.plan(options.seeds.first)
  const { report } = await carryOut(
    scenario,
    options.isJittered ? jittered(plan) : plan,
    choiceOf(options),
  )
  writeOut(report, options)
  process.stdout.write(
    options.isJson ? `${planReportJson(report)}\n` : planReportText(report, options.isVerbose),
  )
  return report.verdict === 'pass'
}

/** One line a seed that fails, and the counts. */
async function runMany(scenario: Scenario, options: RunOptions): Promise<boolean> {
  const { first, last } = options.seeds
  const failed: PlanReport[] = []
  for (let seed = first; seed <= last; seed += 1) {
    const plan = jittered(scenario.plan(seed))
    const { report } = await carryOut(scenario, plan, { ...choiceOf(options), seed })
    if (report.verdict === 'pass') continue
    failed.push(report)
    writeOut(report, options)
    if (options.isJson) continue
    process.stdout.write(`seed ${seed} ${verdictLine(report)}: ${report.reason ?? ''}\n`)
  }
  const runs = last - first + 1
  const summary = { scenario: scenario.name, mode: options.mode, runs, failed: failed.length }
  const [worst] = failed
  const verdict = { verdict: worst === undefined ? 'pass' : 'fail', broken: worst?.broken ?? null }
  if (options.isJson) {
    const seeds = failed.map(({ seed, broken, reason }) => ({ seed, broken, reason }))
    process.stdout.write(`${JSON.stringify({ ...summary, ...verdict, failures: seeds })}\n`)
  } else {
    const line =
      worst === undefined ? verdictLine({ verdict: 'pass', broken: null }) : verdictLine(worst)
    process.stdout.write(`${runs - failed.length} of ${runs} seeds passed\n${line}\n`)
  }
  return worst === undefined
}

async function runTwins(scenario: Scenario, options: RunOptions): Promise<boolean> {
  const choice = choiceOf(options)
  const twins = scenario.twins.filter((twin) => canRunTwin(twin, choice))
  if (twins.length === 0) {
    throw new ConfigError(
      `scenario "${scenario.name}" has no negative twin in mode ${options.mode}`,
    )
  }
  const reports = []
  for (const twin of twins) {
    const report = await runTwin(scenario, twin, choice)
    reports.push(report)
    if (options.isJson) continue
    const mark = report.isAsItShould ? colors.green('ok  ') : colors.red('FAIL')
    process.stdout.write(
      `${mark} twin "${report.twin}" (${report.says}): seed ${report.seed}: ${report.detail}\n`,
    )
  }
  const odd = reports.find(({ isAsItShould }) => !isAsItShould)
  const verdict = odd === undefined ? 'pass' : 'fail'
  const broken = odd === undefined ? null : `twin ${odd.twin}`
  process.stdout.write(
    options.isJson
      ? `${JSON.stringify({ scenario: scenario.name, verdict, broken, twins: reports })}\n`
      : `${verdictLine({ verdict, broken })}\n`,
  )
  return odd === undefined
}

async function runPlay(scenario: Scenario, play: Play, options: RunOptions): Promise<boolean> {
  const story = new Story({ isSilent: options.isJson })
  let result: ScenarioResult | null = null
  let error: string | null = null
  try {
    result = await play(story)
  } catch (thrown) {
    error = messageOf(thrown)
  }
  const failed = result?.checks.find((check) => !check.passed)
  const hasPassed = result !== null && failed === undefined
  const report: Report = {
    scenario: scenario.name,
    verdict: hasPassed ? 'pass' : 'fail',
    broken: failed?.name ?? (error === null ? null : 'error'),
    tookMs: Math.round(story.nowMs()),
    result,
    error,
    story: story.lines,
  }
  process.stdout.write(options.isJson ? `${reportJson(report)}\n` : reportText(report))
  if (options.outDirectory !== null) {
    mkdirSync(options.outDirectory, { recursive: true })
    writeFileSync(join(options.outDirectory, 'verdict.json'), `${reportJson(report)}\n`)
    const lines = report.story.map(({ atMs, text }) => `- ${(atMs / 1000).toFixed(2)} s: ${text}`)
    writeFileSync(
      join(options.outDirectory, 'story.md'),
      `# ${scenario.name}\n\n${lines.join('\n')}\n`,
    )
  }
  return hasPassed
}

function choiceOf(options: RunOptions): RunChoice {
  return {
    mode: options.mode,
    seed: options.seeds.first,
    bootstrapServers: options.bootstrapServers,
    onNotice: (text) => {
      if (!options.isJson) process.stderr.write(`${colors.dim(text)}\n`)
    },
  }
}

/** Of several seeds the last one that failed stays. */
function writeOut(report: PlanReport, { outDirectory }: RunOptions): void {
  if (outDirectory === null) return
  mkdirSync(outDirectory, { recursive: true })
  writeFileSync(join(outDirectory, 'verdict.json'), `${planReportJson(report)}\n`)
  const entries = report.history.map((entry) => JSON.stringify(entry))
  writeFileSync(join(outDirectory, 'history.jsonl'), `${entries.join('\n')}\n`)
  writeFileSync(join(outDirectory, 'story.md'), storyMarkdown(report))
}
