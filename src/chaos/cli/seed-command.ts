import { runAnyPlan } from '../campaign/run-seed.ts'
import { isFailure } from '../campaign/seed-outcome.ts'
import type { Plan } from '../plan/plan.ts'
import type { FiredFault, RunResult } from '../run/run-result.ts'
import { planOfSeed } from '../swarm/plan-of-seed.ts'
import { encodeRow, type Trace, type TraceRow } from '../../sim/trace.ts'
import type { SimOptions } from './options.ts'

/** What tells a story; all else is detail. */
const STORY =
  /^(node\.|fault\.|phase\.|disk\.|partition\.leader-changed|partition\.isr|quorum\.(elected|resigned|truncated)|replica\.truncated|coordinator\.(loaded|unloaded|load-failed)|group\.state|broker\.(fenced|unfenced)|log\.(flush-failed|storage-error))/

/** Runs one seed and tells what happened; true when it passed. */
export async function seedCommand(options: SimOptions, seed: number): Promise<boolean> {
  const plan = planOfSeed(seed, options.profile)
  const kept: { trace: Trace | null } = { trace: null }
  const fromMs = performance.now()
  const result = await runAnyPlan(plan, {
    onTrace: (trace) => {
      kept.trace = trace
    },
  })
  const wallMs = performance.now() - fromMs
  if (options.json === true) {
    const { history: _, ...shown } = result
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
    return !isFailure(result)
  }
  const rows = kept.trace?.rows() ?? []
  const lines = [
    ...planLines(plan),
    '',
    ...(options.verbose === true
      ? rows.map((row) => encodeRow(row).trimEnd())
      : rows.filter(({ kind }) => STORY.test(kind)).map(storyLine)),
    '',
    ...result.fired.map(firedLine),
    ...resultLines(result, wallMs),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return !isFailure(result)
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

function resultLines(result: RunResult, wallMs: number): readonly string[] {
  const { verdict, invariant, reason, atMs, virtualMs, eventsRun, traceHash } = result
  return [
    ...(reason === null ? [] : [`${seconds(atMs)}  ${reason}`]),
    `${(virtualMs / 1000).toFixed(1)} virtual seconds, ${eventsRun} events in ${Math.round(wallMs)} ms`,
    `trace: ${traceHash ?? 'none'}`,
    `verdict: ${verdict}${invariant === null ? '' : ` (${invariant})`}`,
  ]
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`
}
