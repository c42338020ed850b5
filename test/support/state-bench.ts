import type {
  GroupShardView,
  NodeView,
  QuorumView,
  TransactionShardView,
} from '../../broker/index.ts'
import { parseBrokerConfig } from '../../broker/config.ts'
import { PartitionLog } from '../../broker/log/partition-log.ts'
import { MetadataImage } from '../../broker/metadata/image.ts'
import type { BrokerRegistration, PartitionState } from '../../broker/metadata/image.ts'
import { Partition } from '../../broker/replica/partition.ts'
import { topicConfigOf } from '../../broker/replica/topic-config.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import { History } from '../../src/chaos/history/history.ts'
import type { InvariantId } from '../../src/chaos/invariants.ts'
import { createStateChecks } from '../../src/chaos/state/create-state-checks.ts'
import type { ClusterState, StateCheck, StateReport } from '../../src/chaos/state/state-check.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { encodeMetadataRecord, metadataRecord } from '../../src/wire/metadata-record.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { openMetadataLog } from './metadata-log.ts'

export const TOPIC = 'orders'
export const TOPIC_ID = 'AbcdefghijklmnopqrstuA'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** What a test lets a node say of itself; logs and replicas are real ones on simulated disks. */
export class BenchNode implements NodeView {
  readonly nodeId: number
  readonly isBroker = true
  readonly isController = true
  readonly controller = null
  readonly ports: NodePorts
  readonly quorum: Writable<QuorumView>
  readonly hosted = new Map<string, Partition>()
  image = new MetadataImage()
  brokerEpoch: number
  isUnfenced = true
  shards: GroupShardView[] = []
  readonly #bench: StateBench

  constructor(bench: StateBench, nodeId: number) {
    this.#bench = bench
    this.nodeId = nodeId
    this.brokerEpoch = 100 + nodeId
    const { ports } = bench.world.node(`n${nodeId}`)
    const events = {
      emit: (kind: string, fields: Parameters<NodePorts['events']['emit']>[1]): void =>
        bench.emit(nodeId, kind, fields),
    }
    this.ports = { ...ports, events }
    const log = openMetadataLog(this.ports)
    this.quorum = {
      isVoter: true,
      role: 'follower',
      epoch: 0,
      leaderId: -1,
      votedFor: -1,
      highWatermark: 0,
      get logEndOffset() {
        return log.logEndOffset
      },
      durableEndOffset: Infinity,
      log,
    }
  }

  partitions(): Iterable<Partition> {
    return this.hosted.values()
  }

  partition(key: string): Partition | null {
    return this.hosted.get(key) ?? null
  }

  groupShards(): Iterable<GroupShardView> {
    return this.shards
  }

  transactionShards(): Iterable<TransactionShardView> {
    return []
  }

  /** Hosts a replica of the topic's partition 0, or of another one's. */
  host(topic = TOPIC, minIsr = 2, isCleanShutdown = false): Partition {
    const config = topicConfigOf(
      parseBrokerConfig({
        'controller.listener.names': 'CONTROLLER',
        'node.id': String(this.nodeId),
        'process.roles': 'broker',
      }),
      new Map([['min.insync.replicas', String(minIsr)]]),
    )
    const { disk, clock, events } = this.ports
    const log = PartitionLog.open({
      disk,
      directory: `${topic}-0`,
      topic,
      partition: 0,
      topicId: TOPIC_ID,
      config: config.log,
      recoveryPoint: 0,
      isCleanShutdown,
      nowMs: clock.wallMs(),
      events,
    })
    const partition = new Partition({
      topic,
      partition: 0,
      log,
      config,
      surroundings: {
        brokerId: this.nodeId,
        brokerEpoch: () => this.brokerEpoch,
        clock,
        events,
        replicaLagTimeMaxMs: 10_000,
        broker: (id) => registration(id),
        proposeIsr: () => undefined,
        changed: () => undefined,
      },
    })
    this.hosted.set(partition.key, partition)
    this.#bench.look(this.nodeId)
    return partition
  }
}

/** All state checks over nodes whose every move is the test's. */
export class StateBench implements StateReport {
  readonly world = new SimWorld({ seed: 5 })
  readonly nodes = new Map<number, BenchNode>()
  readonly budget = { holdsDurability: true, isUnclean: false, holdsQuorum: true }
  readonly messages: string[] = []
  readonly counts = new Map<InvariantId, number>()
  isMetadataLost = false
  readonly history = new History(() => this.world.scheduler.nowMs)
  readonly checks: readonly StateCheck[]
  /** A node is in the middle of a step until the test lets the checks look. */
  #isQuiet = false

