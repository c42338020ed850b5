// Goal: a failing plan becomes as small as what makes it fail. Method: a runner that fails by a rule on the
// plan alone, so that the smallest plan is known.
import { describe, expect, it } from 'vitest'
import type { Fault } from '../../../../../src/chaos/plan/fault.ts'
import type { Plan } from '../../../../../src/chaos/plan/plan.ts'
import type { RunResult } from '../../../../../src/chaos/run/run-result.ts'
import { shrinkPlan } from '../../../../../src/chaos/shrink/shrink-plan.ts'
import { smallerLists } from '../../../../../src/chaos/shrink/subsets.ts'
import { chaosPlan, producerPlan, runResult } from '../../../../support/made-up-run.ts'

const NOISE: Fault[] = Array.from({ length: 20 }, (_, index) => ({
  atMs: 137 + index * 333,
  kind: index % 2 === 0 ? 'cut' : 'latency',
  target: 'b3',
  untilMs: 400 + index * 333,
}))
const CRASH: Fault = { atMs: 2345, kind: 'crash', target: 'leader(t-0)', untilMs: 4567 }
const PAUSE: Fault = { atMs: 3456, kind: 'pause', target: 'b2', untilMs: 5678 }

const big = chaosPlan({
  faults: [...NOISE, CRASH, PAUSE].toSorted((a, b) => a.atMs - b.atMs),
  workload: [
    producerPlan({ name: 'p1', compression: 'lz4' }),
    producerPlan({ name: 'p2', topic: 'u', probes: true }),
  ],
  topics: [
    { name: 't', partitions: 4, replicationFactor: 3, configs: { 'segment.bytes': '1000' } },
    { name: 'u', partitions: 1, replicationFactor: 1, configs: {} },
  ],
})

/** Fails when a leader crashes, two brokers stand and p1 is there; otherwise as `other` says. */
function run(plan: Plan, other: 'pass' | 'fail' = 'pass'): RunResult {
  const hasCrash = plan.faults.some(({ kind }) => kind === 'crash')
  const hasActor = plan.workload.some(({ name }) => name === 'p1')
  const isFailing = hasCrash && hasActor && plan.cluster.brokers >= 2
  return isFailing
    ? runResult(plan, 'fail', 'D1')
    : runResult(plan, other, other === 'fail' ? 'R7' : null)
}

describe('shrinking', () => {
  it('keeps the fault, the actor and the nodes that make it fail, and nothing else', async () => {
    const { plan, result, runs } = await shrinkPlan(run(big), { run, maxRuns: 300 })
    expect(result.invariant).toBe('D1')
    expect(plan.faults).toEqual([{ atMs: 2000, kind: 'crash', target: 'leader(t-0)' }])
    expect(plan.workload).toHaveLength(1)
    expect(plan.workload[0]).toMatchObject({ name: 'p1', compression: 'none', batchRecords: 1 })
    expect(plan.topics).toEqual([{ name: 't', partitions: 1, replicationFactor: 1, configs: {} }])
    expect(plan.cluster).toMatchObject({ brokers: 2, controllers: 1 })
    expect(plan.chaosMs).toBeLessThan(big.chaosMs)
    expect(runs).toBeLessThan(200)
  })

  it('puts the nodes that were hit in place of symbols', async () => {
    const resolved = (plan: Plan): RunResult => {
      const result = run(plan)
      const fired = result.fired.map((fault) =>
        fault.row.target === 'leader(t-0)' ? { ...fault, node: 'b1' } : fault,
      )
      return { ...result, fired }
    }
    const { plan } = await shrinkPlan(resolved(big), { run: resolved, maxRuns: 300 })
    expect(plan.faults.map(({ target }) => target)).toEqual(['b1'])
  })

  it('does not take another failure for its own, but keeps it', async () => {
    const other = (plan: Plan): RunResult => run(plan, 'fail')
    const { result, others } = await shrinkPlan(run(big), { run: other, maxRuns: 300 })
    expect(result.invariant).toBe('D1')
    expect([...others.keys()]).toEqual(['fail R7'])
  })

  it('stops at its limits with what it has', async () => {
    const limited = await shrinkPlan(run(big), { run, maxRuns: 3 })
    expect(limited.runs).toBe(3)
    const late = await shrinkPlan(run(big), { run, maxRuns: 300, isOutOfTime: () => true })
    expect(late).toMatchObject({ runs: 0, plan: big })
  })

  it('goes past plans that are not valid', async () => {
    const picky = (plan: Plan): RunResult | null => (plan.cluster.brokers < 3 ? null : run(plan))
    const { plan } = await shrinkPlan(run(big), { run: picky, maxRuns: 300 })
    expect(plan.cluster.brokers).toBe(3)
  })
})

describe('smaller lists', () => {
  it('leaves out everything, then halves, then single ones', () => {
    expect([...smallerLists([1, 2, 3, 4])]).toEqual([
      [],
      [1, 2],
      [3, 4],
      [1, 2, 3],
      [1, 2, 4],
      [1, 3, 4],
      [2, 3, 4],
    ])
    expect([...smallerLists([])]).toEqual([])
    expect([...smallerLists([1])]).toEqual([[]])
  })
})
