import { ConnectionError } from '../../base/errors.ts'
import { topicPartitionKey } from '../../base/topic-partition.ts'
import { ZERO_UUID } from '../../base/uuid.ts'
import type { Coordinator } from '../../client/coordinator.ts'
import { GroupOffsets, type CommitIdentity } from '../../client/group-offsets.ts'
import { offsetCommitApi } from '../../wire/messages/08-offset-commit.ts'
import type { History } from '../history/history.ts'
import type { CommitOperation, CommittedOperation } from '../history/operation.ts'
import type { ClientLink } from './client-link.ts'
import { errorNameOf, outcomeOf } from './outcome.ts'

/** Since this version topics of OffsetCommit are named by id, since 7 there are static members. */
const LAST_VERSION_WITH_NAMES = 9
const INSTANCE_VERSION = 7

export interface CommittedOffsetsOptions {
  readonly link: ClientLink
  readonly coordinator: Coordinator
  readonly history: History
  readonly process: string
  readonly topic: string
}

interface Invoked<Op> {
  readonly index: number
  readonly operation: Op
}

/** Commits and reads the offsets of a group, one entry a partition, each request tried once. */
export class CommittedOffsets {
  readonly #options: CommittedOffsetsOptions
  readonly #open = new Set<Invoked<CommitOperation | CommittedOperation>>()

  constructor(options: CommittedOffsetsOptions) {
    this.#options = options
  }

  /** `done` gets the first error, after all entries were ended. */
  commit(
    offsets: ReadonlyMap<number, number>,
    identity: CommitIdentity,
    expects: CommitOperation['expects'] | null,
    done: (error: Error | null) => void,
  ): void {
    const { history, process, link, coordinator } = this.#options
    const invoked = new Map<number, Invoked<CommitOperation>>()
    for (const [partition, offset] of offsets) {
      const operation = this.#commitOperation(partition, offset, identity, expects)
      const each = { index: history.invoke(process, operation), operation }
      invoked.set(partition, each)
      this.#open.add(each)
    }
    coordinator.request(this.#commitCall(offsets, identity), (error, response) => {
      if (link.isClosed) return
      const answers = new Map(
        response?.topics.flatMap(({ partitions }) =>
          partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
        ),
      )
      let first: Error | null = null
      for (const [partition, each] of invoked) {
        const code = answers.get(partition)
        const missing = new ConnectionError('an answer without the partition')
        const problem = error ?? (code === undefined ? missing : coordinator.check(code))
        first ??= problem
        this.#end(each, problem)
      }
      done(first)
    })
  }

  /** `done` gets the offsets by partition, -1 where nothing is committed. */
  read(
    partitions: readonly number[],
    done: (error: Error | null, offsets: ReadonlyMap<number, number>) => void,
  ): void {
    const { history, process, link, coordinator, topic } = this.#options
    const invoked = partitions.map((partition): Invoked<CommittedOperation> => {
      const operation = { op: 'committed', group: coordinator.key, topic, partition } as const
      const each = { index: history.invoke(process, operation), operation }
      this.#open.add(each)
      return each
    })
    const asked = partitions.map((partition) => ({ topic, partition }))
    new GroupOffsets(link.cluster, coordinator).fetch(asked, (error, found) => {
      if (link.isClosed) return
      const offsets = new Map<number, number>()
      for (const each of invoked) {
        const { index, operation } = each
        this.#open.delete(each)
        if (error !== null) {
          history.end(index, process, 'fail', { ...operation, error: errorNameOf(error) })
          continue
        }
        const { partition } = operation
        const committed = found?.get(topicPartitionKey(topic, partition))
        const offset = committed?.offset ?? -1
        link.sawEpoch(topic, partition, committed?.leaderEpoch ?? -1)
        offsets.set(partition, offset)
        history.end(index, process, 'ok', { ...operation, offset })
      }
      done(error, offsets)
    })
  }

  /** The client crashed, or ends with questions open. */
  abandon(): void {
    const { history, process } = this.#options
    for (const { index, operation } of this.#open) {
      history.end(index, process, 'info', { ...operation, error: 'CLIENT_CRASHED' })
    }
    this.#open.clear()
  }

  #end(each: Invoked<CommitOperation>, problem: Error | null): void {
    const { history, process } = this.#options
    const { index, operation } = each
    if (!this.#open.delete(each)) return
    if (problem === null) return history.end(index, process, 'ok', operation)
    const error = errorNameOf(problem)
    history.end(index, process, outcomeOf('commit', problem), { ...operation, error })
  }

  #commitOperation(
    partition: number,
    offset: number,
    identity: CommitIdentity,
    expects: CommitOperation['expects'] | null,
  ): CommitOperation {
    const { process, topic, coordinator } = this.#options
    const { generation } = identity
    const group = coordinator.key
    const operation = { op: 'commit', group, member: process, generation } as const
    return {
      ...operation,
      topic,
      partition,
      offset,
      ...(expects === undefined || expects === null ? {} : { expects }),
    }
  }

  #commitCall(offsets: ReadonlyMap<number, number>, identity: CommitIdentity) {
    const { link, coordinator, topic } = this.#options
    const topicId = link.topicId(topic)
    const { generation, memberId, groupInstanceId } = identity
    const partitions = [...offsets].map(([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      // Read from a leader of this epoch, or of an earlier one.
      committedLeaderEpoch:
        link.cluster.metadata.partition(topic, partitionIndex)?.leaderEpoch ?? -1,
      committedMetadata: '',
    }))
    return {
      api: offsetCommitApi,
      timeoutMs: link.requestTimeoutMs,
      limits: topicId === ZERO_UUID ? { max: LAST_VERSION_WITH_NAMES } : {},
      body: (version: number) => ({
        groupId: coordinator.key,
        generationIdOrMemberEpoch: generation,
        memberId,
        ...(version >= INSTANCE_VERSION ? { groupInstanceId } : {}),
        topics: [{ name: topic, topicId, partitions }],
      }),
    }
  }
}
