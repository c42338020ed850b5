import type { NodeView } from '../../../broker/index.ts'
import type { Partition } from '../../../broker/replica/partition.ts'
import type { Batch } from './batch.ts'
import type { LogGhost } from './log-ghost.ts'

/** What the checker alone knows of a partition: the truth that no replica needs to have as a whole. */
export class PartitionGhost {
  readonly key: string
  readonly topic: string
  readonly index: number
  readonly topicId: string
  /** Batches of all replicas by place. */
  readonly known = new Map<number, Batch>()
  /** The greatest high watermark that any leader has had (`trueHW`). It never goes back. */
  trueHighWatermark = 0
  /** What was committed, in order; as far as a leader's history was known. */
  readonly committed: Batch[] = []
  /** Who led in which epoch. */
  readonly leaders = new Map<number, number>()
  /** The newest leader epoch that each broker has acted on. */
  readonly epochSeen = new Map<number, number>()
  readonly replicas = new Map<number, ReplicaGhost>()
  /** Some replica may have compacted what lies below: what is there need not be the same everywhere. */
  compactedTo = 0
  /** A leader was elected from outside of the ISR: what was committed before may be lost. */
  isUnclean = false

  constructor(topic: string, index: number, topicId: string) {
    this.topic = topic
    this.index = index
    this.topicId = topicId
    this.key = `${topic}-${index}`
  }
}

/** A replica as it was after the last event of its node, in one life of the node. */
export class ReplicaGhost {
  readonly nodeId: number
  readonly partition: Partition
  readonly ghost: PartitionGhost
  readonly log: LogGhost
  /** Its disk lost something before this life, so it need not hold what it once had. */
  hasLostPast: boolean
  highWatermark = -1
  logStartOffset = -1
  leaderEpoch = -1
  isLeader = false
  /** Of a leader, as it was when it was last looked at. */
  maximalIsr: ReadonlySet<number> | null = null

  constructor(options: {
    readonly nodeId: number
    readonly partition: Partition
    readonly ghost: PartitionGhost
    readonly log: LogGhost
    readonly hasLostPast: boolean
  }) {
    this.nodeId = options.nodeId
    this.partition = options.partition
    this.ghost = options.ghost
    this.log = options.log
    this.hasLostPast = options.hasLostPast
  }

  get name(): string {
    return `${this.ghost.key} on node ${this.nodeId}`
  }
}

/** What a check of replicas is told. The replica's ghost still has the state before, its partition the new one. */
export interface ReplicaObserver {
  /** First seen in this life, with what its log holds. */
  onReplica?(replica: ReplicaGhost, node: NodeView): void
  /** A new leader epoch or another role. */
  onRole?(replica: ReplicaGhost, node: NodeView): void
  /** The leader waits for another set of replicas. */
  onInSync?(replica: ReplicaGhost): void
  /** `replica.log.batches` from this index on are new. */
  onAppended?(replica: ReplicaGhost, fromIndex: number): void
  /** The broker has cut its log at `to`; `replica.log` still has the batches that went. */
  onTruncating?(replica: ReplicaGhost, to: number): void
  onHighWatermark?(replica: ReplicaGhost, before: number, now: number): void
  onLogStart?(replica: ReplicaGhost, before: number, now: number): void
  /** The ghost's high watermark and committed batches have moved. `fromIndex` into `committed`. */
  onCommitted?(ghost: PartitionGhost, fromIndex: number): void
}
