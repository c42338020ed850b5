import { encodeRow, type Trace, type TraceRow } from '../../sim/trace.ts'
import { runAnyPlan } from '../campaign/run-seed.ts'
import type { Plan } from '../plan/plan.ts'
import type { Expectation } from '../plan/plan-file.ts'
import type { FiredFault, RunResult } from '../run/run-result.ts'
import { sequenceDiagram, type TimedEvent } from '../story/sequence-diagram.ts'

/** What tells a story; all else is detail. */
const STORY =
  /^(node\.|fault\.|disk\.|partition\.(leader-changed|isr-|offline)|quorum\.(elected|resigned|truncated|failed)|controller\.(activated|resigned|broker-fenced)|replica\.truncated|coordinator\.(loaded|unloaded|load-failed)|group\.state|broker\.fenced|log\.(flush-failed|storage-error|tail-cut)|run\.phase)/
/** A replica that follows a new leader says what the leader says. */
const ECHO = 'follower'

/** A run and how it is told. */
export interface ToldRun {
  readonly result: RunResult
  /** For a terminal: the plan, what happened, line by line, and the verdict. */
  readonly text: string
  /** The same as a page, with a sequence diagram. */
  readonly markdown: string
}

export interface TellOptions {
  /** Every row of the trace that is kept, not only those that tell the story. */
  readonly isVerbose?: boolean
}

/** Carries out a plan and tells it. */
export async function tellRun(
  plan: Plan,
  { isVerbose = false }: TellOptions = {},
): Promise<ToldRun> {
  const events: TimedEvent[] = []
  const kept: { trace: Trace | null } = { trace: null }
  const fromMs = performance.now()
  const result = await runAnyPlan(plan, {
    onTrace: (trace) => {
      kept.trace = trace
    },
    onEvent: (event) => {
      events.push({ atMs: event.atMs, event })
    },
  })
  const wallMs = performance.now() - fromMs
  const rows = kept.trace?.rows() ?? []
  const story = isVerbose
    ? rows.map((row) => encodeRow(row).trimEnd())
    : rows.filter(isTold).map(storyLine)
  const body = [...planLines(plan), '', ...story, '', ...result.fired.map(firedLine)]
  return {
    result,
    text: [...body, ...endingOf(result, wallMs)].join('\n'),
    markdown: pageOf(result, body, events),
  }
}

/** `pass`, `fail (R14)`. */
export function verdictOf({ verdict, invariant }: Expectation): string {
  return invariant === null ? verdict : `${verdict} (${invariant})`
}

/** The run as a page: what broke, the plan and the story, and the picture. */
function pageOf(result: RunResult, body: readonly string[], events: readonly TimedEvent[]): string {
  return [
    `# ${result.plan.name}: ${verdictOf(result)}`,
    '',
    ...(result.reason === null ? [] : [firstLine(result.reason), '']),
    '```',
    ...body,
    '```',
    '',
    '```mermaid',
    sequenceDiagram(result, events).trimEnd(),
    '```',
    '',
  ].join('\n')
}

function isTold({ kind, fields }: TraceRow): boolean {
  return STORY.test(kind) && fields['role'] !== ECHO
}

function planLines({ name, cluster, topics, workload, faults, chaosMs }: Plan): readonly string[] {
  const { layout, brokers, controllers } = cluster
  const size =
    layout === 'combined'
      ? `${brokers} combined nodes, ${controllers} of them voters`
      : `${brokers} brokers, ${controllers} controllers`
  return [
    `plan ${name}: ${size}, ${chaosMs / 1000} s of chaos, ${faults.length} faults`,
    ...topics.map(
      (topic) =>
        `  topic ${topic.name}: ${topic.partitions} partitions, ${topic.replicationFactor} replicas, ${JSON.stringify(topic.configs)}`,
    ),
    ...workload.map((client) => `  client ${JSON.stringify(client)}`),
  ]
}

function storyLine({ atUs, node, kind, fields }: TraceRow): string {
  const told = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${seconds(atUs / 1000)}  ${node.padEnd(12)} ${kind.padEnd(24)} ${told.join(' ')}`
}

function firedLine({ row, node, atMs, isIdle }: FiredFault): string {
  const idle = isIdle ? ' (did not apply)' : ''
  return `${seconds(atMs)}  fault ${row.kind} of ${row.target} on ${node}${idle}`
}

function endingOf(result: RunResult, wallMs: number): readonly string[] {
  const { reason, atMs, virtualMs, eventsRun, traceHash } = result
  return [
    ...(reason === null ? [] : [`${seconds(atMs)}  ${reason}`]),
    `${(virtualMs / 1000).toFixed(1)} virtual seconds, ${eventsRun} events in ${Math.round(wallMs)} ms`,
    `trace: ${traceHash ?? 'none'}`,
    `verdict: ${verdictOf(result)}`,
  ]
}

function firstLine(text: string): string {
  const [first = ''] = text.split('\n')
  return first
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`
}
