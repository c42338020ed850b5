// Goal: the admin client records what became of its topics, through crashes of the controller and of itself, and the
// factory makes an actor of every kind of plan. Method: real brokers in a simulated world.
import { describe, expect, it } from 'vitest'
import type { KafkajsPlan, WorkloadPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { createAdminActor } from '../../../../../src/chaos/workload/admin-actor.ts'
import { createActors } from '../../../../../src/chaos/workload/create-actors.ts'
import { ChaosWorld, historyProblems } from '../../../../support/chaos-world.ts'

describe('admin actor', () => {
  it('creates and deletes, and ends what it began', () => {
    const world = new ChaosWorld()
    const admin = createAdminActor({ kind: 'admin', name: 'a', everyMs: 100 }, world.context)
    world.start(admin)
    world.cluster.world.runFor(4000)
    world.cluster.crash(world.cluster.controllerId)
    world.cluster.world.runFor(4000)
    world.crashClient(admin)
    world.cluster.world.runFor(4000)
    expect(world.stop(admin)).toBeNull()
    expect(historyProblems(world.history.entries)).toEqual([])
    const created = world.entries('create-topic', 'ok')
    expect(created.length).toBeGreaterThan(10)
    expect(created[0]!.operation.topic).toBe('a-0')
    expect(created.some(({ operation }) => operation.topic.startsWith('a.2-'))).toBe(true)
    expect(world.entries('delete-topic', 'ok').length).toBeGreaterThan(5)
  })

  it('ends as info what it does not know when no broker is left', () => {
    const world = new ChaosWorld()
    const admin = createAdminActor({ kind: 'admin', name: 'a', everyMs: 50 }, world.context)
    world.start(admin)
    for (const id of world.cluster.ids) world.cluster.crash(id)
    world.cluster.world.runFor(3000)
    expect(world.stop(admin)).toBeNull()
    expect(world.entries('create-topic', 'info').length).toBeGreaterThan(0)
    expect(historyProblems(world.history.entries)).toEqual([])
  })
})

describe('create actors', () => {
  const world = new ChaosWorld({ brokers: 1 })
  const shared = { topic: 't', partitions: [0], everyMs: 10 } as const
  const plans: readonly (readonly [WorkloadPlan, readonly string[]])[] = [
    [{ kind: 'reader', name: 'r', isolation: 'read_committed', ...shared }, ['r']],
    [{ kind: 'offsets-watcher', name: 'w', ...shared }, ['w']],
    [{ kind: 'admin', name: 'a', everyMs: 10 }, ['a']],
    [{ kind: 'connect', name: 'c', topic: 't', tasks: 1, everyMs: 10 }, ['c']],
    [
      {
        kind: 'group',
        name: 'g',
        groupId: 'group',
        topic: 't',
        members: 2,
        assignor: 'range',
        commit: 'after-processing',
        commitEveryMs: 100,
        sessionTimeoutMs: 1000,
        isStatic: false,
        churnEveryMs: 0,
      },
      ['g-1', 'g-2', 'g-watch'],
    ],
  ]

  it.each(plans)('%j', (plan, names) => {
    expect(createActors(plan, world.context).map(({ name }) => name)).toEqual(names)
  })

  it('asks the factory that it was given for kafkajs', () => {
    const plan: KafkajsPlan = {
      kind: 'kafkajs',
      name: 'k',
      groupId: 'kg',
      members: 1,
      idempotent: true,
      ...shared,
    }
    expect(() => createActors(plan, world.context)).toThrow('kafkajs')
    const made = createActors(plan, { ...world.context, createKafkajs: () => [] })
    expect(made).toEqual([])
  })
})
