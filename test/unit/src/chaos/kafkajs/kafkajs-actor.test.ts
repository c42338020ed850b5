// Goal: unmodified kafkajs lives in the simulated world, and one seed gives one trace with it too. Method:
// a producer and a group of two against three simulated brokers, a crash of a partition leader and of the client.
import { describe, expect, it } from 'vitest'
import {
  createKafkajsFactory,
  type KafkajsFactory,
} from '../../../../../src/chaos/kafkajs/kafkajs-actor.ts'
import { History } from '../../../../../src/chaos/history/history.ts'
import type { KafkajsPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { SimClient } from '../../../../support/sim-client.ts'
import { SimCluster } from '../../../../support/sim-cluster.ts'
import { settleFor } from '../../../../support/sim-promise.ts'

const PLAN: KafkajsPlan = {
  kind: 'kafkajs',
  name: 'k',
  topic: 't',
  partitions: [0, 1],
  groupId: 'g',
  members: 2,
  idempotent: true,
  everyMs: 50,
}

async function run(factory: KafkajsFactory, seed: number, plan = PLAN) {
  const cluster = new SimCluster({ seed, brokers: 3 })
  const { world } = cluster
  cluster.waitReady()
  let isCreated = false
  const client = new SimClient(world.node('admin').ports, cluster.bootstrap())
  client.createTopic('t', 2, () => (isCreated = true))
  world.runUntil(() => isCreated, 10_000)
  const history = new History(() => world.scheduler.nowMs)
  history.onEntry(({ of, kind, process, operation }) =>
    world.trace.add(world.scheduler.nowUs, process, `history.${kind}`, {
      of,
      text: JSON.stringify(operation),
    }),
  )
  const random = world.random('workload')
  const actor = factory(plan, { history, bootstrap: cluster.bootstrap(), random })
  actor.start(world.node('k').ports)
  await settleFor(world, 5000)
  cluster.crash(2)
  await settleFor(world, 5000)
  cluster.restart(2)
  world.node('k').crash()
  actor.start(world.node('k').restart())
  await settleFor(world, 10_000)
  actor.stop()
  await settleFor(world, 10_000)
  return { history, hash: world.trace.hash(), pending: actor.pending() }
}

describe('kafkajs in the simulated world', () => {
  it('sends and consumes through the crash of a leader and its own, and comes to an end', async () => {
    const { history, pending } = await run(createKafkajsFactory(), 1)
    const acked = history.entries.filter(
      ({ kind, operation }) => kind === 'ok' && operation.op === 'send',
    )
    const read = new Set(
      history.entries.flatMap(({ operation }) =>
        operation.op === 'poll' ? (operation.records ?? []).map(({ value }) => value) : [],
      ),
    )
    const sends = acked.map(({ operation }) => (operation.op === 'send' ? operation.value : ''))
    expect(sends.some((value) => value.startsWith('k:'))).toBe(true)
    expect(sends.some((value) => value.startsWith('k/2:'))).toBe(true)
    expect(sends.filter((value) => !read.has(value))).toEqual([])
    expect(pending).toBeNull()
  })

  it('gives the same trace for the same seed, with lives of other seeds in between', async () => {
    const factory = createKafkajsFactory()
    const first = await run(factory, 3)
    const other = await run(factory, 4)
    const again = await run(factory, 3)
    expect(again.hash).toBe(first.hash)
    expect(other.hash).not.toBe(first.hash)
  })
})
