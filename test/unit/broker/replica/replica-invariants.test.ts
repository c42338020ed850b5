// Goal: replication keeps R1, R2, R5, R7, R8, R10, R14, D1, D8 and D9 under crashes, leader moves, cut links and
// lost AlterPartition answers. Method: a seeded cluster of three brokers with two partitions; every seed is
// one test case's worth of chaos, then all is healed and must become equal.
import { describe, expect, it } from 'vitest'
import { ReplicaChecks, type Evaluations } from '../../../support/replica-checks.ts'
import { ReplicaCluster, type Send } from '../../../support/replica-cluster.ts'
import type { Random } from '../../../../src/ports/random.ts'

const SEEDS = 120
const STEPS = 60
const T = 't'

interface Run {
  readonly violations: readonly string[]
  readonly evaluations: Evaluations
  readonly acked: number
  readonly truncations: number
  readonly traceHash: string
}

function run(seed: number): Run {
  const cluster = new ReplicaCluster({
    seed,
    alterPartitionLossPermille: seed % 3 === 0 ? 300 : 0,
    properties: { 'replica.lag.time.max.ms': '600' },
  })
  const checks = new ReplicaChecks(cluster)
  let truncations = 0
  cluster.world.onEvent(({ kind }) => {
    if (kind === 'replica.truncated') truncations += 1
  })
  cluster.start()
  const configs = { 'min.insync.replicas': seed % 4 === 0 ? '1' : '2' }
  cluster.controller.createTopic(
    T,
    [
      [1, 2, 3],
      [2, 3, 1],
    ],
    configs,
  )
  cluster.until(() => cluster.isQuiet(), 'the topic')
  const random = cluster.world.random('nemesis')
  const sends: Send[] = []
  for (let step = 0; step < STEPS; step += 1) {
    act(cluster, random, sends, checks, step)
    cluster.world.runFor(random.below(40))
    if (step % 5 === 0) checks.atBarrier()
  }
  heal(cluster)
  cluster.until(() => cluster.isQuiet(), `seed ${seed}: quiet`, 60_000)
  checks.atEnd(sends)
  return {
    violations: checks.violations,
    evaluations: checks.evaluations,
    acked: sends.filter(({ result }) => result?.error === 0).length,
    truncations,
    traceHash: cluster.world.trace.hash(),
  }
}

function act(
  cluster: ReplicaCluster,
  random: Random,
  sends: Send[],
  checks: ReplicaChecks,
  step: number,
): void {
  const dice = random.below(100)
  const id = 1 + random.below(3)
  const index = random.below(2)
  const { isUp } = cluster.broker(id).node
  if (dice < 60) produce(cluster, random, sends, checks, { index, step })
  else if (dice < 72) moveLeader(cluster, random, index)
  else if (dice < 80 && isUp) cluster.crash(id, random.below(300))
  else if (dice < 90 && !isUp) cluster.restart(id)
  else if (dice < 95) cluster.world.network.cut(`broker-${id}`, `broker-${1 + (id % 3)}`)
  else cluster.world.network.healAll()
}

/** Sends a few records to a broker that leads or once led, with some acks. */
function produce(
  cluster: ReplicaCluster,
  random: Random,
  sends: Send[],
  checks: ReplicaChecks,
  { index, step }: { readonly index: number; readonly step: number },
): void {
  const up = [1, 2, 3].filter((id) => {
    const broker = cluster.broker(id)
    return broker.node.isUp && broker.manager.partition(T, index)?.isLeader === true
  })
  for (const to of up) {
    const acks = [-1, -1, -1, 1, 0][random.below(5)] ?? -1
    for (let count = 0; count <= random.below(3); count += 1) {
      const partition = cluster.partition(to, T, index)
      const value = `${step}-${to}-${count}`
      const send = cluster.produce(T, value, { acks, index, to, timeoutMs: 1000 })
      send.onResult = () => checks.onAck(send, partition)
      if (send.result !== null) checks.onAck(send, partition)
      sends.push(send)
    }
  }
}

function moveLeader(cluster: ReplicaCluster, random: Random, index: number): void {
  const { isr, leader } = cluster.controller.state(T, index)
  const { brokers } = cluster.controller.image
  const others = isr.filter((id) => id !== leader && brokers.get(id)?.isFenced === false)
  const next = others[random.below(Math.max(1, others.length))]
  if (next !== undefined) cluster.controller.moveLeader(T, index, next)
}

function heal(cluster: ReplicaCluster): void {
  cluster.world.network.healAll()
  for (const { id, node } of cluster.brokers.values()) {
    if (!node.isUp) cluster.restart(id)
  }
}

describe('replication under faults', () => {
  it(
    `keeps its invariants over ${SEEDS} seeds, none of them vacuously`,
    { timeout: 180_000 },
    () => {
      const runs = Array.from({ length: SEEDS }, (_, index) => ({
        seed: index + 1,
        ...run(index + 1),
      }))
      const broken = runs.filter(({ violations }) => violations.length > 0)
      expect(broken.map(({ seed, violations }) => ({ seed, violations }))).toEqual([])
      const totals = new Map<string, number>()
      for (const { evaluations } of runs) {
        for (const [name, count] of Object.entries(evaluations)) {
          totals.set(name, (totals.get(name) ?? 0) + count)
        }
      }
      const rare = [...totals].filter(([, count]) => count < SEEDS / 10)
      expect(rare).toEqual([])
      expect(runs.reduce((sum, { acked }) => sum + acked, 0)).toBeGreaterThan(SEEDS * 5)
      expect(runs.reduce((sum, { truncations }) => sum + truncations, 0)).toBeGreaterThan(SEEDS / 2)
    },
  )

  it('repeats a seed to the byte', () => {
    expect(run(77).traceHash).toBe(run(77).traceHash)
  })
})