  constructor(options: { readonly readsFiles?: boolean; readonly nodes?: number } = {}) {
    const { readsFiles = true } = options
    const state: ClusterState = {
      nowMs: () => this.world.scheduler.nowMs,
      nodes: this.nodes,
      budget: this.budget,
      ...(readsFiles ? { readFile: this.#readFile } : {}),
    }
    this.checks = createStateChecks(state, this)
    this.history.onEntry((entry) => {
      for (const check of this.checks) check.onHistory?.(entry)
    })
    for (let id = 1; id <= (options.nodes ?? 3); id += 1) this.begin(id)
  }

  /** A new life of a node. */
  begin(nodeId: number, life: { lostDisk?: boolean; lostTail?: boolean } = {}): BenchNode {
    this.#isQuiet = true
    const node = new BenchNode(this, nodeId)
    this.#isQuiet = false
    this.nodes.set(nodeId, node)
    const { lostDisk = false, lostTail = false } = life
    for (const check of this.checks) check.onStart?.(node, { lostDisk, lostTail })
    return node
  }

  node(nodeId: number): BenchNode {
    return this.nodes.get(nodeId)!
  }

  emit(nodeId: number, kind: string, fields: Parameters<NodePorts['events']['emit']>[1]): void {
    if (this.#isQuiet) return
    const event = { atMs: this.world.scheduler.nowMs, node: `n${nodeId}`, kind, fields }
    for (const check of this.checks) check.onEvent?.(event)
  }

  /** The end of a step of each of these nodes. */
  look(...nodeIds: number[]): void {
    for (const id of nodeIds) {
      for (const check of this.checks) check.afterNode?.(this.node(id))
    }
  }

  metadataLost(): void {
    this.isMetadataLost = true
  }

  barrier(): void {
    for (const check of this.checks) check.atBarrier?.()
  }

  end(): void {
    for (const check of this.checks) check.atEnd?.()
  }

  violated(invariant: InvariantId, message: string): void {
    this.messages.push(`${invariant}: ${message}`)
  }

  evaluated(invariant: InvariantId): void {
    this.counts.set(invariant, this.count(invariant) + 1)
  }

  count(invariant: InvariantId): number {
    return this.counts.get(invariant) ?? 0
  }

  /** Invariants that were found broken, each once, in the order of the finds. */
  get broken(): readonly string[] {
    return [...new Set(this.messages.map((message) => message.slice(0, message.indexOf(':'))))]
  }

  /** Three replicas, led by node 1 in epoch 1, seen by the checks. */
  replicas(): readonly Partition[] {
    const hosted = [1, 2, 3].map((id) => this.node(id).host())
    hosted.forEach((partition, index) => {
      if (index === 0) partition.makeLeader(stateOf({}))
      else partition.makeFollower(stateOf({}))
    })
    this.look(1, 2, 3)
    return hosted
  }

  /** Appends on the metadata log of a leader; looked at. */
  write(nodeId: number, epoch: number, records: readonly MetadataRecord[]): number {
    const { log } = this.node(nodeId).quorum
    const values = records.map((record) => ({ key: null, value: encodeMetadataRecord(record) }))
    const batch = writeBatch({ records: values, timestampMs: 1, partitionLeaderEpoch: epoch })
    const base = log.logEndOffset
    log.appendAsLeader(batch, { leaderEpoch: epoch, nowMs: 1, origin: 'raft' })
    this.look(nodeId)
    return base
  }

  /** Copies what `from` has and `to` has not of the metadata log. */
  replicate(from: number, to: number): void {
    const target = this.node(to).quorum.log
    target.appendAsFollower(bytesOf(this.node(from).quorum.log, target.logEndOffset), 1)
    this.look(to)
  }

  /** The metadata leader has heard that all below is on a majority. */
  commit(nodeId: number, highWatermark: number): void {
    const { quorum } = this.node(nodeId)
    quorum.highWatermark = highWatermark
    this.emit(nodeId, 'quorum.committed', { highWatermark })
    this.look(nodeId)
  }

  elect(nodeId: number, epoch: number, granting: readonly number[] = [1, 2]): void {
    Object.assign(this.node(nodeId).quorum, { role: 'leader', epoch, leaderId: nodeId })
    this.node(nodeId).quorum.votedFor = nodeId
    for (const id of granting) {
      Object.assign(this.node(id).quorum, { epoch, votedFor: nodeId })
    }
    this.emit(nodeId, 'quorum.elected', { epoch, leader: nodeId, granting })
    this.look(...new Set([nodeId, ...granting]))
  }

  readonly #readFile = (nodeId: number, path: string, position: number, length: number): Buffer => {
    const { disk } = this.world.node(`n${nodeId}`)
    return disk.tree.exists(path) ? disk.tree.open(path).read(position, length) : Buffer.alloc(0)
  }
}

/** A log's bytes from `offset` on. */
export function bytesOf(log: PartitionLog, offset: number): Buffer {
  const endOffset = log.logEndOffset
  const { records } = log.read({ offset, maxBytes: 1_000_000, minOneBatch: true, endOffset })
  return Buffer.from(records)
}

export function stateOf(change: Partial<PartitionState>): PartitionState {
  return {
    topic: TOPIC,
    topicId: TOPIC_ID,
    partition: 0,
    replicas: [1, 2, 3],
    isr: [1, 2, 3],
    leader: 1,
    leaderEpoch: 1,
    partitionEpoch: 1,
    leaderRecoveryState: 0,
    addingReplicas: [],
    removingReplicas: [],
    directories: [],
    ...change,
  }
}

/** A producer's batch; `sequence` -1: not idempotent. */
export function producedBatch(values: readonly string[], sequence = -1, epoch = 0): Buffer {
  const session =
    sequence === -1 ? {} : { producerId: 7, producerEpoch: epoch, baseSequence: sequence }
  return writeBatch({
    records: values.map((value) => ({ key: null, value: Buffer.from(value) })),
    timestampMs: 1_700_000_000_000,
    ...session,
  })
}

/** Appends on the leader; returns its bytes as a follower would get them. */
export function produce(leader: Partition, batch: Buffer): Buffer {
  const from = leader.log.logEndOffset
  leader.appendAsLeader(batch, 1, 'client')
  return bytesOf(leader.log, from)
}

export function follow(follower: Partition, records: Buffer, highWatermark = 0): void {
  const { leaderEpoch } = follower
  follower.appendAsFollower({ leaderEpoch, records, highWatermark, logStartOffset: 0 })
}

/** The leader hears a fetch of this offset. */
export function fetched(leader: Partition, brokerId: number, offset: number): void {
  const brokerEpoch = 100 + brokerId
  const { leaderEpoch } = leader
  leader.onFollowerFetch({ brokerId, brokerEpoch, leaderEpoch, offset, logStartOffset: 0 })
}

/** Metadata of the brokers 1 to 3, unfenced, and of the topic. */
export function clusterRecords(isr: readonly number[] = [1, 2, 3]): readonly MetadataRecord[] {
  return [
    ...[1, 2, 3].map((brokerId) => registered(brokerId, 100 + brokerId, ZERO_UUID, false)),
    metadataRecord('TopicRecord', { name: TOPIC, topicId: TOPIC_ID }),
    metadataRecord('PartitionRecord', {
      partitionId: 0,
      topicId: TOPIC_ID,
      replicas: [1, 2, 3],
      isr: [...isr],
      removingReplicas: [],
      addingReplicas: [],
      leader: isr[0],
      leaderEpoch: 1,
      partitionEpoch: 1,
      directories: [],
    }),
  ]
}

export function registered(
  brokerId: number,
  brokerEpoch: number,
  incarnationId: string,
  fenced: boolean,
): MetadataRecord {
  return metadataRecord('RegisterBrokerRecord', {
    brokerId,
    brokerEpoch,
    incarnationId,
    fenced,
    endPoints: [],
    features: [],
    rack: null,
    logDirs: [],
  })
}

export function partitionChanged(
  change: Partial<{ isr: number[]; leader: number; leaderRecoveryState: number }>,
): MetadataRecord {
  return metadataRecord('PartitionChangeRecord', {
    partitionId: 0,
    topicId: TOPIC_ID,
    ...change,
  })
}

function registration(id: number): BrokerRegistration {
  return {
    id,
    epoch: 100 + id,
    incarnationId: ZERO_UUID,
    isFenced: false,
    isInControlledShutdown: false,
    rack: null,
    listeners: [],
    features: [],
    logDirs: [],
    registrationOffset: 0,
  }
}
