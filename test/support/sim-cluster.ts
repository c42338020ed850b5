import { createNode } from '../../broker/index.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'

const CLIENT_PORT = 9092
const CONTROLLER_PORT = 9093
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

/** Whole brokers, the same code as over TCP and disk, in a simulated world. */
export class SimCluster {
  readonly world: SimWorld
  readonly nodes: readonly SimNode[]
  readonly events: NodeEvent[] = []
  readonly #ready = new Set<number>()
  readonly #properties: Readonly<Record<string, string>>

  constructor(options: {
    readonly seed: number
    readonly brokers: number
    readonly properties?: Readonly<Record<string, string>>
  }) {
    this.world = new SimWorld({ seed: options.seed })
    this.#properties = { ...PROPERTIES, ...options.properties }
    this.nodes = Array.from({ length: options.brokers }, (_, i) => this.world.node(`b${i + 1}`))
    this.world.onEvent((event) => {
      this.events.push(event)
      if (event.kind === 'quorum.leader-changed') this.#noteController(event)
    })
    for (const id of this.ids) this.#start(id)
  }

  #controllerId = -1
  #controllerEpoch = -1

  get ids(): readonly number[] {
    return this.nodes.map((_, index) => index + 1)
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

  waitReady(limitMs = 20_000): boolean {
    return this.world.runUntil(() => this.ids.every((id) => this.isReady(id)), limitMs)
  }

  crash(id: number, options?: { readonly losesUnsynced?: boolean }): void {
    this.#ready.delete(id)
    this.nodes[id - 1]!.crash(options)
  }

  restart(id: number): void {
    this.nodes[id - 1]!.restart()
    this.#start(id)
  }

  #start(id: number): void {
    const { ports, name } = this.nodes[id - 1]!
    const voters = this.nodes.map((node, index) => `${index + 1}@${node.name}:${CONTROLLER_PORT}`)
    createNode(
      {
        clusterId: CLUSTER_ID,
        properties: {
          ...this.#properties,
          'process.roles': 'broker,controller',
          'node.id': String(id),
          'controller.quorum.voters': voters.join(','),
          'controller.listener.names': 'CONTROLLER',
          listeners: `PLAINTEXT://${name}:${CLIENT_PORT},CONTROLLER://${name}:${CONTROLLER_PORT}`,
        },
        onReady: () => {
          this.#ready.add(id)
        },
        onFatal: (error) => {
          throw error
        },
      },
      ports,
    ).start()
  }

  #noteController({ fields }: NodeEvent): void {
    const { leader, epoch } = fields
    if (typeof leader !== 'number' || typeof epoch !== 'number') return
    if (leader === -1 || epoch < this.#controllerEpoch) return
    this.#controllerEpoch = epoch
    this.#controllerId = leader
  }
}
