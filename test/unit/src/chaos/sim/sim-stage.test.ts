// Goal: faults do to a simulated cluster what their rows say, rows that do not apply do nothing, and a heal leaves
// it whole. Method: one small cluster in a world, looked at from outside.
import { describe, expect, it } from 'vitest'
import { History } from '../../../../../src/chaos/history/history.ts'
import type { Fault } from '../../../../../src/chaos/plan/fault.ts'
import { SimStage } from '../../../../../src/chaos/sim/sim-stage.ts'
import { SimWorld } from '../../../../../src/sim/sim-world.ts'
import { chaosPlan } from '../../../../support/chaos-plan.ts'

class StageWorld {
  readonly world = new SimWorld({ seed: 3 })
  readonly stage: SimStage
  readonly history: History

  constructor(faults: readonly Fault[] = []) {
    const { world } = this
    const plan = chaosPlan({ faults })
    this.history = new History(() => world.scheduler.nowMs)
    this.stage = new SimStage(plan, world, this.history)
    this.stage.cluster.start()
    this.settle()
    for (const topic of plan.topics) this.stage.admin.ensureTopic(topic, () => undefined)
    world.runFor(500)
    this.settle()
  }

  settle(limitMs = 20_000): void {
    if (this.world.runUntil(() => this.stage.pending() === null, limitMs)) return
    throw new Error(`not whole: ${this.stage.pending()?.reason}`)
  }

  inject(kind: Fault['kind'], target: string, more: Partial<Fault> = {}): string {
    const before = this.stage.fired.length
    this.stage.inject({ atMs: 0, kind, target, ...more })
    return this.stage.fired
      .slice(before)
      .map(({ node, isIdle }) => (isIdle ? `${node} idle` : node))
      .join()
  }

  image() {
    return this.stage.cluster.views.get(101)!.image
  }
}

