import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { OffsetCommitRequestPartition } from '../../src/wire/messages/08-offset-commit.ts'
import type { OffsetDeleteRequest } from '../../src/wire/messages/47-offset-delete.ts'
import type { CoordinatorRecord, Outcome, TransactionalProducer } from '../coordinator/outcome.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupConfig } from './group-config.ts'
import type { CommittedOffset, OffsetStore } from './offset-store.ts'
import type { Rebalance } from './rebalance.ts'
import { offsetCommitRecord, offsetTombstone } from './records.ts'

/** OffsetCommit learned to say GROUP_ID_NOT_FOUND. */
const GROUP_ID_NOT_FOUND_VERSION = 9
const NO_RETENTION = -1
const NO_OFFSET = -1
const NO_EPOCH = -1
const NO_METADATA = ''

/** An OffsetCommit whose topics are known by name. */
export interface Commit {
  readonly version: number
  readonly groupId: string
  readonly generation: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** How long the client wants its offsets kept (v2-4), -1 for the broker's setting. */
  readonly retentionMs: number
  readonly topics: readonly CommitTopic[]
}

/** Offsets that are to be committed with a producer's transaction (TxnOffsetCommit). */
export interface TransactionalCommit {
  readonly commit: Commit
  readonly producer: TransactionalProducer
}

export interface CommitTopic {
  readonly name: string
  readonly topicId: Uuid | null
  readonly partitions: readonly OffsetCommitRequestPartition[]
}

export interface CommitTopicResult {
  readonly name: string
  readonly partitions: readonly { partitionIndex: number; errorCode: ErrorCode }[]
}

/** NONE and what became of each partition, or why nothing was committed. */
export interface CommitResult {
  readonly error: ErrorCode
  readonly topics: readonly CommitTopicResult[]
}

/** Which offsets are asked for; null topics are all that are committed. */
export interface OffsetQuery {
  readonly groupId: string
  readonly topics:
    | readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
    | null
  /** Refuses offsets that an open transaction may change. */
  readonly requireStable: boolean
}

export interface FetchedOffset {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: ErrorCode
}

export interface FetchedTopic {
  readonly name: string
  readonly partitions: FetchedOffset[]
}

export interface OffsetHandlerOptions {
  readonly config: GroupConfig
  readonly clock: Clock
  readonly rebalance: Rebalance
  readonly store: OffsetStore
  readonly findGroup: (groupId: string) => ClassicGroup | null
}

/** Commits, looks up, deletes and expires the offsets of the groups of one partition. */
export class OffsetHandler {
  readonly #options: OffsetHandlerOptions

  constructor(options: OffsetHandlerOptions) {
    this.#options = options
  }

  commit(commit: Commit): Outcome<CommitResult> {
    const group = this.#options.findGroup(commit.groupId)
    const error = commitRefusal(group, commit)
    this.#options.rebalance.tellRefusal(commit.groupId, 'commit', error)
    if (error !== ErrorCode.NONE) return { records: [], answer: { error, topics: [] } }
    this.#keepSession(group, commit.memberId)
    const records: CoordinatorRecord[] = []
    const topics = this.#commitTopics(commit, records)
    return { records, answer: { error, topics } }
  }

  /**
   * The same records as part of a producer's transaction: they count when it is committed. It proves no session, and a
   * rebalance does not stand in its way.
   */
  commitTransactional({ commit, producer }: TransactionalCommit): Outcome<CommitResult> {
    const group = this.#options.findGroup(commit.groupId)
    const error = transactionalRefusal(group, commit)
    this.#options.rebalance.tellRefusal(commit.groupId, 'txn-commit', error)
    if (error !== ErrorCode.NONE) return { records: [], answer: { error, topics: [] } }
    const records: CoordinatorRecord[] = []
    const topics = this.#commitTopics(commit, records)
    return { records, producer, answer: { error, topics } }
  }

