import type { LeaderEpoch } from '../../src/base/ids.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import { coordinatorPartition } from '../../src/wire/java-hash.ts'
import type {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../src/wire/messages/08-offset-commit.ts'
import type {
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../../src/wire/messages/09-offset-fetch.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../src/wire/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/wire/messages/12-heartbeat.ts'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
} from '../../src/wire/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../src/wire/messages/14-sync-group.ts'
import type {
  DescribedGroup,
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '../../src/wire/messages/15-describe-groups.ts'
import type {
  ListedGroup,
  ListGroupsRequest,
  ListGroupsResponse,
} from '../../src/wire/messages/16-list-groups.ts'
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
} from '../../src/wire/messages/28-txn-offset-commit.ts'
import type {
  DeleteGroupsRequest,
  DeleteGroupsResponse,
} from '../../src/wire/messages/42-delete-groups.ts'
import type {
  OffsetDeleteRequest,
  OffsetDeleteResponse,
} from '../../src/wire/messages/47-offset-delete.ts'
import type { Input } from '../../src/wire/schema.ts'
import { coordinatorError } from '../coordinator/append-error.ts'
import type { CoordinatorLog } from '../coordinator/log-port.ts'
import type { TransactionEnd } from '../coordinator/outcome.ts'
import { CoordinatorRuntime, type PartitionStatus, type ShardSlot } from '../coordinator/runtime.ts'
import type { ShardRequest } from '../coordinator/shard-host.ts'
import { gather } from './gather.ts'
import type { GroupConfig } from './group-config.ts'
import { GroupShard } from './group-shard.ts'
import { describeGroup, describeUnknown, listGroups, undescribed } from './group-views.ts'
import { joinErrorWith } from './join.ts'
import {
  joinFetched,
  splitCommit,
  splitFetch,
  splitTransactionalCommit,
  type GroupFetch,
} from './offset-requests.ts'
import type { CommitResult } from './offsets.ts'
import { syncError } from './rebalance.ts'
import type { TopicDirectory } from './topic-directory.ts'

/** JoinGroup takes a rebalance timeout from here on; before, it is the session timeout. */
const REBALANCE_TIMEOUT_VERSION = 1
/** JoinGroup answers may leave the protocol out from here on. */
const NULLABLE_PROTOCOL_VERSION = 7
/** SyncGroup must name the protocol from here on (KIP-559). */
const SYNC_PROTOCOL_VERSION = 5
/** LeaveGroup names several members from here on (KIP-345). */
const LEAVE_MEMBERS_VERSION = 3
/** TxnOffsetCommit: the versions from which clients know of loading, of aborting, and leave adding to the broker. */
const TXN_LOADING_VERSION = 2
const ABORTABLE_VERSION = 4
const IMPLICIT_TRANSACTION_VERSION = 5
/** DeleteGroups explains its errors from here on. */
const DELETE_MESSAGE_VERSION = 3

export interface GroupCoordinatorOptions {
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly config: GroupConfig
  readonly topics: TopicDirectory
  /** Partitions of `__consumer_offsets`; 0 as long as it does not exist. */
  readonly partitionCount: () => number
  /**
   * Verifies with the transaction coordinator that a partition of `__consumer_offsets` belongs to the producer's
   * transaction, or adds it (KIP-890). The guard belongs with the append; null: none is needed.
   */
  readonly verifyTransaction: (
    partition: number,
    producer: OffsetProducer,
    done: (error: ErrorCode, guard: object | null) => void,
  ) => void
}

/** A producer whose transaction offsets belong to. */
export interface OffsetProducer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  /** What its client understands, by the version of its TxnOffsetCommit. */
  readonly support: 'old' | 'abortable' | 'implicit'
}

/** Where a request came from. */
export interface GroupClient {
  readonly clientId: string
  readonly clientHost: string
}

export type Respond<Response> = (response: Input<Response>) => void

