// Goal: log directories that fail under load lose nothing that was acknowledged with acks=all, the broker lives on with the
// others, and it takes all of them up again once they are mended. Method: whole runs of three brokers with three log
// directories each; every check of the harness looks. Without any of them left it ends.
import { describe, expect, it } from 'vitest'
import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { runPlan } from '../../src/chaos/run/run-plan.ts'
import { chaosPlan } from '../support/chaos-plan.ts'
import { SimClient } from '../support/sim-client.ts'
import { SimCluster } from '../support/sim-cluster.ts'

function planOf(seed: number, faults: readonly Fault[]): Plan {
  const properties = { 'log.dirs': '/data-1,/data-2,/data-3' }
  const plan = chaosPlan({ seed, faults, properties, chaosMs: 6000, layout: 'combined' })
  const [main, ...others] = plan.topics
  const partitions = [0, 1, 2, 3, 4, 5]
  return {
    ...plan,
    topics: [{ ...main!, partitions: partitions.length }, ...others],
    workload: plan.workload.map((each) =>
      'partitions' in each && each.topic === 't' ? { ...each, partitions } : each,
    ),
  }
}

const failure = (target: string, atMs: number, index: number, untilMs?: number): Fault => ({
  atMs,
  kind: 'log-dir-failure',
  target,
  params: { index },
  ...(untilMs === undefined ? {} : { untilMs }),
})

describe('a run with several log directories', () => {
  it.each<[string, readonly Fault[]]>([
    ['nothing else', []],
    ['one that fails for good', [failure('leader(t-1)', 1500, 2)]],
    ['two of one broker that fail', [failure('n1', 1500, 2), failure('n1', 1900, 3)]],
    [
      'one that fails on one broker, and later another on another',
      [failure('n1', 1500, 2), failure('n2', 3500, 3, 5000)],
    ],
    [
      'one that fails, and a crash of the broker, which comes up without it',
      [failure('n1', 1500, 2), { atMs: 2500, kind: 'crash', target: 'n1', untilMs: 3500 }],
    ],
    [
      'a mended one after a power cut',
      [
        failure('n1', 1500, 2, 2500),
        { atMs: 3000, kind: 'power-cut', target: 'n1', untilMs: 4000 },
      ],
    ],
  ])('and %s keeps every promise', (_name, faults) => {
    const traces: (string | null)[] = []
    for (const seed of [1, 2, 2]) {
      const plan = planOf(seed, faults)
      const { verdict, reason, fired, traceHash, probes } = runPlan(plan)
      expect({ verdict, reason }).toEqual({ verdict: 'pass', reason: null })
      expect(fired.filter(({ isIdle }) => isIdle)).toEqual([])
      expect((probes['replica.offline'] ?? 0) > 0).toBe(faults.length > 0)
      traces.push(traceHash)
    }
    expect(traces[1]).toBe(traces[2])
  })
})

describe('a broker', () => {
  it('ends with its last log directory, and not before', () => {
    const properties = { 'log.dirs': '/logs/1,/logs/2', 'metadata.log.dir': '/meta' }
    const cluster = new SimCluster({ seed: 5, brokers: 3, properties })
    expect(cluster.waitReady()).toBe(true)
    const { ports } = cluster.world.node('client')
    const client = new SimClient(ports, cluster.bootstrap())
    client.createTopic('t', 2, () => {})
    const leader = (index: number) => cluster.view(2).image.partition('t', index)?.leader ?? -1
    cluster.world.runUntil(() => leader(0) !== -1 && leader(1) !== -1, 10_000)
    const { disk } = cluster.nodes[0]!
    const eventsOf = (kind: string) =>
      cluster.events.filter((event) => event.node === 'b1' && event.kind === kind)
    let sent = 0
    const produce = (index: number): void => {
      sent += 1
      client.produce('t', index, `v${sent}`, () => produce(1 - index))
    }
    client.refresh(() => produce(0))
    disk.failFolder('logs/1')
    cluster.world.runUntil(() => eventsOf('log-directory.offline').length > 0, 30_000)
    expect(eventsOf('partition.offline')).toHaveLength(1)
    cluster.world.runFor(3000)
    expect(eventsOf('node.failed')).toEqual([])
    expect(cluster.view(2).image.brokers.get(1)).toMatchObject({ isFenced: false })
    expect(cluster.view(2).image.brokers.get(1)?.logDirs).toHaveLength(1)
    disk.failFolder('logs/2')
    // The harness throws what a node dies of.
    expect(() => cluster.world.runFor(30_000)).toThrow('can neither be read nor written')
    expect(eventsOf('log-directory.offline').map(({ fields }) => fields['path'])).toEqual([
      '/logs/1',
      '/logs/2',
    ])
    expect(eventsOf('node.failed')).toHaveLength(1)
  })
})
