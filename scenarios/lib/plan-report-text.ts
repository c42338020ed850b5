import Table from 'cli-table3'
import { colors } from '../../src/real/colors.ts'
import type { PlanReport } from './plan-run.ts'
import type { TimelineRow } from './timeline.ts'

/** The table library would colour borders even in a file. */
const PLAIN = { head: [], border: [] }
/** Rows of the story that fit on a screen beside the rest. */
const SCREEN_ROWS = 18
const TEXT_WIDTH = 76

/** The story, what was seen and what was checked, for a person. Ends with the verdict. */
export function planReportText(report: PlanReport, isVerbose: boolean): string {
  const parts = [
    `${report.scenario}, mode ${report.mode}, seed ${report.seed}`,
    story(report.timeline, isVerbose),
    figures(report),
    ...report.expectations.map(({ name, isMet, detail }) => line(isMet, name, detail)),
    ...invariants(report),
  ]
  if (report.skipped.length > 0) {
    parts.push(`skipped, cannot be injected here: ${report.skipped.join(', ')}`)
  }
  if (report.reason !== null) parts.push(colors.red(`reason: ${report.reason}`))
  parts.push(`lesson: ${report.lesson}`)
  if (report.traceHash !== null) parts.push(`trace: ${report.traceHash}`)
  parts.push(verdictLine(report))
  return `${parts.join('\n')}\n`
}

/** `verdict: pass`, or `verdict: fail (D1)`. */
export function verdictLine({ verdict, broken }: Pick<PlanReport, 'verdict' | 'broken'>): string {
  return verdict === 'pass'
    ? `verdict: ${colors.green('pass')}`
    : `verdict: ${colors.red('fail')} (${broken ?? 'unknown'})`
}

/** The same as data, on one line; the history is a file of its own. */
export function planReportJson(report: PlanReport): string {
  const { history, outcomes, ...rest } = report
  const checks = outcomes.map(({ invariant, verdict, evaluated }) => ({
    invariant,
    verdict,
    evaluated,
  }))
  return JSON.stringify({ ...rest, historyEntries: history.length, checks })
}

/** The whole story as a Markdown table. */
export function storyMarkdown(report: PlanReport): string {
  const rows = report.timeline.map(
    ({ atMs, text, state }) =>
      `| ${seconds(atMs)} | ${text} | ${state === null ? ' | | |' : `${state.leader} | ${state.isr.join(' ')} | ${state.highWatermark} | ${state.epoch} |`}`,
  )
  return [
    `# ${report.scenario}`,
    '',
    `Mode ${report.mode}, seed ${report.seed}. ${report.lesson}`,
    '',
    '| s | what happened | leader | ISR | HW | epoch |',
    '| ---: | --- | ---: | --- | ---: | ---: |',
    ...rows,
    '',
    ...Object.entries(report.figures).map(([name, value]) => `- ${name}: ${value}`),
    '',
    ...(report.traceHash === null ? [] : [`trace: ${report.traceHash}`]),
    `verdict: ${report.verdict}${report.broken === null ? '' : ` (${report.broken})`}`,
    '',
  ].join('\n')
}

function story(rows: readonly TimelineRow[], isVerbose: boolean): string {
  const table = new Table({
    head: ['s', 'what happened', 'leader', 'ISR', 'HW', 'epoch'],
    style: { ...PLAIN, 'padding-left': 0, 'padding-right': 1 },
    colAligns: ['right', 'left', 'right', 'left', 'right', 'right'],
    chars: borderless(),
  })
  const shown = isVerbose ? rows : selected(rows)
  for (const { atMs, text, state } of shown) {
    table.push([
      seconds(atMs),
      isVerbose ? text : shortened(text),
      known(state?.leader),
      state?.isr.join(' ') ?? '',
      known(state?.highWatermark),
      known(state?.epoch),
    ])
  }
  const left = rows.length - shown.length
  return left === 0 ? table.toString() : `${table.toString()}\n... and ${left} more (--verbose)`
}

/** The weightiest rows, in the order of time. */
function selected(rows: readonly TimelineRow[]): readonly TimelineRow[] {
  const kept = new Set(rows.toSorted((a, b) => a.weight - b.weight).slice(0, SCREEN_ROWS))
  return rows.filter((row) => kept.has(row))
}

function figures({ figures: values }: PlanReport): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(' | ')
}

function invariants(report: PlanReport): readonly string[] {
  const checked = Object.entries(report.invariants).filter(([, looks]) => looks !== null)
  const unseen = Object.entries(report.invariants).filter(([, looks]) => looks === null)
  const texts = checked.map(([id, looks]) => `${id} ${looks}`)
  const lines = [`invariants, with looks: ${texts.join(', ')}`]
  if (unseen.length > 0) {
    const ids = unseen.map(([id]) => id).join(', ')
    lines.push(`need a look into the nodes, so in simulation only: ${ids}`)
  }
  return lines
}

function line(isMet: boolean | null, name: string, detail: string): string {
  const mark =
    isMet === null ? colors.dim('--  ') : isMet ? colors.green('ok  ') : colors.red('FAIL')
  return `${mark} ${name}: ${detail}`
}

function shortened(text: string): string {
  return text.length <= TEXT_WIDTH ? text : `${text.slice(0, TEXT_WIDTH - 3)}...`
}

function known(value: number | undefined): string {
  return value === undefined || value < 0 ? '-' : String(value)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

function borderless(): Readonly<Record<string, string>> {
  const names = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left']
  const more = ['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid']
  return { ...Object.fromEntries([...names, ...more].map((name) => [name, ''])), middle: ' ' }
}