/**
 * The group coordinator of one broker: takes the group requests of all versions, sends each to the
 * shard of its group, and gives the answer the shape its version has. Every request is answered
 * exactly once, possibly before its method returns. Authorization is the caller's.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #runtime: CoordinatorRuntime<GroupShard>

  constructor(options: GroupCoordinatorOptions) {
    const { log, clock, random, events, config } = options
    this.#options = options
    this.#runtime = new CoordinatorRuntime({
      name: 'group',
      log,
      clock,
      random,
      events,
      commitTimeoutMs: config.offsetsCommitTimeoutMs,
      loadStepBytes: config.offsetsLoadBufferBytes,
      createShard: (ports) => new GroupShard(ports, config),
    })
  }

  /** The partition of `__consumer_offsets` that holds a group, by Java's hash; -1 without the topic. */
  partitionFor(groupId: string): number {
    const count = this.#options.partitionCount()
    if (count <= 0) return -1
    return coordinatorPartition(groupId, count)
  }

  /** This broker leads a partition of `__consumer_offsets`: its log is loaded, then served. */
  onElected(partition: number, leaderEpoch: LeaderEpoch): void {
    this.#runtime.onElected(partition, leaderEpoch)
  }

  onResigned(partition: number): void {
    this.#runtime.onResigned(partition)
  }

  /** Partitions were deleted with their topic: their offsets go too. */
  onPartitionsDeleted(partitions: readonly TopicPartition[]): void {
    this.#runtime.performOnAll((shard) => shard.dropPartitions(partitions))
  }

  /** Answers everything that waits with COORDINATOR_NOT_AVAILABLE, and all that comes later. */
  close(): void {
    this.#runtime.close()
  }

  statusOf(partition: number): PartitionStatus {
    return this.#runtime.statusOf(partition)
  }

  /** The state of a led and loaded partition, for checks and views. */
  shardOf(partition: number): GroupShard | null {
    return this.#runtime.shardOf(partition)
  }

  /** Every partition of `__consumer_offsets` that this broker leads, for checks and views. */
  slots(): readonly ShardSlot<GroupShard>[] {
    return this.#runtime.slots()
  }

  /** Requests that have not been answered yet. */
  get openCount(): number {
    return this.#runtime.openCount
  }

  joinGroup(
    version: number,
    client: GroupClient,
    request: JoinGroupRequest,
    respond: Respond<JoinGroupResponse>,
  ): void {
    const { groupId, sessionTimeoutMs, memberId } = request
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#options.config
    const isOutside =
      sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs
    const full =
      version < REBALANCE_TIMEOUT_VERSION
        ? { ...request, rebalanceTimeoutMs: sessionTimeoutMs }
        : request
    this.#request<JoinGroupResponse>(groupId, {
      refusal: isOutside ? ErrorCode.INVALID_SESSION_TIMEOUT : ErrorCode.NONE,
      run: (shard, reply) => shard.join({ version, ...client, request: full }, reply),
      onError: (error) => joinErrorWith(error, memberId),
      respond: (answer) => {
        const isNullable = version >= NULLABLE_PROTOCOL_VERSION
        respond(isNullable ? answer : { ...answer, protocolName: answer.protocolName ?? '' })
      },
    })
  }

  syncGroup(version: number, request: SyncGroupRequest, respond: Respond<SyncGroupResponse>): void {
    const { protocolType, protocolName } = request
    const isUnnamed =
      version >= SYNC_PROTOCOL_VERSION && (protocolType === null || protocolName === null)
    this.#request<SyncGroupResponse>(request.groupId, {
      refusal: isUnnamed ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL : ErrorCode.NONE,
      run: (shard, reply) => shard.membership.sync(request, reply),
      onError: syncError,
      respond,
    })
  }

  /** While the partition is loading a heartbeat is answered NONE, so that members stay where they are. */
  heartbeat(
    _version: number,
    request: HeartbeatRequest,
    respond: Respond<HeartbeatResponse>,
  ): void {
    this.#request<ErrorCode>(request.groupId, {
      run: (shard) => ({ records: [], answer: shard.membership.heartbeat(request) }),
      onError: (error) =>
        error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : error,
      respond: (errorCode) => respond({ errorCode }),
    })
  }

  leaveGroup(
    version: number,
    request: LeaveGroupRequest,
    respond: Respond<LeaveGroupResponse>,
  ): void {
    const isSingle = version < LEAVE_MEMBERS_VERSION
    const leaving = isSingle
      ? [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
      : request.members
    this.#request<Input<LeaveGroupResponse>>(request.groupId, {
      run: (shard) => {
        const { answer: members = [], ...outcome } = shard.membership.leave(
          request.groupId,
          leaving,
        )
        const errorCode = isSingle ? members[0]?.errorCode : ErrorCode.NONE
        return { ...outcome, answer: { errorCode, members: isSingle ? [] : members } }
      },
      onError: (errorCode) => ({ errorCode }),
      respond,
    })
  }

  offsetCommit(
    version: number,
    request: OffsetCommitRequest,
    respond: Respond<OffsetCommitResponse>,
  ): void {
    const { commit, answer } = splitCommit(version, request, this.#options.topics)
    if (commit.topics.length === 0) {
      respond(answer({ error: ErrorCode.NONE, topics: [] }))
      return
    }
    this.#request<CommitResult>(request.groupId, {
      mayBeUnnamed: true,
      run: (shard) => shard.offsets.commit(commit),
      mapAppendError: commitAppendError,
      onError: (error) => ({ error, topics: [] }),
      respond: (result) => respond(answer(result)),
    })
  }

  txnOffsetCommit(
    version: number,
    request: TxnOffsetCommitRequest,
    respond: Respond<TxnOffsetCommitResponse>,
  ): void {
    const { commit, answer } = splitTransactionalCommit(request, this.#options.topics)
    if (commit.topics.length === 0) {
      respond(answer({ error: ErrorCode.NONE, topics: [] }))
      return
    }
    const { groupId, transactionalId, producerId, producerEpoch } = request
    const fail = (error: ErrorCode): void => {
      const shown = transactionalError(error, version)
      respond(answer({ error: shown, topics: [] }))
    }
    const partition = this.partitionFor(groupId)
    if (groupId === '') return fail(ErrorCode.INVALID_GROUP_ID)
    if (partition < 0) return fail(ErrorCode.NOT_COORDINATOR)
    const producer = { transactionalId, producerId, producerEpoch, support: supportOf(version) }
    this.#options.verifyTransaction(partition, producer, (refusal, guard) => {
      if (refusal !== ErrorCode.NONE) return fail(verificationError(refusal))
      this.#request<CommitResult>(groupId, {
        run: (shard) =>
          shard.offsets.commitTransactional({
            commit,
            producer: { producerId, producerEpoch, guard },
          }),
        mapAppendError: commitAppendError,
        onError: (error) => ({ error: transactionalError(error, version), topics: [] }),
        respond: (result) => respond(answer(result)),
      })
    })
  }

  /**
   * Writes the marker of a transaction into a partition of `__consumer_offsets`: its pending offsets count from now
   * on, or are dropped. `done` is called once, with NONE when the marker is committed.
   */
  endTransaction(partition: number, end: TransactionEnd, done: (error: ErrorCode) => void): void {
    this.#runtime.request<ErrorCode>({
      partition,
      run: () => ({ records: [], end, answer: ErrorCode.NONE }),
      // Who asks is a transaction coordinator, which knows the errors of logs.
      mapAppendError: (error) => error,
      onError: (error) => error,
      respond: done,
    })
  }

  offsetFetch(
    version: number,
    request: OffsetFetchRequest,
    respond: Respond<OffsetFetchResponse>,
  ): void {
    const groups = splitFetch(version, request, this.#options.topics)
    const put = gather<ReturnType<GroupFetch['fail']>>(groups.length, (answers) =>
      respond(joinFetched(version, answers)),
    )
    for (const [index, { query, answer, fail }] of groups.entries()) {
      this.#request<ReturnType<GroupFetch['fail']>>(query.groupId, {
        mayBeUnnamed: true,
        run: (shard) => ({ records: [], answer: answer(shard.offsets.fetch(query)) }),
        onError: fail,
        respond: (fetched) => put(index, fetched),
      })
    }
  }

  /** `authorizedOperations` is left at "not asked for"; the caller knows the authorizer. */
  describeGroups(
    version: number,
    request: DescribeGroupsRequest,
    respond: Respond<DescribeGroupsResponse>,
  ): void {
    const put = gather<DescribedGroup>(request.groups.length, (groups) => respond({ groups }))
    for (const [index, groupId] of request.groups.entries()) {
      this.#request<DescribedGroup>(groupId, {
        mayBeUnnamed: true,
        run: (shard) => {
          const group = shard.groups.get(groupId)
          const isUnknown = group === undefined
          return {
            records: [],
            answer: isUnknown ? describeUnknown(groupId, version) : describeGroup(group),
          }
        },
        onError: (error) => undescribed(groupId, error),
        respond: (described) => put(index, described),
      })
    }
  }

  /** The groups of all partitions that this broker leads. */
  listGroups(
    _version: number,
    request: ListGroupsRequest,
    respond: Respond<ListGroupsResponse>,
  ): void {
    if (this.#runtime.loadingPartitions.length > 0) {
      respond({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS })
      return
    }
    const partitions = this.#runtime.activePartitions
    const put = gather<ErrorCode | readonly ListedGroup[]>(partitions.length, (answers) => {
      const errorCode = answers.find((answer) => typeof answer === 'number')
      respond(
        errorCode === undefined
          ? { groups: answers.flatMap((answer) => (typeof answer === 'number' ? [] : answer)) }
          : { errorCode },
      )
    })
    for (const [index, partition] of partitions.entries()) {
      this.#runtime.request<ErrorCode | readonly ListedGroup[]>({
        partition,
        run: (shard) => ({ records: [], answer: listGroups(shard.groups.values(), request) }),
        onError: (error) => (error === ErrorCode.NOT_COORDINATOR ? [] : error),
        respond: (listed) => put(index, listed),
      })
    }
  }

  deleteGroups(
    version: number,
    request: DeleteGroupsRequest,
    respond: Respond<DeleteGroupsResponse>,
  ): void {
    // A group that is named twice is deleted, and told, once.
    const groupsNames = [...new Set(request.groupsNames)]
    const hasMessage = version >= DELETE_MESSAGE_VERSION
    const put = gather<ErrorCode>(groupsNames.length, (errors) => {
      const results = groupsNames.map((groupId, index) => {
        const errorCode = errors[index] ?? ErrorCode.NONE
        const isTold = hasMessage && errorCode !== ErrorCode.NONE
        return { groupId, errorCode, errorMessage: isTold ? errorMessage(errorCode) : null }
      })
      respond({ results })
    })
    for (const [index, groupId] of groupsNames.entries()) {
      this.#request<ErrorCode>(groupId, {
        mayBeUnnamed: true,
        run: (shard) => shard.deleteGroup(groupId),
        onError: (error) => error,
        respond: (error) => put(index, error),
      })
    }
  }

  offsetDelete(
    _version: number,
    request: OffsetDeleteRequest,
    respond: Respond<OffsetDeleteResponse>,
  ): void {
    const { topics } = this.#options
    const known = request.topics.flatMap(({ name, partitions }) => {
      const there = partitions.filter(({ partitionIndex }) =>
        topics.hasPartition(name, partitionIndex),
      )
      return there.length === 0 ? [] : [{ name, partitions: there }]
    })
    const refused = request.topics.flatMap(({ name, partitions }) => {
      const missing = partitions.filter(
        ({ partitionIndex }) => !topics.hasPartition(name, partitionIndex),
      )
      return missing.length === 0 ? [] : [{ name, partitions: missing.map(unknownPartition) }]
    })
    this.#request<CommitResult>(request.groupId, {
      run: (shard) => shard.offsets.delete({ ...request, topics: known }),
      onError: (error) => ({ error, topics: [] }),
      respond: ({ error, topics: deleted }) =>
        respond(
          error === ErrorCode.NONE ? { topics: joined(deleted, refused) } : { errorCode: error },
        ),
    })
  }

  #request<Answer>(groupId: string, request: GroupRequest<Answer>): void {
    const { refusal = ErrorCode.NONE, mayBeUnnamed = false } = request
    const error = groupId === '' && !mayBeUnnamed ? ErrorCode.INVALID_GROUP_ID : refusal
    if (error !== ErrorCode.NONE) {
      request.respond(request.onError(error))
      return
    }
    this.#runtime.request({ ...request, partition: this.partitionFor(groupId) })
  }
}

