import Table from 'cli-table3'
import { colors } from '../../src/real/colors.ts'
import type { ScenarioResult } from './scenario.ts'
import type { StoryLine } from './story.ts'

/** The table library would colour borders even in a file. */
const PLAIN = { head: [], border: [] }

export interface Report {
  readonly scenario: string
  readonly verdict: 'pass' | 'fail'
  /** The check that failed, or `error`. */
  readonly broken: string | null
  readonly tookMs: number
  readonly result: ScenarioResult | null
  /** Why the scenario could not be carried out to its end. */
  readonly error: string | null
  readonly story: readonly StoryLine[]
}

/** What a person reads at the end. */
export function reportText(report: Report): string {
  const parts: string[] = []
  if (report.result !== null) parts.push(tables(report.result), checks(report.result))
  if (report.error !== null) parts.push(colors.red(`error: ${report.error}`))
  const verdict =
    report.verdict === 'pass'
      ? colors.green('pass')
      : `${colors.red('fail')} (${report.broken ?? 'unknown'})`
  parts.push(`took ${(report.tookMs / 1000).toFixed(1)} s`, `verdict: ${verdict}`)
  return `\n${parts.join('\n')}\n`
}

/** The same as data, on one line. */
export function reportJson(report: Report): string {
  const { result, ...rest } = report
  return JSON.stringify({ ...rest, ...result })
}

function tables({ tally, rounds }: ScenarioResult): string {
  const totals = new Table({
    head: ['acked', 'read back', 'lost', 'duplicated', 'consumed by group', 'redelivered'],
    style: PLAIN,
  })
  totals.push([
    tally.acked,
    tally.readBack,
    tally.lost,
    tally.duplicated,
    tally.consumedByGroup,
    tally.redelivered,
  ])
  const failures = new Table({
    head: [
      'killed',
      'partition',
      'new leader',
      'unavailable for',
      'truncated',
      'back in the ISR after',
    ],
    style: PLAIN,
  })
  for (const round of rounds) {
    failures.push([
      `broker ${round.killed} (${round.title})`,
      round.partition,
      `broker ${round.newLeader}`,
      `${Math.round(round.unavailableMs)} ms`,
      `${round.truncatedRecords} records`,
      `${Math.round(round.backInIsrMs)} ms`,
    ])
  }
  return `${totals.toString()}\n${failures.toString()}`
}

function checks(result: ScenarioResult): string {
  return result.checks
    .map(({ name, passed, detail }) => {
      const mark = passed ? colors.green('ok  ') : colors.red('FAIL')
      return `${mark} ${name}: ${detail}`
    })
    .join('\n')
}
