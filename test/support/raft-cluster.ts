import type { RaftConfig } from '../../broker/controller/quorum/raft.ts'
import { KafketteError } from '../../src/base/errors.ts'
import type { Latency } from '../../src/sim/latency.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import { RaftChecker } from './raft-checker.ts'
import { CONTROLLER_PORT, RaftNode } from './raft-node.ts'

/** A tenth to a fifth of Kafka's defaults, so that a run takes less virtual time. */
export const FAST_CONFIG: RaftConfig = {
  electionTimeoutMs: 200,
  electionBackoffMaxMs: 200,
  fetchTimeoutMs: 400,
  requestTimeoutMs: 400,
  retryBackoffMs: 10,
  fetchMaxWaitMs: 100,
}

export interface RaftClusterOptions {
  readonly seed: number
  /** Ids 1 to n. */
  readonly voters: number
  /** Ids 101 and up. */
  readonly observers?: number
  readonly config?: Partial<RaftConfig>
  readonly fsyncLatency?: Latency
}

/** Raft nodes on simulated machines, talking over simulated links in real frames, under a checker. */
export class RaftCluster {
  readonly world: SimWorld
  readonly checker = new RaftChecker()
  readonly voterIds: readonly number[]
  readonly ids: readonly number[]
  readonly #config: RaftConfig
  readonly #nodes = new Map<number, RaftNode>()
  #cutsPowerOnCommit = false
  readonly #stopping = new Set<RaftNode>()
  #valueNext = 0

  constructor(options: RaftClusterOptions) {
    this.world = new SimWorld({ seed: options.seed, fsyncLatency: options.fsyncLatency })
    this.#config = { ...FAST_CONFIG, ...options.config }
    this.voterIds = range(1, options.voters)
    this.ids = [...this.voterIds, ...range(101, options.observers ?? 0)]
    this.world.onEvent((event) => {
      const id = Number(event.node.slice('node-'.length))
      this.checker.onEvent(event, id)
      const node = this.#nodes.get(id)
      if (event.kind === 'quorum.elected' && node !== undefined) {
        this.checker.checkLog(id, node.log, true)
      }
      if (event.kind === 'quorum.committed' && this.#cutsPowerOnCommit) {
        this.#cutsPowerOnCommit = false
        this.world.scheduler.after(0, 'power-cut', () => this.cutPower())
      }
    })
  }

  startAll(): void {
    for (const id of this.ids) this.start(id)
  }

  start(id: number): RaftNode {
    const sim = this.world.node(nameOf(id))
    if (!sim.isUp) sim.restart()
    this.checker.onStart(id)
    const voters = this.voterIds.map((nodeId) => ({
      nodeId,
      host: nameOf(nodeId),
      port: CONTROLLER_PORT,
    }))
    const node = new RaftNode({ id, sim, voters, config: this.#config, probe: this.checker })
    this.#nodes.set(id, node)
    return node
  }

  isUp(id: number): boolean {
    return this.#nodes.has(id)
  }

  crash(id: number, losesUnsynced = false): void {
    if (!this.#nodes.delete(id)) return
    this.world.node(nameOf(id)).crash({ losesUnsynced })
  }

  /** All nodes lose their power at once, and start again. */
  cutPower(): void {
    for (const id of this.ids) this.crash(id, true)
    this.startAll()
  }

  /** The same as soon as a node learns of a commit: the worst moment for what is not durable. */
  cutPowerOnNextCommit(): void {
    this.#cutsPowerOnCommit = true
  }

  /** Stops a node in order; it is down when that is done. */
  stop(id: number, losesUnsynced = false): void {
    const node = this.#nodes.get(id)
    if (node === undefined || this.#stopping.has(node)) return
    this.#stopping.add(node)
    node.raft.stop(() => this.crash(id, losesUnsynced))
  }

  /** Crashes the nodes that are still busy with `stop`. */
  endStops(): void {
    for (const node of this.running) if (this.#stopping.has(node)) this.crash(node.id)
  }

  node(id: number): RaftNode {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new Error(`node ${id} is down`)
    return node
  }

  get running(): readonly RaftNode[] {
    return this.ids.flatMap((id) => this.#nodes.get(id) ?? [])
  }

  cut(from: number, to: number): void {
    this.world.network.cut(nameOf(from), nameOf(to))
  }

  /** Cuts both directions between one node and all others. */
  isolate(id: number): void {
    for (const other of this.ids) {
      if (other === id) continue
      this.cut(id, other)
      this.cut(other, id)
    }
  }

  heal(): void {
    this.world.network.healAll()
  }

  /** The node that leads the highest epoch and may append. */
  get leader(): RaftNode | null {
    const active = this.running.filter((node) => node.activeEpoch !== null)
    active.sort((a, b) => b.raft.epoch - a.raft.epoch)
    return active[0] ?? null
  }

  /** Appends on every node that believes to lead, as its controller would; `size` pads the record. */
  propose(size = 0): void {
    for (const node of this.running) {
      if (node.activeEpoch !== null) this.proposeTo(node, size)
    }
  }

  proposeTo(node: RaftNode, size = 0): string {
    const name = `value-${(this.#valueNext += 1)}-${'x'.repeat(size)}`
    try {
      const record = metadataRecord('TopicRecord', { name })
      node.raft.append(node.raft.epoch, [record])
    } catch (error) {
      if (!(error instanceof KafketteError) || error.code !== 'NOT_LEADER') throw error
    }
    return name
  }

  runUntilLeader(limitMs = 10_000): RaftNode {
    const isLed = this.world.runUntil(() => this.leader !== null, limitMs)
    if (!isLed || this.leader === null) throw new Error(`no leader: ${this.describe()}`)
    return this.leader
  }

  /** All running nodes know the same leader and have the same, fully committed log. */
  get isConverged(): boolean {
    const { leader } = this
    if (leader === null) return false
    const end = leader.raft.logEndOffset
    return this.running.every(
      ({ raft }) =>
        raft.epoch === leader.raft.epoch &&
        raft.leaderId === leader.id &&
        raft.logEndOffset === end &&
        raft.highWatermark === end,
    )
  }

  runUntilConverged(limitMs = 20_000): void {
    if (!this.world.runUntil(() => this.isConverged, limitMs)) {
      throw new Error(`no convergence: ${this.describe()}`)
    }
  }

  /** Compares all logs; with `isComplete` each must hold all that is committed. */
  checkLogs(isComplete: boolean): void {
    for (const node of this.running) this.checker.checkLog(node.id, node.log, isComplete)
  }

  describe(): string {
    return this.running
      .map(({ id, raft }) => {
        const { roleKind, epoch, leaderId, highWatermark, logEndOffset } = raft
        return `${id}: ${roleKind} @${epoch} of ${leaderId}, ${highWatermark}/${logEndOffset}`
      })
      .join('; ')
  }
}

export function nameOf(id: number): string {
  return `node-${id}`
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}
