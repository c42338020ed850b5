import type { FaultKind, FaultParams } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { runPlan } from '../../src/chaos/run/run-plan.ts'
import type { FiredFault, RunResult } from '../../src/chaos/run/run-result.ts'
import { Trace } from '../../src/sim/trace.ts'
import type { HeardEvent } from './evidence.ts'
import { tornPrefix } from './legal-prefix.ts'

/** How the node ends; each is tried after every operation. */
const ENDINGS: readonly { readonly kind: FaultKind; readonly params: FaultParams }[] = [
  { kind: 'crash', params: {} },
  { kind: 'power-cut', params: { tear: 'ordered' } },
  { kind: 'power-cut', params: { tear: 'any' } },
]
/** More operations than any script has: an end for a sweep that never comes to one. */
const MAX_OPERATIONS = 1000

export interface CrashSweepOptions {
  readonly node: string
  /** Operations of the node's disk count from the begin of the chaos phase up to then; the node is down until then. */
  readonly untilMs: number
  /** Whose log must be a prefix of what was acknowledged. */
  readonly topic: string
}

/** What the runs of a sweep come to, one after the other on one line of time. */
class Sum {
  readonly trace = new Trace()
  readonly fired: FiredFault[] = []
  readonly #evaluated = new Map<string, number>()
  readonly #probes = new Map<string, number>()
  virtualMs = 0
  eventsRun = 0

  add(result: RunResult): void {
    for (const each of result.fired) {
      this.fired.push({ ...each, atMs: each.atMs + this.virtualMs })
    }
    count(this.#evaluated, result.evaluated)
    count(this.#probes, result.probes)
    this.virtualMs += result.virtualMs
    this.eventsRun += result.eventsRun
    const { traceHash, verdict } = result
    this.trace.add(this.trace.rowCount, 'sweep', 'run.ended', { traceHash, verdict })
  }

  resultOf(plan: Plan, last: RunResult): RunResult {
    return {
      ...last,
      plan,
      virtualMs: this.virtualMs,
      eventsRun: this.eventsRun,
      traceHash: this.trace.hash(),
      evaluated: Object.fromEntries(this.#evaluated),
      probes: Object.fromEntries(this.#probes),
      fired: this.fired,
    }
  }
}

/**
 * Runs the plan once for each operation of the node's disk and each way to end: the node ends right after that
 * operation, comes back, and must show a legal past. Stops at the first run that fails. The history is that of the
 * last run.
 */
export function crashSweep(
  plan: Plan,
  options: CrashSweepOptions,
  onHeard: (heard: HeardEvent) => void,
): RunResult {
  const sum = new Sum()
  let last: RunResult | null = null
  for (const ending of ENDINGS) {
    for (let operation = 1; operation <= MAX_OPERATIONS; operation += 1) {
      const events: HeardEvent[] = []
      const result = runPlan(crashing(plan, ending, operation, options), {
        onEvent: (event) => events.push({ atMs: event.atMs, event }),
      })
      const judged = withPrefix(result, events, ending.kind, options)
      for (const heard of events) onHeard(shifted(heard, sum.virtualMs))
      sum.add(judged)
      last = judged
      if (judged.verdict !== 'pass') return sum.resultOf(plan, judged)
      if (crashedAtMs(events, options.node) === null) break
    }
  }
  if (last === null) throw new RangeError('a sweep of no runs')
  return sum.resultOf(plan, last)
}

function crashing(
  plan: Plan,
  { kind, params }: (typeof ENDINGS)[number],
  operation: number,
  { node, untilMs }: CrashSweepOptions,
): Plan {
  const fault = {
    atMs: 0,
    kind,
    target: node,
    untilMs,
    params: { ...params, afterOperations: operation },
  }
  return { ...plan, name: `${plan.name}-${operation}`, faults: [fault, ...plan.faults] }
}

/** A run that passed and brought back something else than a prefix fails by D9. */
function withPrefix(
  result: RunResult,
  events: readonly HeardEvent[],
  kind: FaultKind,
  { node, topic }: CrashSweepOptions,
): RunResult {
  const crashMs = crashedAtMs(events, node)
  if (result.verdict !== 'pass' || crashMs === null) return result
  const problem =
    tornPrefix(result.history, topic, { crashMs, mayLoseTail: kind !== 'crash' }) ??
    lostDurable(events)
  if (problem === null) return result
  const where = `${kind} ${JSON.stringify(result.fired[0]?.row.params ?? {})}`
  return {
    ...result,
    verdict: 'fail',
    invariant: 'D9',
    reason: `${where}: ${problem}`,
    atMs: crashMs,
  }
}

/** What an honest fsync has answered for is there after any crash. */
function lostDurable(events: readonly HeardEvent[]): string | null {
  const found = events.find(({ event }) => event.kind === 'log.behind-recovery-point')
  if (found === undefined) return null
  const { topic, partition, ...fields } = found.event.fields
  return `${String(topic)}-${String(partition)} ends before what was durable: ${JSON.stringify(fields)}`
}

function crashedAtMs(events: readonly HeardEvent[], node: string): number | null {
  const found = events.find(({ event }) => event.kind === 'node.crashed' && event.node === node)
  return found?.atMs ?? null
}

function shifted({ atMs, event }: HeardEvent, byMs: number): HeardEvent {
  return { atMs: atMs + byMs, event: { ...event, atMs: event.atMs + byMs } }
}

function count(into: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, hits] of Object.entries(counts)) into.set(name, (into.get(name) ?? 0) + hits)
}