  fetch({ groupId, topics, requireStable }: OffsetQuery): FetchedTopic[] {
    const { store } = this.#options
    const wanted =
      topics ??
      [...store.topicsOf(groupId)].map(([name, partitions]) => ({
        name,
        partitionIndexes: [...partitions.keys()],
      }))
    return wanted.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        if (requireStable && store.isPending(groupId, name, partitionIndex)) {
          return fetchedOffset(partitionIndex, null, ErrorCode.UNSTABLE_OFFSET_COMMIT)
        }
        return fetchedOffset(partitionIndex, store.get(groupId, name, partitionIndex))
      }),
    }))
  }

  /** Deletes offsets one by one; those of topics that the group still reads are kept. */
  delete({ groupId, topics }: OffsetDeleteRequest): Outcome<CommitResult> {
    const group = this.#options.findGroup(groupId)
    const error = deleteRefusal(group)
    if (group === null || error !== ErrorCode.NONE) {
      return { records: [], answer: { error, topics: [] } }
    }
    const records: CoordinatorRecord[] = []
    const results = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        if (group.isSubscribedTo(name)) {
          return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
        }
        if (this.#isKnown(groupId, name, partitionIndex)) {
          records.push(offsetTombstone({ group: groupId, topic: name, partition: partitionIndex }))
        }
        return { partitionIndex, errorCode: ErrorCode.NONE }
      }),
    }))
    return { records, answer: { error, topics: results } }
  }

  /** Tombstones for everything the group has committed or holds in open transactions. */
  tombstonesOf(groupId: string): CoordinatorRecord[] {
    const { store } = this.#options
    const keys = new Map<string, TopicPartition>()
    for (const topics of [store.topicsOf(groupId), ...store.pendingTopicsOf(groupId)]) {
      for (const [topic, partitions] of topics) {
        for (const partition of partitions.keys()) {
          keys.set(`${topic} ${partition}`, { topic, partition })
        }
      }
    }
    return [...keys.values()].map((key) => offsetTombstone({ group: groupId, ...key }))
  }

  /**
   * Tombstones for the group's expired offsets, added to `records`. True when the group has no others
   * and no open transaction.
   */
  expire(group: ClassicGroup, records: CoordinatorRecord[]): boolean {
    const { store, clock } = this.#options
    const { groupId } = group
    const topics = store.topicsOf(groupId)
    const baseOf = expiryBase(group)
    if (topics.size > 0 && baseOf === null) return false
    let isNothingLeft = store.pendingTopicsOf(groupId).length === 0
    for (const [topic, partitions] of topics) {
      const isSubscribed = group.isSubscribedTo(topic)
      for (const [partition, offset] of partitions) {
        const isKept =
          isSubscribed ||
          baseOf === null ||
          store.isPending(groupId, topic, partition) ||
          !this.#isExpired(offset, baseOf(offset), clock.wallMs())
        if (isKept) isNothingLeft = false
        else records.push(offsetTombstone({ group: groupId, topic, partition }))
      }
    }
    return isNothingLeft
  }

  /** Tombstones for the offsets of partitions that no longer exist. */
  dropPartitions(dropped: readonly TopicPartition[]): CoordinatorRecord[] {
    const { store } = this.#options
    const records: CoordinatorRecord[] = []
    for (const groupId of store.groupIds) {
      for (const { topic, partition } of dropped) {
        if (!this.#isKnown(groupId, topic, partition)) continue
        records.push(offsetTombstone({ group: groupId, topic, partition }))
      }
    }
    return records
  }

  #commitTopics(commit: Commit, records: CoordinatorRecord[]): readonly CommitTopicResult[] {
    return commit.topics.map((topic) => ({
      name: topic.name,
      partitions: topic.partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: this.#commitPartition(commit, topic, partition, records),
      })),
    }))
  }

  #commitPartition(
    { groupId, retentionMs }: Commit,
    { name, topicId }: CommitTopic,
    partition: OffsetCommitRequestPartition,
    records: CoordinatorRecord[],
  ): ErrorCode {
    const { config, clock } = this.#options
    const metadata = partition.committedMetadata ?? NO_METADATA
    if (metadata.length > config.offsetMetadataMaxBytes) return ErrorCode.OFFSET_METADATA_TOO_LARGE
    const nowMs = clock.wallMs()
    const key = { group: groupId, topic: name, partition: partition.partitionIndex }
    const value = {
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata,
      commitTimestamp: nowMs,
      topicId: topicId ?? ZERO_UUID,
      ...(retentionMs !== NO_RETENTION && {
        // A client may ask for longer than a record can say.
        expireTimestamp: Math.min(nowMs + retentionMs, Number.MAX_SAFE_INTEGER),
      }),
    }
    records.push(offsetCommitRecord(key, value))
    return ErrorCode.NONE
  }

  /** A commit shows that the member lives, but during the sync phase that proves nothing. */
  #keepSession(group: ClassicGroup | null, memberId: string): void {
    const member = group?.members.get(memberId)
    if (group === null || member === undefined) return
    if (group.state === 'Stable' || group.state === 'PreparingRebalance') {
      this.#options.rebalance.keepAlive(group, member)
    }
  }

  #isKnown(groupId: string, topic: string, partition: number): boolean {
    const { store } = this.#options
    return (
      store.get(groupId, topic, partition) !== null || store.isPending(groupId, topic, partition)
    )
  }

  #isExpired(offset: CommittedOffset, baseMs: number, nowMs: number): boolean {
    if (offset.expireTimestampMs !== NO_RETENTION) return nowMs >= offset.expireTimestampMs
    return nowMs - baseMs >= this.#options.config.offsetsRetentionMs
  }
}

