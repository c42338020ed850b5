import { createNode, type BrokerNode, type NodeView } from '../../../broker/index.ts'
import { assert, present } from '../../base/assert.ts'
import { CorruptionError, DiskError, messageOf } from '../../base/errors.ts'
import type { Address } from '../../ports/network.ts'
import { folderOf, type CrashOptions, type SimNode } from '../../sim/sim-node.ts'
import type { SimWorld } from '../../sim/sim-world.ts'
import { CLIENT_PORT, nodesOf, type PlannedNode } from '../plan/cluster-nodes.ts'
import type { ClusterPlan } from '../plan/plan.ts'
import { propertiesOf } from './cluster-defaults.ts'

const CLUSTER_ID = 'SimulatedClusterAAAAAA'
/** An orderly shutdown that takes longer is killed, as service managers do. */
const SHUTDOWN_LIMIT_MS = 10_000

/** What a life of a node began with less than the life before had. */
export interface LifeLosses {
  /** The disk is empty, or an older one. */
  readonly lostDisk: boolean
  /** What was not synced may be gone. */
  readonly lostTail: boolean
}

export type StartListener = (view: NodeView, node: PlannedNode, losses: LifeLosses) => void

interface Member {
  readonly planned: PlannedNode
  readonly machine: SimNode
  readonly properties: Readonly<Record<string, string>>
  /** The running node; null while it is down. */
  node: BrokerNode | null
  lostDisk: boolean
  lostTail: boolean
  /** Its last start was refused, or its last life ended, by what is on its disk. */
  refusal: string | null
  isEnding: boolean
}

/** The nodes of a plan's cluster, one life after the other, in a simulated world. */
export class SimCluster {
  readonly world: SimWorld
  readonly nodes: readonly PlannedNode[]
  readonly bootstrap: readonly Address[]
  /** Views of the nodes that run, by node id. */
  readonly views = new Map<number, NodeView>()
  /** The same by name. */
  readonly viewsByName = new Map<string, NodeView>()
  readonly #members = new Map<string, Member>()
  readonly #startListeners: StartListener[] = []
  readonly #stopListeners: ((node: PlannedNode) => void)[] = []

