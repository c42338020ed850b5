import { createNode, type BrokerNode, type NodeView } from '../../broker/index.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'

const CLIENT_PORT = 9092
const CONTROLLER_PORT = 9093
/** Ids of controllers that are nodes of their own follow it, as `c1` is 101. */
const CONTROLLER_ID_BASE = 100
const CLUSTER_ID = 'SimulatedClusterAAAAAA'

/** Short time-outs: a simulated minute costs, and nothing here is slow. */
const PROPERTIES: Readonly<Record<string, string>> = {
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1500',
  'controller.quorum.election.timeout.ms': '300',
  'controller.quorum.fetch.timeout.ms': '800',
  'controller.quorum.request.timeout.ms': '800',
  'replica.lag.time.max.ms': '3000',
  'replica.fetch.backoff.ms': '100',
  'offsets.topic.replication.factor': '3',
  'offsets.topic.num.partitions': '2',
  'auto.create.topics.enable': 'false',
}

export interface SimClusterOptions {
  readonly seed: number
  readonly brokers: number
  /** Controllers as nodes of their own, `c1` and so on; none: every broker is a controller too. */
  readonly controllers?: number
  readonly properties?: Readonly<Record<string, string>>
}

/** Whole nodes, the same code as over TCP and disk, in a simulated world. */
export class SimCluster {
  readonly world: SimWorld
  /** The brokers. */
  readonly nodes: readonly SimNode[]
  readonly controllers: readonly SimNode[]
  readonly events: NodeEvent[] = []
  readonly #ready = new Set<number>()
  readonly #running = new Map<number, BrokerNode>()
  readonly #properties: Readonly<Record<string, string>>
  #controllerId = -1
  #controllerEpoch = -1

  constructor(options: SimClusterOptions) {
    const { seed, brokers, controllers = 0 } = options
    this.world = new SimWorld({ seed })
    this.#properties = { ...PROPERTIES, ...options.properties }
    this.nodes = Array.from({ length: brokers }, (_, i) => this.world.node(`b${i + 1}`))
    this.controllers = Array.from({ length: controllers }, (_, i) => this.world.node(`c${i + 1}`))
    this.world.onEvent((event) => {
      this.events.push(event)
      if (event.kind === 'quorum.leader-changed') this.#noteController(event)
    })
    for (const id of this.allIds) this.#start(id)
  }

  /** Of the brokers. */
  get ids(): readonly number[] {
    return this.nodes.map((_, index) => index + 1)
  }

  get controllerIds(): readonly number[] {
    if (this.controllers.length === 0) return this.ids
    return this.controllers.map((_, index) => CONTROLLER_ID_BASE + index + 1)
  }

  get allIds(): readonly number[] {
    return [...new Set([...this.controllerIds, ...this.ids])].toSorted((a, b) => a - b)
  }

  /** The last node that the quorum is known to have elected. */
  get controllerId(): number {
    return this.#controllerId
  }

  bootstrap(): { host: string; port: number }[] {
    return this.nodes.map(({ name }) => ({ host: name, port: CLIENT_PORT }))
  }

  isReady(id: number): boolean {
    return this.#ready.has(id)
  }

  view(id: number): NodeView {
    return this.#running.get(id)!.view()
  }

  waitReady(limitMs = 20_000): boolean {
    return this.world.runUntil(() => this.allIds.every((id) => this.isReady(id)), limitMs)
  }

  crash(id: number, options?: { readonly losesUnsynced?: boolean }): void {
    this.#ready.delete(id)
    this.#node(id).crash(options)
  }

  restart(id: number): void {
    this.#node(id).restart()
    this.#start(id)
  }

  /** Ends a node in order; `isEnded` tells when. */
  shutdown(id: number): { readonly isEnded: boolean } {
    const state = { isEnded: false }
    this.#running.get(id)!.shutdown('controlled', () => (state.isEnded = true))
    return state
  }

  #node(id: number): SimNode {
    return id > CONTROLLER_ID_BASE
      ? this.controllers[id - CONTROLLER_ID_BASE - 1]!
      : this.nodes[id - 1]!
  }

  #start(id: number): void {
    const { ports, name } = this.#node(id)
    const isController = this.controllerIds.includes(id)
    const isBroker = this.ids.includes(id)
    const voters = this.controllerIds.map(
      (voter) => `${voter}@${this.#node(voter).name}:${CONTROLLER_PORT}`,
    )
    const listeners = [
      ...(isBroker ? [`PLAINTEXT://${name}:${CLIENT_PORT}`] : []),
      ...(isController ? [`CONTROLLER://${name}:${CONTROLLER_PORT}`] : []),
    ]
    const roles = [...(isBroker ? ['broker'] : []), ...(isController ? ['controller'] : [])]
    const node = createNode(
      {
        clusterId: CLUSTER_ID,
        properties: {
          ...this.#properties,
          'process.roles': roles.join(','),
          'node.id': String(id),
          'controller.quorum.voters': voters.join(','),
          'controller.listener.names': 'CONTROLLER',
          listeners: listeners.join(','),
        },
        onReady: () => {
          this.#ready.add(id)
        },
        onFatal: (error) => {
          throw error
        },
      },
      ports,
    )
    this.#running.set(id, node)
    node.start()
  }

  #noteController({ fields }: NodeEvent): void {
    const { leader, epoch } = fields
    if (typeof leader !== 'number' || typeof epoch !== 'number') return
    if (leader === -1 || epoch < this.#controllerEpoch) return
    this.#controllerEpoch = epoch
    this.#controllerId = leader
  }
}
