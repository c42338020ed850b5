// Goal: clusters whose logs are compacted all the time lose nothing that is promised, through
// crashes and power cuts, and the groups' own topic is compacted like any other. Method: whole runs
// with tiny segments and an eager cleaner; every check of the harness looks.
import { describe, expect, it } from 'vitest'
import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { runPlan } from '../../src/chaos/run/run-plan.ts'
import { chaosPlan } from '../support/chaos-plan.ts'

const EAGER = {
  'log.cleaner.backoff.ms': '150',
  'log.cleaner.min.cleanable.ratio': '0.01',
  'log.roll.ms': '300',
}

function compactedPlan(seed: number, faults: readonly Fault[]): Plan {
  const plan = chaosPlan({ seed, faults, properties: EAGER, chaosMs: 6000 })
  const configs = {
    'min.insync.replicas': '2',
    'cleanup.policy': 'compact',
    'internal.segment.bytes': '1024',
  }
  const [main, ...others] = plan.topics
  return {
    ...plan,
    topics: [{ ...main!, configs }, ...others],
    workload: [
      ...plan.workload,
      {
        kind: 'group',
        name: 'member',
        groupId: 'g',
        topic: 't',
        members: 2,
        assignor: 'range',
        commit: 'after-processing',
        commitEveryMs: 100,
        sessionTimeoutMs: 1000,
        isStatic: false,
        churnEveryMs: 0,
      },
    ],
  }
}

describe('a run with compaction', () => {
  it.each<[string, readonly Fault[]]>([
    ['nothing else', []],
    [
      'a leader that crashes and comes back',
      [{ atMs: 1500, kind: 'crash', target: 'leader(t-0)', untilMs: 3000 }],
    ],
    [
      'a follower without power',
      [{ atMs: 2500, kind: 'power-cut', target: 'follower(t-0,0)', untilMs: 3500 }],
    ],
    [
      'all without power at once',
      [{ atMs: 3000, kind: 'power-cut-all', target: 'all', untilMs: 4000 }],
    ],
  ])('passes with %s', (_, faults) => {
    for (const seed of [1, 2]) {
      const { verdict, reason, probes, evaluated } = runPlan(compactedPlan(seed, faults))
      expect({ seed, verdict, reason }).toEqual({ seed, verdict: 'pass', reason: null })
      expect(probes['log.segment-compacted'] ?? 0).toBeGreaterThan(10)
      expect(evaluated['G5'] ?? 0).toBeGreaterThan(0)
    }
  })
})
