// Goal: a run ends with the right verdict whatever goes wrong in it, by planting each kind of trouble in a world
// that is otherwise fine.
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../../src/base/errors.ts'
import type { Plan } from '../../../../../src/chaos/plan/plan.ts'
import { drive, runPlan, runPlanAsync } from '../../../../../src/chaos/run/run-plan.ts'
import type { RunResult } from '../../../../../src/chaos/run/run-result.ts'
import { SimRun } from '../../../../../src/chaos/run/sim-run.ts'
import { chaosPlan } from '../../../../support/chaos-plan.ts'

const TROUBLE_AT_US = 4_000_000
const short = chaosPlan({ chaosMs: 3000 })

/** A run of the plan in which something happens after four seconds. */
function runWith(
  trouble: (run: SimRun) => void,
  plan = short,
  { keepGoing = false } = {},
): RunResult {
  const run = new SimRun(plan, {
    probes: [],
    keepGoing,
    onEvent: null,
    createKafkajs: null,
  })
  run.world.scheduler.after(TROUBLE_AT_US, 'trouble', () => trouble(run))
  return drive(run)
}

describe('a run', () => {
  it('fails with CRASH when code of a node throws, with no stack in the trace', () => {
    const result = runWith(({ world }) => {
      world.node('b1').ports.clock.after(5, 'bug', () => {
        throw new RangeError('a bug in the broker')
      })
    })
    expect(result).toMatchObject({ verdict: 'fail', invariant: 'CRASH', atMs: 4005 })
    expect(result.reason).toContain('RangeError: a bug in the broker')
    expect(result.reason).toContain('run-plan.test.ts')
  })

  it('fails at once when a state check finds something', () => {
    const result = runWith(({ stage }) => {
      for (const view of stage.cluster.views.values()) {
        const partition = view.partition('t-0')
        if (partition?.isLeader === true) partition.log.truncateTo(0)
      }
    })
    expect(result.verdict).toBe('fail')
    expect(result.invariant).toMatch(/^[RDPQ]\d+$/)
    expect(result.virtualMs).toBeLessThan(6000)
    expect(result.outcomes).toEqual([])
  })

  it('goes on to its end after a broken invariant, when it is to, and tells who else noticed', () => {
    const cut = ({ stage }: SimRun): void => {
      for (const view of stage.cluster.views.values()) view.partition('t-0')?.log.truncateTo(0)
    }
    const first = runWith(cut)
    expect(first.broken).toEqual([first.invariant])
    const all = runWith(cut, short, { keepGoing: true })
    expect(all.invariant).toBe(first.invariant)
    expect(all.atMs).toBe(first.atMs)
    expect(all.virtualMs).toBeGreaterThan(first.virtualMs)
    expect(all.broken[0]).toBe(first.invariant)
    expect(all.broken.length).toBeGreaterThan(1)
    expect(new Set(all.broken).size).toBe(all.broken.length)
  })

  it('fails when the history shows what nobody sent', () => {
    const result = runWith(({ history }) => {
      history.note('reader', {
        op: 'poll',
        topic: 't',
        partition: 0,
        position: 0,
        isolation: 'read_uncommitted',
        isFirst: true,
        purpose: 'reader',
        records: [{ offset: 0, value: 'nobody:1', key: null }],
      })
    })
    expect(result.verdict).toBe('fail')
    expect(result.reason).toContain('nobody:1')
    expect(result.outcomes.find(({ invariant }) => invariant === 'D2')?.verdict).toBe('invalid')
  })

  it('is stuck, with what is still pending, when the cluster does not recover', () => {
    const faults = [{ atMs: 200, kind: 'crash' as const, target: 'leader(t-0)' }]
    const { verdict, reason, fired } = runPlan({
      ...chaosPlan({ faults, chaosMs: 3000 }),
      healLimitMs: 5,
    })
    expect(verdict).toBe('stuck')
    expect(reason).toMatch(/^(broker|node|partition|nodes) /)
    expect(fired).toMatchObject([{ isIdle: false, row: faults[0] }])
  })

  it('is unavailable when the only voter lost its disk, and with it the topics', () => {
    const faults = [{ atMs: 200, kind: 'wipe-disk' as const, target: 'n1', untilMs: 700 }]
    const plan = chaosPlan({ faults, chaosMs: 3000 })
    const { topics } = plan
    const { verdict, invariant, reason } = runPlan({
      ...plan,
      cluster: { ...plan.cluster, layout: 'combined', brokers: 1, controllers: 1 },
      topics: topics.map((topic) => ({ ...topic, replicationFactor: 1, configs: {} })),
      healLimitMs: 5000,
    })
    expect(reason).toBe('topic t is not in the metadata any more')
    expect({ verdict, invariant }).toEqual({ verdict: 'unavailable', invariant: 'L2' })
  })

  it('is stuck when a topic is gone although no voter lost anything', () => {
    const plan = { ...chaosPlan({ chaosMs: 6000 }), healLimitMs: 5000 }
    const { verdict, reason } = runWith(({ stage }) => stage.admin.deleteTopic('t', () => {}), plan)
    expect(reason).toBe('topic t is not in the metadata any more')
    expect(verdict).toBe('stuck')
  })

  it('is stuck when nothing can be acknowledged from the start', () => {
    const topics = short.topics.map((topic) => ({
      ...topic,
      replicationFactor: 1,
      configs: { 'min.insync.replicas': '1' },
    }))
    const plan: Plan = { ...short, topics }
    const result = runWith(() => undefined, {
      ...plan,
      workload: plan.workload.map((part) =>
        part.kind === 'producer' ? { ...part, everyMs: 80_000_000 } : part,
      ),
    })
    expect(result.verdict).toBe('stuck')
    expect(result.reason).toBe('nothing of producer producer is acknowledged')
  })

  it('is a failure of the harness when a listener of it throws', () => {
    const result = runPlan(short, {
      onEvent: () => {
        throw new Error('a bug in the harness')
      },
    })
    expect(result).toMatchObject({ verdict: 'harness-error', invariant: null })
    expect(result.reason).toContain('a bug in the harness')
  })

  it('is a failure of the harness when a node refuses its settings', () => {
    const plan = chaosPlan({ properties: { 'broker.session.timeout.ms': 'soon' } })
    expect(runPlan(plan).verdict).toBe('harness-error')
  })

  it('refuses a plan that cannot be carried out', async () => {
    const plan = { ...short, chaosMs: -1 }
    expect(() => runPlan(plan)).toThrow(ConfigError)
    await expect(runPlanAsync(plan)).rejects.toThrow(ConfigError)
    const connect = { kind: 'connect', name: 'c', topic: 't', tasks: 1, everyMs: 100 } as const
    expect(() => runPlan({ ...short, workload: [connect] })).toThrow('use runPlanAsync')
  })

  it('leaves out the history on demand and hands out its trace', () => {
    let rows = 0
    const { history, traceHash } = runPlan(chaosPlan({ chaosMs: 300 }), {
      keepHistory: false,
      onTrace: (trace) => {
        rows = trace.rowCount
      },
    })
    expect({ history, rows }).toEqual({ history: [], rows: 0 })
    expect(traceHash).toMatch(/^[0-9a-f]{64}$/)
  })
})
