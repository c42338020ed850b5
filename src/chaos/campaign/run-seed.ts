import { present } from '../../base/assert.ts'
import { messageOf } from '../../base/errors.ts'
import { encodeRow, type Trace } from '../../sim/trace.ts'
import { createKafkajsFactory, type KafkajsFactory } from '../kafkajs/kafkajs-actor.ts'
import type { Plan } from '../plan/plan.ts'
import { runPlan, runPlanAsync, type RunOptions } from '../run/run-plan.ts'
import type { RunResult } from '../run/run-result.ts'
import { planOfSeed } from '../swarm/plan-of-seed.ts'
import type { Swarm } from '../swarm/swarm-profile.ts'
import type { SeedTrace } from './determinism-messages.ts'
import { harnessError, needsTurns, outcomeOf, type SeedOutcome } from './seed-outcome.ts'
import type { SeedRequest } from './worker-messages.ts'

let sharedKafkajs: KafkajsFactory | null = null

/** Carries out a plan in the simulated world, in the way that its clients need. */
export async function runAnyPlan(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  if (!needsTurns(plan)) return runPlan(plan, options)
  if (plan.workload.every(({ kind }) => kind !== 'kafkajs')) return runPlanAsync(plan, options)
  // Compiled once a process, and only when it is needed: kafkajs is not there for all who run plans.
  const create = (sharedKafkajs ??= createKafkajsFactory())
  return runPlanAsync(plan, {
    createKafkajs: (client, context) => [create(client, context)],
    ...options,
  })
}

/** One seed, as the workers of a campaign run it. What the harness throws is the verdict of that seed. */
export async function runSeed({ seed, swarm, keepGoing }: SeedRequest): Promise<SeedOutcome> {
  const fromMs = performance.now()
  try {
    const result = await runAnyPlan(planOfSeed(seed, swarm), { keepGoing })
    return outcomeOf(result, performance.now() - fromMs)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
    return harnessError(seed, text, performance.now() - fromMs)
  }
}

/** The trace of a seed, with the rows from `fromRow` up to before `toRow` that are kept. */
export async function traceSeed(
  seed: number,
  swarm: Swarm,
  { fromRow, toRow }: { readonly fromRow: number; readonly toRow: number },
): Promise<SeedTrace> {
  let trace: Trace | null = null
  const { verdict, reason } = await runAnyPlan(planOfSeed(seed, swarm), {
    onTrace: (made) => {
      trace = made
    },
  })
  const found: Trace = present<Trace>(trace, 'the trace of a simulated run')
  const rows = found.rows().filter(({ seq }) => seq >= fromRow && seq < toRow)
  return {
    // The verdict is no part of the trace, and has to be the same all the same.
    hash: `${found.hash()} ${verdict} ${reason ?? ''}`,
    rowCount: found.rowCount,
    checkpoints: found.checkpoints(),
    rows: rows.map((row) => encodeRow(row).trimEnd()),
  }
}
