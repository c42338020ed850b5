import { present } from '../../base/assert.ts'
import type { Address } from '../../ports/network.ts'
import type { EventField, NodeEvent } from '../../ports/events.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { SimWorld } from '../../sim/sim-world.ts'
import type { History } from '../history/history.ts'
import type { Fault } from '../plan/fault.ts'
import { ruleOf } from '../plan/fault-rules.ts'
import type { Plan } from '../plan/plan.ts'
import { FaultSchedule } from '../run/fault-schedule.ts'
import { problemOf, type Problem } from '../run/problem.ts'
import type { FiredFault } from '../run/run-result.ts'
import type { Actor, Stage } from '../run/stage.ts'
import { ADMIN_FAULTS } from './admin-faults.ts'
import { CLIENT_FAULTS } from './client-faults.ts'
import { ClusterAdmin } from './cluster-admin.ts'
import { DamageAtlas } from './damage-atlas.ts'
import { DISK_FAULTS } from './disk-faults.ts'
import type { FaultContext, Inject, Injected } from './fault-context.ts'
import { Holds } from './holds.ts'
import { clog, NETWORK_FAULTS } from './network-faults.ts'
import { PROCESS_FAULTS } from './process-faults.ts'
import { activeController, resolveTarget } from './resolve-target.ts'
import { SimCluster } from './sim-cluster.ts'
import { TIME_FAULTS } from './time-faults.ts'
import { restProblem, wholenessProblem } from './wholeness.ts'

const ADMIN_MACHINE = 'harness'
/** Kinds whose effect is the more telling the earlier: they happen inside the step that hit the probe. */
const IMMEDIATE: ReadonlySet<string> = new Set(['crash', 'power-cut', 'power-cut-all'])
const OFFLINE: ReadonlySet<string> = new Set(['partition.offline', 'log-directory.offline'])
const BACKUP_AGE_MS = 1000
/** After the heal a node that went down by itself is started again, so often at most. */
const REVIVALS = 10
const REVIVAL_MS = 500
/** A node that its disk keeps down gets a new one, like a machine whose disk was replaced. */
const REVIVALS_BEFORE_NEW_DISK = 2

const MACHINE_FAULTS: Readonly<Record<string, Inject>> = {
  ...PROCESS_FAULTS,
  ...DISK_FAULTS,
  ...NETWORK_FAULTS,
  ...TIME_FAULTS,
  ...CLIENT_FAULTS,
}

/** Carries out a plan's faults on a simulated cluster. */
export class SimStage implements Stage {
  readonly mode = 'sim'
  readonly world: SimWorld
  readonly cluster: SimCluster
  readonly admin: ClusterAdmin
  readonly fired: FiredFault[] = []
  readonly schedule: FaultSchedule
  readonly #context: FaultContext
  readonly #actors = new Map<string, Actor>()
  readonly #begun = new Set<string>()
  /** How to undo what lasts, oldest first. */
  readonly #undos = new Set<() => void>()
  readonly #revivals = new Map<string, number>()
  /** Nodes with a log directory or a replica that is offline for the rest of this life. */
  readonly #withOffline = new Set<string>()
  #isHealed = false

  constructor(plan: Plan, world: SimWorld, history: History) {
    this.world = world
    this.cluster = new SimCluster(world, plan.cluster)
    const { cluster } = this
    this.admin = new ClusterAdmin(world.node(ADMIN_MACHINE).ports, cluster.bootstrap)
    const random = world.random('faults')
    this.#context = {
      plan,
      world,
      cluster,
      history,
      bootstrap: cluster.bootstrap,
      random,
      holds: new Holds(world),
      atlas: new DamageAtlas(cluster, random.fork('atlas')),
      actors: this.#actors,
      backups: new Map(),
      reviveClient: (name) => this.#reviveClient(name),
    }
    this.schedule = new FaultSchedule({
      after: (delayMs, fn) => {
        world.scheduler.after(delayMs * 1000, 'fault', fn)
      },
      fire: (fault, isInStep) => this.#fire(fault, isInStep),
    })
    world.onEvent(({ kind, node }) => {
      if (OFFLINE.has(kind)) this.#withOffline.add(node)
    })
    cluster.onStop(({ name }) => {
      this.#withOffline.delete(name)
      if (this.#isHealed) this.#reviveLater(name)
    })
  }

