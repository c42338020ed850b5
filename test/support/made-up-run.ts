import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import type { ProducerPlan } from '../../src/chaos/plan/workload-plan.ts'
import type { RunResult, Verdict } from '../../src/chaos/run/run-result.ts'

/** A producer that does nothing odd. */
export function producerPlan(changes: Partial<ProducerPlan> = {}): ProducerPlan {
  return {
    kind: 'producer',
    name: 'producer-1',
    topic: 't',
    partitions: [0, 1],
    acks: -1,
    idempotent: true,
    inFlight: 5,
    everyMs: 50,
    batchRecords: 3,
    valueBytes: 32,
    compression: 'none',
    keys: 0,
    requestTimeoutMs: 1500,
    ...changes,
  }
}

/** Three brokers, three controllers, one topic. */
export function chaosPlan(changes: Partial<Plan> = {}): Plan {
  return {
    name: 'test',
    seed: 1,
    profile: 'data',
    cluster: {
      layout: 'separate',
      brokers: 3,
      controllers: 3,
      properties: {},
      network: { minUs: 50, maxUs: 500, tailPermille: 1, tailFactor: 20, cutPermille: 100 },
      disk: { fsyncMinUs: 200, fsyncMaxUs: 3000, tailPermille: 2, tailFactor: 10 },
    },
    topics: [
      {
        name: 't',
        partitions: 2,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': '2' },
      },
    ],
    workload: [producerPlan()],
    faults: [],
    chaosMs: 10_000,
    healLimitMs: 30_000,
    ...changes,
  }
}

/** The outcome of a run that did not take place. */
export function runResult(
  plan: Plan,
  verdict: Verdict,
  invariant: string | null = null,
  changes: Partial<RunResult> = {},
): RunResult {
  const fired = plan.faults.map((row: Fault) => ({
    row,
    node: row.target,
    atMs: row.atMs,
    isIdle: false,
  }))
  return {
    plan,
    verdict,
    invariant,
    broken: invariant === null ? [] : [invariant],
    reason: verdict === 'pass' ? null : 'as planted',
    atMs: 0,
    virtualMs: plan.chaosMs,
    eventsRun: 1,
    traceHash: '00',
    outcomes: [],
    evaluated: {},
    probes: {},
    fired,
    history: [],
    ...changes,
  }
}