/** NONE when a commit may be taken: from the current generation, or from outside of group management. */
function commitRefusal(group: ClassicGroup | null, commit: Commit): ErrorCode {
  const { generation, memberId, groupInstanceId, version } = commit
  if (group === null) {
    if (generation < 0) return ErrorCode.NONE
    return version >= GROUP_ID_NOT_FOUND_VERSION
      ? ErrorCode.GROUP_ID_NOT_FOUND
      : ErrorCode.ILLEGAL_GENERATION
  }
  if (generation < 0 && group.state === 'Empty') return ErrorCode.NONE
  if (generation < 0 && memberId === '' && groupInstanceId === null) {
    return ErrorCode.UNKNOWN_MEMBER_ID
  }
  const error = group.validateMember(memberId, groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  if (generation !== group.generation) return ErrorCode.ILLEGAL_GENERATION
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/**
 * Old transactional producers tell neither member nor generation, and are believed; what is told must be true. The
 * errors are older than those of OffsetCommit.
 */
function transactionalRefusal(group: ClassicGroup | null, commit: Commit): ErrorCode {
  const { generation, memberId, groupInstanceId } = commit
  if (group === null) return generation < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  if (generation < 0 && group.state === 'Empty') return ErrorCode.NONE
  if (generation < 0 && memberId === '' && groupInstanceId === null) return ErrorCode.NONE
  const error = group.validateMember(memberId, groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  return generation === group.generation ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}

function deleteRefusal(group: ClassicGroup | null): ErrorCode {
  if (group === null) return ErrorCode.GROUP_ID_NOT_FOUND
  // The topics of other protocols' members are not known, so nothing of theirs can be deleted safely.
  return group.state === 'Empty' || group.usesConsumerProtocol
    ? ErrorCode.NONE
    : ErrorCode.NON_EMPTY_GROUP
}

/** From when on the retention of an offset counts (KIP-211); null when nothing of the group expires. */
function expiryBase(group: ClassicGroup): ((offset: CommittedOffset) => number) | null {
  const sinceCommit = (offset: CommittedOffset): number => offset.commitTimestampMs
  if (group.protocolType === null) return sinceCommit
  if (group.state === 'Empty') {
    return group.stateTimestampMs < 0 ? sinceCommit : () => group.stateTimestampMs
  }
  const isReadable = group.usesConsumerProtocol && group.subscribedTopics !== null
  return isReadable && group.state === 'Stable' ? sinceCommit : null
}

function fetchedOffset(
  partitionIndex: number,
  offset: CommittedOffset | null,
  errorCode: ErrorCode = ErrorCode.NONE,
): FetchedOffset {
  return {
    partitionIndex,
    committedOffset: offset?.offset ?? NO_OFFSET,
    committedLeaderEpoch: offset?.leaderEpoch ?? NO_EPOCH,
    metadata: offset?.metadata ?? NO_METADATA,
    errorCode,
  }
}