  get bootstrap(): readonly Address[] {
    return this.cluster.bootstrap
  }

  nowMs(): number {
    return this.world.scheduler.nowMs
  }

  onEvent(listener: (event: NodeEvent) => void): void {
    this.world.onEvent(listener)
  }

  /** Makes a client known, so that faults can hit it; begins its first life. */
  startClient(actor: Actor): void {
    this.#actors.set(actor.name, actor)
    actor.start(this.clientPorts(actor.name))
  }

  clientPorts(name: string): NodePorts {
    const machine = this.world.node(name)
    if (!this.#begun.has(name)) {
      this.#begun.add(name)
      return machine.ports
    }
    if (machine.isUp) machine.crash()
    return machine.restart()
  }

  /** The faults of a plan are at times from now on; what they need from before is put aside. */
  begin(faults: readonly Fault[]): void {
    this.schedule.begin(faults)
    for (const fault of faults) {
      if (fault.kind === 'stale-disk') this.#planBackup(fault)
    }
  }

  inject(fault: Fault): void {
    this.#fire(fault, false)
  }

  heal(): void {
    this.schedule.end()
    for (const undo of this.#undos) undo()
    this.#undos.clear()
    this.world.network.healAll()
    for (const { name } of this.cluster.nodes) {
      const { disk } = this.cluster.machine(name)
      disk.repairAll()
      disk.clearFaults()
    }
    this.#context.atlas.clear()
    this.#isHealed = true
    for (const { name } of this.cluster.nodes) {
      const machine = this.cluster.machine(name)
      if (machine.isUp && machine.isPaused) machine.resume()
      // Only a start opens the log again, as for whoever has mended a disk.
      if (this.#withOffline.has(name)) this.cluster.crash(name)
      if (!this.cluster.restart(name)) continue
      if (this.cluster.refusal(name) !== null) this.#reviveLater(name)
    }
    for (const name of this.#actors.keys()) {
      const machine = this.world.node(name)
      if (machine.isUp && machine.isPaused) machine.resume()
      if (!machine.isUp) this.#reviveClient(name)
    }
    this.#trace('cluster', 'fault.healed', {})
  }

  pending(): Problem | null {
    const [topic] = this.lostTopics
    const lost = topic === undefined ? null : `topic ${topic} is not in the metadata any more`
    return wholenessProblem(this.cluster) ?? problemOf('L2', lost)
  }

  /** Why the cluster is not at rest although nobody asks for anything; of these topics only. */
  restlessness(isMeant?: (topic: string) => boolean): Problem | null {
    return this.pending() ?? problemOf('L8', restProblem(this.cluster, isMeant))
  }

  /** Nodes that only a new disk could bring back. */
  get unrecoverable(): readonly string[] {
    return this.cluster.nodes
      .filter(({ name }) => !this.cluster.isRunning(name) && this.cluster.refusal(name) !== null)
      .map(({ name }) => name)
  }

  /** Topics of the plan that the metadata does not have after the heal: only their maker can bring them back. */
  get lostTopics(): readonly string[] {
    const image = this.#isHealed ? activeController(this.cluster)?.image : undefined
    if (image === undefined) return []
    const { topics } = this.#context.plan
    return topics.map(({ name }) => name).filter((name) => !image.topicsByName.has(name))
  }

  #fire(fault: Fault, isInStep: boolean): void {
    if (!isInStep || IMMEDIATE.has(fault.kind)) return this.#injectNow(fault)
    // What is in the middle of its step is not called into.
    this.world.scheduler.after(0, 'fault', () => this.#injectNow(fault))
  }

  #injectNow(fault: Fault): void {
    const undos: (() => void)[] = []
    const note = (name: string, injected: Injected): void => {
      this.#noteFired(fault, name, injected === 'idle')
      if (typeof injected === 'function') undos.push(injected)
    }
    if (ruleOf(fault.kind).aim === 'cluster') {
      const inject = present(ADMIN_FAULTS[fault.kind as keyof typeof ADMIN_FAULTS], fault.kind)
      note('cluster', inject(this.#context, this.admin, fault))
    } else {
      const names = this.#resolve(fault)
      if (names.length === 0) note('', 'idle')
      else if (fault.kind === 'clog') note(names.join(), clog(this.#context, fault, names))
      else if (fault.kind === 'power-cut-all') note('all', this.#injectOn(fault, 'all'))
      else for (const name of names) note(name, this.#injectOn(fault, name))
    }
    if (undos.length > 0) this.#undoLater(fault, undos)
  }

  #injectOn(fault: Fault, name: string): Injected {
    return present(MACHINE_FAULTS[fault.kind], fault.kind)(this.#context, fault, name)
  }

  #resolve({ kind, target }: Fault): readonly string[] {
    const clients = [...this.#actors.keys()]
    if (target === 'all' && ruleOf(kind).aim === 'client') return clients
    return resolveTarget(target, this.cluster, clients)
  }

  #undoLater({ kind, target, atMs, untilMs }: Fault, undos: readonly (() => void)[]): void {
    const undo = (): void => {
      if (!this.#undos.delete(undo)) return
      this.#trace('cluster', 'fault.undone', { fault: kind, target })
      for (const each of undos) each()
    }
    this.#undos.add(undo)
    if (untilMs === undefined) return
    this.world.scheduler.after((untilMs - atMs) * 1000, 'fault.undo', undo)
  }

  #noteFired(row: Fault, node: string, isIdle: boolean): void {
    this.fired.push({ row, node, atMs: this.nowMs(), isIdle })
    this.#trace(node === '' ? 'cluster' : node, 'fault.fired', {
      fault: row.kind,
      target: row.target,
      isIdle,
      ...row.params,
    })
  }

  #reviveClient(name: string): void {
    this.#actors.get(name)?.start(this.clientPorts(name))
  }

  #reviveLater(name: string): void {
    const revivals = this.#revivals.get(name) ?? 0
    if (revivals >= REVIVALS) return
    this.#revivals.set(name, revivals + 1)
    this.world.scheduler.after(REVIVAL_MS * 1000, 'fault.revive', () => {
      const { cluster } = this
      if (cluster.isRunning(name)) return
      if (cluster.refusal(name) !== null && revivals >= REVIVALS_BEFORE_NEW_DISK) {
        if (!this.#mayReplaceDisk()) return
        this.#trace(name, 'fault.disk-replaced', {})
        cluster.wipe(name)
      }
      if (cluster.restart(name) && cluster.refusal(name) !== null) this.#reviveLater(name)
    })
  }

  /** Only when a fault of the plan can have ruined a disk; otherwise a node that refuses its own disk is a bug. */
  #mayReplaceDisk(): boolean {
    return this.#context.plan.faults.some(
      ({ kind }) =>
        kind === 'lying-fsync' ||
        kind === 'lose-write' ||
        kind === 'misdirect-write' ||
        kind === 'bit-flip' ||
        kind === 'stale-disk',
    )
  }

  #planBackup(fault: Fault): void {
    const age = fault.params?.['ageMs']
    const ageMs = typeof age === 'number' ? age : BACKUP_AGE_MS
    this.world.scheduler.after(Math.max(0, fault.atMs - ageMs) * 1000, 'fault.backup', () => {
      const backups = this.cluster.nodes.map(
        ({ name }) => [name, this.cluster.machine(name).backup()] as const,
      )
      this.#context.backups.set(fault, new Map(backups))
    })
  }

  #trace(node: string, kind: string, fields: Readonly<Record<string, EventField>>): void {
    this.world.trace.add(this.world.scheduler.nowUs, node, kind, fields)
  }
}
