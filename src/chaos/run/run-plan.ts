import { AssertionError } from '../../base/assert.ts'
import { ConfigError, KafketteError, messageOf } from '../../base/errors.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { Trace } from '../../sim/trace.ts'
import type { Plan } from '../plan/plan.ts'
import { PROBES } from '../probes/index.ts'
import { validatePlan } from '../plan/validate-plan.ts'
import type { KafkajsPlan } from '../plan/workload-plan.ts'
import type { WorkloadContext } from '../workload/workload-actor.ts'
import { HarnessError } from './harness-error.ts'
import type { RunResult } from './run-result.ts'
import { SimRun, usesPromises } from './sim-run.ts'
import type { Actor } from './stage.ts'

export interface RunOptions {
  /** The history in the result; true. */
  readonly keepHistory?: boolean
  /** Go on after a broken invariant; false. */
  readonly keepGoing?: boolean
  /** Is given the trace before the run begins. */
  readonly onTrace?: (trace: Trace) => void
  /** Hears every event of every node. */
  readonly onEvent?: (event: NodeEvent) => void
  /** Makes the actors of `kafkajs` plans. */
  readonly createKafkajs?: (plan: KafkajsPlan, context: WorkloadContext) => readonly Actor[]
}

/**
 * Carries out a plan in a world of its own, synchronously. The same plan gives the same trace. Throws `ConfigError` for
 * a plan that cannot be carried out, or one whose clients await (see `runPlanAsync`).
 */
export function runPlan(plan: Plan, options: RunOptions = {}): RunResult {
  const awaiting = plan.workload.find(usesPromises)
  if (awaiting !== undefined) {
    throw new ConfigError(`"${awaiting.name}" is a client that awaits: use runPlanAsync`)
  }
  return finished(drive(prepared(plan, options)), options)
}

/** Lets the world go on as the run asks, to its end. */
export function drive(run: SimRun): RunResult {
  try {
    const steps = run.steps()
    let step = steps.next()
    while (step.done !== true) {
      const { until, limitMs } = step.value
      step = steps.next(run.world.runUntil(until, limitMs))
    }
    return step.value
  } catch (error) {
    return broken(run, error)
  }
}

/** As `runPlan`, with promises of clients settled after each of their events. */
export async function runPlanAsync(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const run = prepared(plan, options)
  try {
    const steps = run.steps()
    let step = steps.next()
    while (step.done !== true) {
      const { until, limitMs } = step.value
      step = steps.next(await run.world.runUntilAsync(until, limitMs, { settles: 'marked' }))
    }
    return finished(step.value, options)
  } catch (error) {
    return finished(broken(run, error), options)
  }
}

function prepared(plan: Plan, options: RunOptions): SimRun {
  validatePlan(plan)
  const run = new SimRun(plan, {
    probes: PROBES,
    keepGoing: options.keepGoing ?? false,
    onEvent: options.onEvent ?? null,
    createKafkajs: options.createKafkajs ?? null,
  })
  options.onTrace?.(run.world.trace)
  return run
}

/** An exception out of a node (or a client of ours) is a bug of it; only the harness's own are not. */
function broken(run: SimRun, error: unknown): RunResult {
  const { nowUs, nowMs } = run.world.scheduler
  // Settings that a node refuses are a mistake of the plan.
  const isHarness = error instanceof HarnessError || error instanceof ConfigError
  const cause = error instanceof HarnessError ? (error.cause ?? error) : error
  // The engine's own texts change with its version, so they stay out of the trace.
  const isOurs = cause instanceof KafketteError || cause instanceof AssertionError
  const message = isOurs ? messageOf(cause) : cause instanceof Error ? cause.name : 'not an error'
  run.world.trace.add(nowUs, 'run', 'run.broken', { message })
  const stack = cause instanceof Error ? cause.stack : undefined
  return run.result(
    {
      verdict: isHarness ? 'harness-error' : 'fail',
      invariant: isHarness ? null : 'CRASH',
      reason: stack ?? messageOf(cause),
      atMs: nowMs,
    },
    [],
  )
}

function finished(result: RunResult, { keepHistory = true }: RunOptions): RunResult {
  return keepHistory ? result : { ...result, history: [] }
}
