import { encodeRow, type Trace } from '../../sim/trace.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { runAnyPlan } from '../campaign/run-seed.ts'
import type { Plan } from '../plan/plan.ts'
import type { RunResult } from '../run/run-result.ts'
import { sequenceDiagram, type TimedEvent } from '../story/sequence-diagram.ts'
import { storyLines } from '../story/story-lines.ts'

/** A run and how it is told. */
export interface ToldRun {
  readonly result: RunResult
  /** For a terminal: what happened, line by line, and the verdict. */
  readonly text: string
  /** The same as a page, with a sequence diagram. */
  readonly markdown: string
  /** Every row of the trace that is kept. */
  readonly rows: readonly string[]
}

/** Carries out a plan and tells it. */
export async function tellRun(plan: Plan): Promise<ToldRun> {
  const events: TimedEvent[] = []
  const kept: { trace: Trace | null } = { trace: null }
  const result = await runAnyPlan(plan, {
    onTrace: (trace) => {
      kept.trace = trace
    },
    onEvent: (event: NodeEvent) => {
      events.push({ atMs: event.atMs, event })
    },
  })
  const story = storyLines(result, events)
  const ending = endingOf(result)
  return {
    result,
    text: [...story, ...ending].join('\n'),
    markdown: [
      `# ${plan.name}: ${verdictOf(result)}`,
      '',
      ...(result.reason === null ? [] : [firstLine(result.reason), '']),
      '```',
      ...story,
      '```',
      '',
      '```mermaid',
      sequenceDiagram(result, events).trimEnd(),
      '```',
      '',
    ].join('\n'),
    rows: kept.trace?.rows().map((row) => encodeRow(row).trimEnd()) ?? [],
  }
}

export function verdictOf({ verdict, invariant }: RunResult): string {
  return invariant === null ? verdict : `${verdict} (${invariant})`
}

function endingOf(result: RunResult): readonly string[] {
  const { reason, atMs, virtualMs, eventsRun, traceHash } = result
  return [
    ...(reason === null ? [] : ['', `${(atMs / 1000).toFixed(3)} s  ${firstLine(reason)}`]),
    '',
    `${(virtualMs / 1000).toFixed(1)} virtual seconds, ${eventsRun} events`,
    `trace: ${traceHash ?? 'none'}`,
    `verdict: ${verdictOf(result)}`,
  ]
}

function firstLine(text: string): string {
  const [first = ''] = text.split('\n')
  return first
}
