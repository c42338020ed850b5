// Goal: group members own, read, commit and leave as a group must, and record it all, through churn, crashes of
// the coordinator and of members. Method: real brokers in a simulated world; the promises are looked up in the history.
import { describe, expect, it } from 'vitest'
import { PROBE_OFFSET } from '../../../../../src/chaos/history/operation.ts'
import type { GroupPlan, ProducerPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import type { Actor } from '../../../../../src/chaos/run/stage.ts'
import { FinalReader } from '../../../../../src/chaos/workload/final-reader.ts'
import { createGroupActors } from '../../../../../src/chaos/workload/group-actor.ts'
import { createProducerActor } from '../../../../../src/chaos/workload/producer-actor.ts'
import type { WorkloadActor } from '../../../../../src/chaos/workload/workload-actor.ts'
import { ChaosWorld, historyProblems } from '../../../../support/chaos-world.ts'

const PRODUCER: ProducerPlan = {
  kind: 'producer',
  name: 'p',
  topic: 't',
  partitions: [0, 1, 2, 3],
  acks: -1,
  idempotent: true,
  inFlight: 2,
  everyMs: 30,
  batchRecords: 1,
  valueBytes: 0,
  compression: 'none',
  keys: 0,
  requestTimeoutMs: 1000,
}

const GROUP: GroupPlan = {
  kind: 'group',
  name: 'g',
  groupId: 'group',
  topic: 't',
  members: 3,
  assignor: 'range',
  commit: 'after-processing',
  commitEveryMs: 300,
  sessionTimeoutMs: 1500,
  isStatic: false,
  churnEveryMs: 0,
}

interface GroupRun {
  readonly world: ChaosWorld
  readonly actors: readonly Actor[]
}

function begin(plan: Partial<GroupPlan>, seed = 1): GroupRun {
  const world = new ChaosWorld({
    seed,
    properties: {
      'group.min.session.timeout.ms': '500',
      'group.initial.rebalance.delay.ms': '100',
    },
  })
  world.createTopic('t', 4)
  const producer = createProducerActor(PRODUCER, world.context)
  world.start(producer)
  const actors = createGroupActors({ ...GROUP, ...plan }, world.context)
  for (const actor of actors) world.start(actor)
  world.cluster.world.runFor(6000)
  return { world, actors: [producer, ...actors] }
}

/** Stops producing, reads everything, waits until the group has got there, stops. */
function finish({ world, actors }: GroupRun): ReadonlyMap<number, readonly string[]> {
  const [producer, member, ...others] = actors
  expect(world.stop(producer!)).toBeNull()
  const reader = new FinalReader({ name: 'final', topics: ['t'] }, world.context)
  world.start(reader)
  expect(world.settle(reader)).toBeNull()
  const lag = (): string | null => (member as WorkloadActor).lagBehind(reader.ends())
  world.cluster.world.runUntil(() => lag() === null, 20_000)
  expect(lag()).toBeNull()
  world.cluster.world.runFor(1000)
  for (const actor of [member!, ...others]) expect(world.stop(actor)).toBeNull()
  expect(historyProblems(world.history.entries)).toEqual([])
  return new Map([0, 1, 2, 3].map((partition) => [partition, world.read('final', partition)]))
}

/** Two members that were assigned one partition in one generation. */
function doubleOwners(world: ChaosWorld): readonly string[] {
  const owners = new Map<string, string>()
  const problems: string[] = []
  for (const { operation } of world.entries('assigned', 'ok')) {
    for (const partition of operation.partitions) {
      const key = `${operation.generation}/${partition}`
      const before = owners.get(key) ?? operation.member
      if (before !== operation.member) problems.push(`${key}: ${before}, ${operation.member}`)
      owners.set(key, operation.member)
    }
  }
  return problems
}

function checkCommits(world: ChaosWorld): void {
  const probes = world.entries('commit').filter(({ operation }) => operation.expects === 'refused')
  expect(probes.filter(({ kind }) => kind === 'ok')).toEqual([])
  const seen = world.entries('committed', 'ok').map(({ operation }) => operation.offset!)
  expect(seen.length).toBeGreaterThan(10)
  expect(Math.max(...seen)).toBeLessThan(PROBE_OFFSET)
}

describe('group actors', () => {
  it.each([
    ['range', false, 0],
    ['roundrobin', true, 2500],
    ['cooperative-sticky', false, 2500],
    ['cooperative-sticky', true, 0],
  ] as const)(
    'processes everything at least once, assignor %s, static %s, churn every %i ms',
    (assignor, isStatic, churnEveryMs) => {
      const run = begin({ assignor, isStatic, churnEveryMs })
      run.world.cluster.world.runFor(6000)
      const logs = finish(run)
      for (const [partition, log] of logs) {
        expect(log.length).toBeGreaterThan(50)
        expect(new Set(run.world.read('group', partition))).toEqual(new Set(log))
      }
      expect(doubleOwners(run.world)).toEqual([])
      checkCommits(run.world)
      expect(run.world.entries('commit', 'ok').length).toBeGreaterThan(10)
    },
  )

  it('processes nothing twice when it commits before processing', () => {
    const run = begin({ commit: 'before-processing', churnEveryMs: 2500 })
    const { world } = run
    const [, , second] = run.actors
    world.crashClient(second!, 500)
    world.cluster.world.runFor(6000)
    finish(run)
    for (const partition of [0, 1, 2, 3]) {
      const processed = world.read('group', partition)
      expect(processed.length).toBeGreaterThan(30)
      expect(new Set(processed).size).toBe(processed.length)
    }
    checkCommits(world)
  })

  it.each(['range', 'cooperative-sticky'] as const)(
    'goes on after crashes of the coordinator and of members, %s',
    (assignor) => {
      const run = begin({ assignor }, 3)
      const { world, actors } = run
      for (const round of [1, 2]) {
        const crashed = world.crashLeader('__consumer_offsets', round % 2)
        world.cluster.world.runFor(3000)
        world.crashClient(actors[round]!, 2500)
        world.cluster.world.runFor(3000)
        world.cluster.restart(crashed)
        world.cluster.waitReady()
      }
      const logs = finish(run)
      for (const [partition, log] of logs) {
        expect(new Set(world.read('group', partition))).toEqual(new Set(log))
      }
      expect(doubleOwners(world)).toEqual([])
      checkCommits(world)
      const processes = new Set(world.entries('assigned').map(({ process }) => process))
      expect([...processes]).toEqual(expect.arrayContaining(['g-1/2', 'g-2/2']))
    },
  )

  it('commits a lost membership on purpose, and is refused', () => {
    const run = begin({ members: 2 })
    const { world, actors } = run
    // A machine that hangs for longer than its session: the others take over, and it finds out late.
    const node = world.cluster.world.node(actors[1]!.name)
    for (const { name } of world.cluster.nodes) {
      world.cluster.world.network.cut(node.name, name)
      world.cluster.world.network.cut(name, node.name)
    }
    world.cluster.world.runFor(6000)
    for (const { name } of world.cluster.nodes) {
      world.cluster.world.network.heal(node.name, name)
      world.cluster.world.network.heal(name, node.name)
    }
    world.cluster.world.runFor(4000)
    finish(run)
    expect(world.entries('lost').map(({ process }) => process)).toContain('g-1')
    const refused = world
      .entries('commit', 'fail')
      .filter(({ operation }) => operation.expects === 'refused')
    expect(refused.map(({ operation }) => operation.error)).toContain('UNKNOWN_MEMBER_ID')
    checkCommits(world)
  })

  it('comes to an end when no broker is left', () => {
    const { world, actors } = begin({})
    for (const id of world.cluster.ids) world.cluster.crash(id)
    world.cluster.world.runFor(1000)
    for (const actor of actors) actor.stop()
    expect(actors.map((actor) => actor.pending()).join()).toContain('group member g-1 is leaving')
    for (const actor of actors) expect(world.settle(actor)).toBeNull()
    expect(historyProblems(world.history.entries)).toEqual([])
  })
})