  constructor(world: SimWorld, plan: ClusterPlan) {
    this.world = world
    this.nodes = nodesOf(plan)
    const brokers = this.nodes.filter(({ isBroker }) => isBroker)
    this.bootstrap = brokers.map(({ name }) => ({ host: name, port: CLIENT_PORT }))
    for (const planned of this.nodes) {
      this.#members.set(planned.name, {
        planned,
        machine: world.node(planned.name),
        properties: propertiesOf(planned, plan, this.nodes),
        node: null,
        lostDisk: false,
        lostTail: false,
        refusal: null,
        isEnding: false,
      })
    }
  }

  /** Hears of every life, before it has run. */
  onStart(listener: StartListener): void {
    this.#startListeners.push(listener)
  }

  /** Hears of the end of every life. */
  onStop(listener: (node: PlannedNode) => void): void {
    this.#stopListeners.push(listener)
  }

  /** Starts all nodes for the first time. */
  start(): void {
    for (const member of this.#members.values()) this.#begin(member)
  }

  has(name: string): boolean {
    return this.#members.has(name)
  }

  machine(name: string): SimNode {
    return this.#member(name).machine
  }

  /** The machine of a node id. */
  machineOf(nodeId: number): SimNode {
    const node = this.nodes.find((each) => each.nodeId === nodeId)
    return this.machine(present(node, `node ${nodeId}`).name)
  }

  planned(name: string): PlannedNode {
    return this.#member(name).planned
  }

  /** Where on the node's disk its log directory of this number lies, from 2 on: the first is the disk itself. */
  logFolder(name: string, index: number): string | null {
    const paths = (this.#member(name).properties['log.dirs'] ?? '').split(',')
    const path = index < 2 ? undefined : paths[index - 1]
    return path === undefined ? null : folderOf(path)
  }

  isRunning(name: string): boolean {
    return this.#member(name).node !== null
  }

  view(name: string): NodeView | null {
    return this.viewsByName.get(name) ?? null
  }

  /** Why the node could not be started the last time, or go on since; null when it could. */
  refusal(name: string): string | null {
    return this.#member(name).refusal
  }

  /** False when it was down already. */
  crash(name: string, options: CrashOptions = {}): boolean {
    const member = this.#member(name)
    if (!member.machine.isUp) return false
    member.machine.crash(options)
    member.lostTail ||= options.losesUnsynced === true
    this.#ended(member)
    return true
  }

  /** False when it was up already. */
  restart(name: string): boolean {
    const member = this.#member(name)
    if (member.machine.isUp) return false
    member.machine.restart()
    this.#begin(member)
    return true
  }

  /** Ends the node in order; `done` when it is down. False when it is down or ending already. */
  shutdown(name: string, done: () => void): boolean {
    const member = this.#member(name)
    const { node, machine } = member
    if (node === null || machine.isPaused || member.isEnding) return false
    member.isEnding = true
    const exit = (): void => {
      if (member.node !== node) return
      this.crash(name)
      done()
    }
    const { scheduler } = this.world
    // The process ends in an event of its own: what calls `done` is still inside the node.
    node.shutdown('controlled', () => {
      scheduler.after(0, 'cluster.exit', exit)
    })
    scheduler.after(SHUTDOWN_LIMIT_MS * 1000, 'cluster.kill', exit)
    return true
  }

  /** Empties the disk and the store of a node that is down. */
  wipe(name: string): void {
    const member = this.#member(name)
    assert(!member.machine.isUp, `wipe of ${name}, which is up`)
    member.machine.wipe()
    this.noteLostDisk(name)
  }

  /** The next life begins with an empty or an older disk. */
  noteLostDisk(name: string): void {
    const member = this.#member(name)
    member.lostDisk = true
    member.refusal = null
  }

  #begin(member: Member): void {
    const { planned, machine, properties } = member
    member.isEnding = false
    let node: BrokerNode
    try {
      node = createNode(
        {
          clusterId: CLUSTER_ID,
          properties,
          onReady: () => undefined,
          onFatal: (error) => this.#onFatal(member, error),
        },
        machine.ports,
      )
    } catch (error) {
      // A fault at a probe may have ended this life within its own start.
      if (!machine.isUp) return
      // What a disk brings up ends the process; all else is a bug and ends the run.
      if (!(error instanceof DiskError || error instanceof CorruptionError)) throw error
      member.refusal = messageOf(error)
      machine.ports.events.emit('node.start-refused', { reason: member.refusal })
      machine.crash()
      return
    }
    if (!machine.isUp) return
    const { lostDisk, lostTail } = member
    member.node = node
    member.refusal = null
    member.lostDisk = false
    member.lostTail = false
    const view = node.view()
    this.views.set(planned.nodeId, view)
    this.viewsByName.set(planned.name, view)
    for (const listener of this.#startListeners) listener(view, planned, { lostDisk, lostTail })
    node.start()
  }

  /** The node cannot go on (its disk failed): a process that exits by itself. */
  #onFatal(member: Member, error: Error): void {
    if (!member.machine.isUp) return
    member.machine.ports.events.emit('node.exited', { reason: messageOf(error) })
    // Logs of partitions are opened once the node has started; what is wrong in them will be so the next time.
    if (error instanceof CorruptionError) member.refusal = messageOf(error)
    this.crash(member.planned.name)
  }

  #ended(member: Member): void {
    member.node = null
    member.isEnding = false
    this.views.delete(member.planned.nodeId)
    this.viewsByName.delete(member.planned.name)
    for (const listener of this.#stopListeners) listener(member.planned)
  }

  #member(name: string): Member {
    return present(this.#members.get(name), `node ${name}`)
  }
}
