// Goal: whole runs through the harness: usual faults pass every check, the same plan gives the same trace, and
// every kind of fault fires and leaves a run that comes to a verdict.
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS, type Fault, type FaultKind } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { runPlan, runPlanAsync } from '../../src/chaos/run/run-plan.ts'
import { chaosPlan } from '../support/chaos-plan.ts'

describe('a run', () => {
  it.each<[string, Plan]>([
    [
      'a leader that crashes and comes back',
      chaosPlan({ faults: [{ atMs: 500, kind: 'crash', target: 'leader(t-0)', untilMs: 3000 }] }),
    ],
    [
      'a leader that is paused and deposed',
      chaosPlan({ faults: [{ atMs: 500, kind: 'pause', target: 'leader(t-0)', untilMs: 4000 }] }),
    ],
    [
      'a leader that only clients can reach',
      chaosPlan({
        faults: [
          {
            atMs: 500,
            kind: 'cut',
            target: 'leader(t-0)',
            untilMs: 4000,
            params: { peers: 'nodes' },
          },
        ],
      }),
    ],
    [
      'the active controller crashing',
      chaosPlan({ faults: [{ atMs: 500, kind: 'crash', target: 'controller', untilMs: 3000 }] }),
    ],
    [
      'a follower without power',
      chaosPlan({
        faults: [{ atMs: 500, kind: 'power-cut', target: 'follower(t-0,0)', untilMs: 3000 }],
      }),
    ],
    [
      'combined nodes, all without power at once',
      chaosPlan({
        layout: 'combined',
        faults: [{ atMs: 500, kind: 'power-cut-all', target: 'all', untilMs: 3000 }],
      }),
    ],
  ])('passes with %s', (_, plan) => {
    const { verdict, reason, fired, evaluated } = runPlan(plan)
    expect({ verdict, reason }).toEqual({ verdict: 'pass', reason: null })
    expect(fired.every(({ isIdle }) => !isIdle)).toBe(true)
    const looked = ['R1', 'R3', 'R5', 'R10', 'D2', 'D5', 'Q1', 'Q6', 'L3', 'L8']
    expect(looked.filter((invariant) => (evaluated[invariant] ?? 0) === 0)).toEqual([])
  })

  it('has the same trace for the same plan, whatever ran before', () => {
    const faults: Fault[] = [{ atMs: 500, kind: 'crash', target: 'leader(t-0)', untilMs: 2500 }]
    const one = chaosPlan({ seed: 5, faults })
    const first = runPlan(one)
    const other = runPlan(chaosPlan({ seed: 6, faults }))
    const again = runPlan(one)
    expect(again.traceHash).toBe(first.traceHash)
    expect(other.traceHash).not.toBe(first.traceHash)
    expect(again.history).toEqual(first.history)
  })

  it('has the same trace through the asynchronous driver when nobody awaits', async () => {
    const plan = chaosPlan({
      faults: [{ atMs: 300, kind: 'pause', target: 'leader(t-0)', untilMs: 1500 }],
      chaosMs: 2000,
    })
    const awaited = await runPlanAsync(plan)
    expect(awaited.traceHash).toBe(runPlan(plan).traceHash)
  })
})

/** What a kind needs besides a target to do anything. */
const ROWS: Partial<Record<FaultKind, Partial<Fault>>> = {
  'power-cut-all': { target: 'all' },
  'slow-node': { params: { factor: 100 } },
  'stale-disk': { target: 'follower(t-0,0)', params: { ageMs: 400 } },
  'wipe-disk': { target: 'follower(t-0,0)' },
  'bit-flip': { target: 'follower(t-0,0)', params: { where: 'any', topic: 't' } },
  'slow-disk': { params: { stallMs: 500 } },
  'disk-full': { params: { freeBytes: 300 } },
  latency: { params: { factor: 20 } },
  clog: { target: 'all', params: { count: 2, everyMs: 100 } },
  'clock-skew': { params: { ms: 5000 } },
  'clock-jump': { params: { ms: -2000 } },
  'clock-drift': { params: { permille: 1050 } },
  'elect-preferred': { target: 'controller' },
  'create-partitions': { target: 't', params: { count: 4 } },
  'recreate-topic': { target: 'other' },
  'alter-topic': { target: 't', params: { name: 'max.message.bytes', value: '100000' } },
  'client-crash': { target: 'producer' },
  'client-pause': { target: 'producer' },
}

const ENDLESS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'bit-flip',
  'lose-write',
  'misdirect-write',
  'read-error',
  'write-error',
  'fsync-error',
  'reset',
  'lose-responses',
  'clock-jump',
  'elect-preferred',
  'create-partitions',
  'recreate-topic',
  'alter-topic',
])

describe('a fault of kind', () => {
  it.each(FAULT_KINDS.map((kind) => ({ kind })))(
    '$kind fires, and the cluster recovers',
    ({ kind }) => {
      const fault: Fault = {
        atMs: 800,
        kind,
        target: 'leader(t-0)',
        ...(ENDLESS.has(kind) ? {} : { untilMs: 2800 }),
        ...ROWS[kind],
      }
      const properties = { 'log.dirs': '/data-1,/data-2' }
      const several = kind === 'log-dir-failure' ? { properties } : {}
      const plan = chaosPlan({ faults: [fault], chaosMs: 4000, ...several })
      const { verdict, reason, fired } = runPlan(plan)
      expect(fired.length).toBeGreaterThan(0)
      expect(fired.filter(({ isIdle }) => isIdle)).toEqual([])
      expect({ verdict, reason }).toEqual({ verdict: 'pass', reason: null })
    },
  )
})