describe('a simulated stage', () => {
  it('resolves symbols by what holds when the fault fires', () => {
    const staged = new StageWorld()
    const { leader, replicas } = staged.image().partition('t', 0)!
    expect(staged.inject('reset', 'leader(t-0)')).toBe(`b${leader}`)
    expect(staged.inject('reset', 'replica(t-0,1)')).toBe(`b${replicas[1]}`)
    const others = replicas.filter((id) => id !== leader).toSorted((a, b) => a - b)
    expect(staged.inject('reset', 'follower(t-0,0)')).toBe(`b${others[0]}`)
    expect(staged.inject('reset', 'follower(t-0,3)')).toBe(`b${others[1]}`)
    expect(staged.inject('reset', 'any-broker(4)')).toBe('b2')
    expect(staged.inject('reset', 'all')).toBe('b1,b2,b3,c1,c2,c3')
    const active = staged.inject('reset', 'controller')
    expect(active).toMatch(/^c[123]$/)
    expect(staged.inject('reset', 'other-controller(0)')).not.toBe(active)
    expect(staged.inject('reset', 'coordinator(g)')).toBe(' idle')
    // Out of sync the first follower comes last.
    staged.stage.cluster.crash(`b${others[0]}`)
    staged.world.runFor(4000)
    expect(staged.inject('reset', 'follower(t-0,0)')).toBe(`b${others[1]}`)
  })

  it('does nothing where a row does not apply', () => {
    const staged = new StageWorld()
    expect(staged.inject('crash', 'b1')).toBe('b1')
    expect(staged.inject('crash', 'b1')).toBe('b1 idle')
    expect(staged.inject('pause', 'b1')).toBe('b1 idle')
    expect(staged.inject('power-cut', 'b1')).toBe('b1 idle')
    expect(staged.inject('wipe-disk', 'b1')).toBe('b1 idle')
    expect(staged.inject('shutdown', 'b1')).toBe('b1 idle')
    expect(staged.inject('corrupt-index', 'b1')).toBe('b1 idle')
    expect(staged.inject('write-error', 'b1')).toBe('b1 idle')
    expect(staged.inject('client-crash', 'nobody')).toBe(' idle')
    expect(staged.inject('stale-disk', 'b2')).toBe('b2 idle')
    expect(staged.inject('bit-flip', 'c1')).toBe('c1 idle')
  })

  it('undoes what lasts at its time, and all of it with the heal', () => {
    const staged = new StageWorld()
    const { world, stage } = staged
    staged.inject('crash', 'b1', { untilMs: 1000 })
    staged.inject('pause', 'b2', { untilMs: 2000 })
    staged.inject('crash', 'b3')
    world.runFor(999)
    expect(stage.cluster.isRunning('b1')).toBe(false)
    world.runFor(2)
    expect(stage.cluster.isRunning('b1')).toBe(true)
    expect(world.node('b2').isPaused).toBe(true)
    expect(stage.pending()?.reason).toBe('b2 is paused')
    world.runFor(1000)
    expect(world.node('b2').isPaused).toBe(false)
    expect(stage.pending()).toEqual({ invariant: 'L1', reason: 'b3 is down' })
    stage.heal()
    staged.settle()
  })

  it('lets a node die right after an operation of its disk', () => {
    const staged = new StageWorld()
    const { disk } = staged.world.node('c1')
    const before = disk.operationsRun
    const fault = { params: { afterOperations: 2, tear: 'any' }, atMs: 0, untilMs: 5000 } as const
    expect(staged.inject('power-cut', 'c1', fault)).toBe('c1')
    expect(staged.stage.cluster.isRunning('c1')).toBe(true)
    staged.stage.admin.ensureTopic({ ...chaosPlan().topics[0]!, name: 'late' }, () => undefined)
    staged.world.runFor(4000)
    expect(staged.stage.cluster.isRunning('c1')).toBe(false)
    expect(disk.operationsRun).toBe(before + 2)
    staged.stage.heal()
    staged.settle()
  })

  it('forgets about it when the time is over first', () => {
    const staged = new StageWorld()
    staged.inject('crash', 'c1', { params: { afterOperations: 1_000_000 }, atMs: 0 })
    staged.stage.heal()
    staged.settle()
    expect(staged.stage.cluster.isRunning('c1')).toBe(true)
  })

  it('holds a cut as long as one of several faults wants it', () => {
    const staged = new StageWorld()
    staged.inject('cut', 'b1', { untilMs: 500, params: { peers: 'b2' } })
    staged.inject('cut', 'b2', { untilMs: 900, params: { peers: 'b1' } })
    const healed = (): number =>
      staged.world.trace.rows().filter(({ kind }) => kind === 'network.healed').length
    staged.world.runFor(600)
    expect(healed()).toBe(0)
    staged.world.runFor(600)
    expect(healed()).toBe(2)
  })

  it('never damages the last whole copy, unless it is told to', () => {
    const staged = new StageWorld()
    const damaged = (): number =>
      ['b1', 'b2', 'b3'].filter((name) => staged.world.node(name).disk.damages().length > 0).length
    // Something must be in the logs: the metadata of the consumers' offsets is not, so records are written by hand.
    for (const name of ['b1', 'b2', 'b3']) {
      const path = 't-0/00000000000000000000.log'
      staged.world
        .node(name)
        .disk.tree.open(path)
        .append([Buffer.alloc(64)])
    }
    const flip = { params: { where: 'any', topic: 't', partition: 0 } }
    for (const name of ['b1', 'b2', 'b3', 'b1']) staged.inject('bit-flip', name, flip)
    expect(damaged()).toBe(2)
    staged.inject('bit-flip', 'b3', { params: { ...flip.params, isOverBudget: true } })
    expect(damaged()).toBe(3)
  })

  it('keeps what administration did in the history', () => {
    const staged = new StageWorld()
    staged.inject('create-partitions', 't', { params: { count: 5 } })
    staged.inject('create-partitions', 't', { params: { count: 1 } })
    staged.inject('recreate-topic', 'other')
    staged.world.runFor(1000)
    const seen = staged.history.entries
      .filter(({ kind }) => kind !== 'invoke')
      .map(({ kind, operation }) => `${operation.op} ${kind}`)
    expect(seen.toSorted()).toEqual([
      'create-partitions fail',
      'create-partitions ok',
      'create-topic ok',
      'delete-topic ok',
    ])
    staged.settle()
    expect(staged.image().topicsByName.get('t')?.partitions.size).toBe(5)
  })

  it('starts a node anew with the heal that could not open a log before its disk was repaired', () => {
    const staged = new StageWorld()
    const { stage, world } = staged
    const views = new Map(stage.cluster.viewsByName)
    world.node('b2').ports.events.emit('partition.offline', { topic: 't', partition: 0 })
    stage.heal()
    staged.settle()
    const isAnew = (name: string): boolean => stage.cluster.view(name) !== views.get(name)
    expect(['b1', 'b2', 'b3', 'c1'].filter(isAnew)).toEqual(['b2'])
  })

  it('starts a node that went down by itself again after the heal', () => {
    const staged = new StageWorld()
    const { stage, world } = staged
    staged.inject('fsync-error', 'controller')
    staged.inject('create-partitions', 't', { params: { count: 3 } })
    expect(world.runUntil(() => stage.cluster.views.size < 6, 2000)).toBe(true)
    world.runFor(3000)
    expect(stage.cluster.views.size).toBe(5)
    stage.heal()
    staged.settle()
    expect(stage.cluster.views.size).toBe(6)
  })

  it('gives a node a new disk whose partitions keep it from running, when a fault can have ruined the old one', () => {
    const lie: Fault = { atMs: 0, kind: 'lying-fsync', target: 'b1' }
    for (const faults of [[lie], []]) {
      const staged = new StageWorld(faults)
      const { cluster } = staged.stage
      cluster.crash('b1')
      const metadata = cluster.machine('b1').disk.tree.open('t-0/partition.metadata')
      metadata.truncate(0)
      metadata.append([Buffer.from('version: 7\ntopic_id: x')])
      staged.stage.heal()
      staged.world.runFor(10_000)
      const isReplaced = faults.length > 0
      expect(staged.stage.pending() === null).toBe(isReplaced)
      expect(staged.stage.unrecoverable).toEqual(isReplaced ? [] : ['b1'])
    }
  })
})
