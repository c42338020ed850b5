import { assert } from '../src/base/assert.ts'
import type { Offset } from '../src/base/ids.ts'
import { topicPartitionKey } from '../src/base/topic-partition.ts'
import { ErrorCode } from '../src/wire/error-codes.ts'
import type { BrokerPart } from './broker-part.ts'
import type { ControllerPart } from './controller-part.ts'
import type { RoleKind } from './controller/quorum/quorum-state.ts'
import { dumpOfGroups } from './group/group-dump.ts'
import { dumpOfReplay } from './group/group-replay.ts'
import type { GroupCoordinator } from './group/group-coordinator.ts'
import type { GroupShard } from './group/group-shard.ts'
import type { PartitionLog } from './log/partition-log.ts'
import type { MetadataImage } from './metadata/image.ts'
import type {
  GroupShardView,
  GroupView,
  NodeView,
  QuorumView,
  TransactionShardView,
  TransactionView,
} from './node-view.ts'
import type { QuorumPart } from './quorum-part.ts'
import type { Partition } from './replica/partition.ts'
import type { TransactionCoordinator } from './transaction/transaction-coordinator.ts'
import { dumpOfTransactionReplay, dumpOfTransactions } from './transaction/transaction-dump.ts'
import type { TransactionShard } from './transaction/transaction-shard.ts'

export interface ViewedParts {
  readonly nodeId: number
  readonly quorum: QuorumPart
  readonly broker: BrokerPart | null
  readonly controller: ControllerPart | null
}

const NO_PARTITIONS: readonly Partition[] = []
const READ_BYTES = 1024 * 1024

/** Looks through to the parts of a node; nothing is kept, so every look shows the present. */
export class LiveNodeView implements NodeView {
  readonly nodeId: number
  readonly isBroker: boolean
  readonly isController: boolean
  readonly quorum: QuorumView
  readonly controller: ControllerPart | null
  readonly #quorum: QuorumPart
  readonly #broker: BrokerPart | null

  constructor({ nodeId, quorum, broker, controller }: ViewedParts) {
    this.nodeId = nodeId
    this.isBroker = broker !== null
    this.isController = controller !== null
    this.quorum = new LiveQuorumView(quorum)
    this.controller = controller
    this.#quorum = quorum
    this.#broker = broker
  }

  get brokerEpoch(): number {
    return this.#broker?.lifecycle.brokerEpoch ?? -1
  }

  get isUnfenced(): boolean {
    return this.#broker?.lifecycle.isUnfenced ?? false
  }

  get image(): MetadataImage {
    return this.#quorum.publisher.image
  }

  partitions(): Iterable<Partition> {
    return this.#broker?.replicas.hosted() ?? NO_PARTITIONS
  }

  partition(key: string): Partition | null {
    return this.#broker?.replicas.hostedByKey(key) ?? null
  }

  groupShards(): Iterable<GroupShardView> {
    return this.#broker === null ? [] : shardViews(this.#broker.groups)
  }

  transactionShards(): Iterable<TransactionShardView> {
    return this.#broker === null ? [] : transactionShardViews(this.#broker.transactions)
  }
}

class LiveQuorumView implements QuorumView {
  readonly #quorum: QuorumPart

  constructor(quorum: QuorumPart) {
    this.#quorum = quorum
  }

  get isVoter(): boolean {
    return this.#quorum.raft.isVoter
  }

  get role(): RoleKind {
    return this.#quorum.raft.roleKind
  }

  get epoch(): number {
    return this.#quorum.raft.epoch
  }

  get leaderId(): number {
    return this.#quorum.raft.leaderId
  }

  get votedFor(): number {
    return this.#quorum.raft.votedFor
  }

  get highWatermark(): Offset {
    return this.#quorum.raft.highWatermark
  }

  get logEndOffset(): Offset {
    return this.#quorum.raft.logEndOffset
  }

  get durableEndOffset(): Offset {
    return this.#quorum.raft.durableEndOffset
  }

  get log(): PartitionLog {
    return this.#quorum.log
  }
}

/**
 * The dump that a coordinator's memory of a partition of `__consumer_offsets` must have when its log holds what
 * lies below `upTo`: a replay of it into a fresh shard (invariant G5).
 */
export function dumpOfGroupLog(log: PartitionLog, upTo: Offset): string {
  return dumpOfReplay(readerOf(log, upTo), log.logStartOffset, upTo)
}

/** The same for a partition of `__transaction_state`. */
export function dumpOfTransactionLog(log: PartitionLog, upTo: Offset): string {
  return dumpOfTransactionReplay(readerOf(log, upTo), log.logStartOffset, upTo)
}

function readerOf(log: PartitionLog, upTo: Offset): (offset: Offset) => Buffer {
  return (offset) => {
    const request = { offset, maxBytes: READ_BYTES, minOneBatch: true, endOffset: upTo }
    const { error, records } = log.read(request)
    assert(error === ErrorCode.NONE, `${log.directory} cannot be read at ${offset}: ${error}`)
    return records
  }
}

function transactionShardViews(
  transactions: TransactionCoordinator,
): readonly TransactionShardView[] {
  return transactions.slots().map(({ partition, leaderEpoch, status, shard }) => ({
    partition,
    leaderEpoch,
    isActive: status === 'active',
    dump: () => dumpOfTransactions(shard),
    transactions: () => transactionViews(shard),
  }))
}

function transactionViews(shard: TransactionShard): readonly TransactionView[] {
  return [...shard.entries.values()].map(({ transaction }) => ({
    transactionalId: transaction.transactionalId,
    state: transaction.state,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    partitions: [...shard.partitionsOf(transaction)].map(({ topic, partition }) =>
      topicPartitionKey(topic, partition),
    ),
  }))
}

function shardViews(groups: GroupCoordinator): readonly GroupShardView[] {
  return groups.slots().map(({ partition, leaderEpoch, status, shard }) => ({
    partition,
    leaderEpoch,
    isActive: status === 'active',
    dump: () => dumpOfGroups(shard),
    groups: () => groupViews(shard),
  }))
}

function groupViews(shard: GroupShard): readonly GroupView[] {
  return [...shard.groups.values()].map((group) => ({
    groupId: group.groupId,
    state: group.state,
    generation: group.generation,
    leader: group.leaderId,
    protocol: group.protocolName,
    members: [...group.members.keys()],
    offsets: committedOffsets(shard, group.groupId),
  }))
}

/** By `topic-partition`. */
function committedOffsets(shard: GroupShard, groupId: string): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>()
  for (const [topic, partitions] of shard.offsetStore.topicsOf(groupId)) {
    for (const [partition, { offset }] of partitions) offsets.set(`${topic}-${partition}`, offset)
  }
  return offsets
}
