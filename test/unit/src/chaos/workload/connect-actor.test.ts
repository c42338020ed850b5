// Goal: a Connect worker in the world records what its source committed and what its sink got, also through crashes
// of its node and of a leader. Method: the real worker and real brokers, driven with promises going on in between.
import { describe, expect, it } from 'vitest'
import type { ConnectPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { createConnectActor } from '../../../../../src/chaos/workload/connect-actor.ts'
import { FinalReader } from '../../../../../src/chaos/workload/final-reader.ts'
import { decodeLine } from '../../../../../src/chaos/workload/line.ts'
import type { WorkloadActor } from '../../../../../src/chaos/workload/workload-actor.ts'
import { ChaosWorld } from '../../../../support/chaos-world.ts'
import { settleFor } from '../../../../support/sim-promise.ts'

const PLAN: ConnectPlan = { kind: 'connect', name: 'c', topic: 'lines', tasks: 2, everyMs: 100 }

function createWorld(): ChaosWorld {
  const world = new ChaosWorld()
  world.createTopic('lines', 2)
  return world
}

/** Sequences by task, in the order of the history. */
function lines(
  world: ChaosWorld,
  op: 'line-committed' | 'line-sunk',
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>()
  for (const { operation } of world.entries(op, 'ok')) {
    const list = found.get(operation.task) ?? []
    list.push(operation.sequence)
    found.set(operation.task, list)
  }
  return found
}

/** Everything is stopped and read; what the source committed and the sink got must be there. */
async function check(world: ChaosWorld, actor: WorkloadActor): Promise<void> {
  actor.stop()
  await settleFor(world.cluster.world, 10_000)
  expect(actor.pending()).toBeNull()
  const reader = new FinalReader({ name: 'final', topics: ['lines'] }, world.context)
  world.start(reader)
  expect(world.settle(reader)).toBeNull()
  const inKafka = new Map<string, Set<number>>()
  for (const value of [...world.read('final', 0), ...world.read('final', 1)]) {
    const { task, sequence } = decodeLine(value)!
    inKafka.set(task, (inKafka.get(task) ?? new Set()).add(sequence))
  }
  const committed = lines(world, 'line-committed')
  const sunk = lines(world, 'line-sunk')
  expect([...committed.keys()].sort()).toEqual(['c-source-0', 'c-source-1'])
  for (const [task, sequences] of committed) {
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
    const last = sequences.at(-1)!
    expect(last).toBeGreaterThan(30)
    const all = Array.from({ length: last + 1 }, (_, sequence) => sequence)
    expect(all.filter((sequence) => !inKafka.get(task)!.has(sequence))).toEqual([])
    const got = new Set(sunk.get(task))
    expect([...inKafka.get(task)!].filter((sequence) => !got.has(sequence)).length).toBeLessThan(9)
  }
}

describe('connect actor', () => {
  it('commits and sinks its lines in a quiet run', async () => {
    const world = createWorld()
    const actor = createConnectActor(PLAN, world.context) as WorkloadActor
    world.start(actor)
    expect(actor.lagBehind(new Map())).toBe('connect c has not started')
    await settleFor(world.cluster.world, 8000)
    expect(actor.lagBehind(new Map([['lines-0', 1]]))).toBeNull()
    expect(actor.lagBehind(new Map([['lines-0', 1e9]]))).toContain('of lines-0')
    await check(world, actor)
  })

  it('goes on from its stored offsets after its node crashed', async () => {
    const world = createWorld()
    const actor = createConnectActor(PLAN, world.context) as WorkloadActor
    world.start(actor)
    await settleFor(world.cluster.world, 5000)
    const before = lines(world, 'line-committed').get('c-source-0')!.at(-1)!
    world.crashClient(actor)
    await settleFor(world.cluster.world, 15_000)
    const later = world.entries('line-committed').filter(({ process }) => process === 'c/2')
    expect(Math.min(...later.map(({ operation }) => operation.sequence))).toBeGreaterThan(0)
    expect(lines(world, 'line-committed').get('c-source-0')!.at(-1)!).toBeGreaterThan(before)
    await check(world, actor)
  })

  it('survives the crash of a leader', async () => {
    const world = createWorld()
    const actor = createConnectActor(PLAN, world.context) as WorkloadActor
    world.start(actor)
    await settleFor(world.cluster.world, 4000)
    const leader = world.crashLeader('lines', 0)
    await settleFor(world.cluster.world, 5000)
    world.cluster.restart(leader)
    await settleFor(world.cluster.world, 10_000)
    await check(world, actor)
  })
})
