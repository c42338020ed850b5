import { Command } from 'commander'
import { messageOf } from '../src/base/errors.ts'
import { didYouMean } from '../src/base/nearest-name.ts'
import { failover } from './failover.ts'
import { reportJson, reportText, type Report } from './lib/report.ts'
import type { Scenario, ScenarioResult } from './lib/scenario.ts'
import { Story } from './lib/story.ts'

const SCENARIOS: readonly Scenario[] = [failover]
const USAGE_EXIT_CODE = 2

const program = new Command('scenario')
  .usage('NAME [-- --json]')
  .description('Run a failure scenario and print its story, figures and verdict.')
  .argument('[name]', 'which scenario; without it, all are listed')
  .option('--json', 'print one line of JSON instead of the story')
  .addHelpText('after', `\n${list()}`)
  .action(main)
await program.parseAsync()

async function main(name: string | undefined, flags: { readonly json?: boolean }): Promise<void> {
  if (name === undefined) {
    process.stdout.write(`${list()}\n`)
    return
  }
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (scenario === undefined) {
    const hint = didYouMean(
      name,
      SCENARIOS.map((candidate) => candidate.name),
    )
    process.stderr.write(`unknown scenario "${name}"${hint}\n${list()}\n`)
    process.exitCode = USAGE_EXIT_CODE
    return
  }
  const isJson = flags.json === true
  const report = await carryOut(scenario, new Story({ isSilent: isJson }))
  process.stdout.write(isJson ? `${reportJson(report)}\n` : reportText(report))
  process.exitCode = report.verdict === 'pass' ? 0 : 1
}

async function carryOut(scenario: Scenario, story: Story): Promise<Report> {
  let result: ScenarioResult | null = null
  let error: string | null = null
  try {
    result = await scenario.run(story)
  } catch (thrown) {
    error = messageOf(thrown)
  }
  const passed = result !== null && result.checks.every((check) => check.passed)
  return {
    scenario: scenario.name,
    verdict: passed ? 'pass' : 'fail',
    tookMs: Math.round(story.nowMs()),
    result,
    error,
    story: story.lines,
  }
}

function list(): string {
  return ['Scenarios:', ...SCENARIOS.map(({ name, summary }) => `  ${name}  ${summary}`)].join('\n')
}
