import type { Partition } from './replica/partition.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { RoleKind } from './controller/quorum/quorum-state.ts'
import type { PartitionLog } from './log/partition-log.ts'

/** The quorum as one node has it. */
export interface QuorumView {
  readonly isVoter: boolean
  readonly role: RoleKind
  readonly epoch: number
  /** -1: unknown. */
  readonly leaderId: number
  /** Whom this node voted for in `epoch`, as stored; -1: nobody. */
  readonly votedFor: number
  readonly highWatermark: number
  readonly logEndOffset: number
  /** All of the metadata log below is on disk, as far as the node knows: what it may acknowledge. */
  readonly durableEndOffset: number
  /** The metadata log. Read only. */
  readonly log: PartitionLog
}

/**
 * A look into a node that runs, for checks and dashboards: live objects, nothing is copied. Whoever looks
 * must change nothing.
 */
export interface NodeView {
  readonly nodeId: number
  readonly isBroker: boolean
  readonly isController: boolean
  /** -1 until registered, and on a node that is no broker. */
  readonly brokerEpoch: number
  readonly isUnfenced: boolean
  readonly quorum: QuorumView
  /** What this node has applied of the metadata. */
  readonly image: MetadataImage
  /** Null on a node that is no controller. */
  readonly controller: { readonly isActive: boolean; readonly epoch: number } | null
  /** Replicas that this node hosts; empty on a node that is no broker. */
  partitions(): Iterable<Partition>
  partition(key: string): Partition | null
  /** Group state by partition of `__consumer_offsets` that this node coordinates; empty on others. */
  groupShards(): Iterable<GroupShardView>
  /** Transactions by partition of `__transaction_state` that this node coordinates; empty on others. */
  transactionShards(): Iterable<TransactionShardView>
}

/** What a coordinator holds in memory of one partition of `__transaction_state`. */
export interface TransactionShardView {
  readonly partition: number
  readonly leaderEpoch: number
  /** Loaded, and in charge. */
  readonly isActive: boolean
  /** Canonical text of all it holds: equal states, equal text. */
  dump(): string
  transactions(): Iterable<TransactionView>
}

export interface TransactionView {
  readonly transactionalId: string
  readonly state: string
  readonly producerId: number
  readonly producerEpoch: number
  /** As `topic-partition`. */
  readonly partitions: readonly string[]
}

/** What a coordinator holds in memory of one partition of `__consumer_offsets`. */
export interface GroupShardView {
  readonly partition: number
  readonly leaderEpoch: number
  /** Loaded, and in charge. */
  readonly isActive: boolean
  /** Canonical text of all it holds (groups, members, offsets): equal states, equal text. */
  dump(): string
  groups(): Iterable<GroupView>
}

export interface GroupView {
  readonly groupId: string
  readonly state: string
  readonly generation: number
  readonly leader: string | null
  readonly protocol: string | null
  readonly members: readonly string[]
  readonly offsets: ReadonlyMap<string, number>
}