/** A request to the shard of a group. */
interface GroupRequest<Answer> extends ShardRequest<GroupShard, Answer> {
  /** Why the shard need not be asked. */
  readonly refusal?: ErrorCode
  /** Old clients use the empty group id for offsets. */
  readonly mayBeUnnamed?: boolean
}

/** Offsets that do not fit into a batch have an error of their own. */
function commitAppendError(error: ErrorCode): ErrorCode {
  return error === ErrorCode.MESSAGE_TOO_LARGE || error === ErrorCode.RECORD_LIST_TOO_LARGE
    ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE
    : coordinatorError(error)
}

/** TxnOffsetCommit has TRANSACTION_ABORTABLE from 4 on, and adds partitions implicitly from 5 on (KIP-890). */
function supportOf(version: number): OffsetProducer['support'] {
  if (version >= IMPLICIT_TRANSACTION_VERSION) return 'implicit'
  return version >= ABORTABLE_VERSION ? 'abortable' : 'old'
}

/** A lost answer between brokers is told as an error that clients retry without looking for a coordinator. */
function verificationError(error: ErrorCode): ErrorCode {
  return error === ErrorCode.NETWORK_EXCEPTION
    ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    : coordinatorError(error)
}

/** Producers before 2.0 may crash at a coordinator that loads (KAFKA-7296). */
function transactionalError(error: ErrorCode, version: number): ErrorCode {
  const isLoading = error === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  return isLoading && version < TXN_LOADING_VERSION ? ErrorCode.COORDINATOR_NOT_AVAILABLE : error
}

function unknownPartition({ partitionIndex }: { readonly partitionIndex: number }) {
  return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
}

/** What was refused of a topic stands beside what was deleted of it. */
function joined(
  deleted: CommitResult['topics'],
  refused: CommitResult['topics'],
): CommitResult['topics'] {
  const partitionsOf = (name: string): CommitResult['topics'][number]['partitions'] =>
    refused.filter((topic) => topic.name === name).flatMap(({ partitions }) => partitions)
  const names = new Set(deleted.map(({ name }) => name))
  return [
    ...deleted.map((topic) => ({
      ...topic,
      partitions: [...topic.partitions, ...partitionsOf(topic.name)],
    })),
    ...refused.filter(({ name }) => !names.has(name)),
  ]
}
