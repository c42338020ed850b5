import type { LeaderEpoch, Offset } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ZERO_UUID } from '../base/uuid.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { offsetCommitApi, type OffsetCommitResponse } from '../wire/messages/08-offset-commit.ts'
import { offsetFetchApi, type OffsetFetchResponse } from '../wire/messages/09-offset-fetch.ts'
import type { Cluster } from './cluster.ts'
import type { Coordinator } from './coordinator.ts'
import { KafkaError } from './kafka-error.ts'

/** The newest versions of OffsetCommit and OffsetFetch that name topics; later ones have their ids. */
const LAST_VERSION_WITH_NAMES = 9
const FIRST_VERSION_WITH_GROUPS = 8
const FIRST_VERSION_WITH_REQUIRE_STABLE = 7

/** A position to commit, or one that was committed. */
export interface OffsetAndMetadata extends TopicPartition {
  /** The next record to be read. */
  readonly offset: Offset
  /** Of the record before it; -1 unknown. */
  readonly leaderEpoch?: LeaderEpoch
  readonly metadata?: string | null
}

/** Who commits. Generation -1 and an empty member id: a consumer without membership. */
export interface CommitIdentity {
  readonly generation: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Commits to a group's log and reads back, each one try. */
export class GroupOffsets {
  readonly #cluster: Cluster
  readonly #coordinator: Coordinator

  constructor(cluster: Cluster, coordinator: Coordinator) {
    this.#cluster = cluster
    this.#coordinator = coordinator
  }

  /** Fails with the error of the first partition that was refused. */
  commit(
    offsets: readonly OffsetAndMetadata[],
    identity: CommitIdentity,
    done: (error: Error | null) => void,
  ): void {
    if (offsets.length === 0) return this.#later(() => done(null))
    const { generation, memberId, groupInstanceId } = identity
    const topics = this.#byTopic(offsets, (each) => ({
      partitionIndex: each.partition,
      committedOffset: each.offset,
      committedLeaderEpoch: each.leaderEpoch ?? -1,
      committedMetadata: each.metadata ?? '',
    }))
    const call = {
      api: offsetCommitApi,
      timeoutMs: this.#cluster.requestTimeoutMs,
      limits: this.#limits(topics),
      body: (version: number) => ({
        groupId: this.#coordinator.key,
        generationIdOrMemberEpoch: generation,
        memberId,
        ...(version >= 7 ? { groupInstanceId } : {}),
        topics,
      }),
    }
    this.#coordinator.request(call, (error, response) => {
      done(error ?? this.#commitProblem(response))
    })
  }

  /** Only partitions with a committed offset are in the answer. */
  fetch(
    partitions: readonly TopicPartition[],
    done: (error: Error | null, offsets: ReadonlyMap<string, OffsetAndMetadata> | null) => void,
  ): void {
    const byTopic = this.#byTopic(partitions, (each) => each.partition)
    const topics = byTopic.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionIndexes: topic.partitions,
    }))
    const groupId = this.#coordinator.key
    const call = {
      api: offsetFetchApi,
      timeoutMs: this.#cluster.requestTimeoutMs,
      limits: this.#limits(topics),
      body: (version: number) => ({
        ...(version >= FIRST_VERSION_WITH_GROUPS
          ? { groups: [{ groupId, topics }] }
          : { groupId, topics: topics.map(({ topicId: _id, ...topic }) => topic) }),
        ...(version >= FIRST_VERSION_WITH_REQUIRE_STABLE ? { requireStable: true } : {}),
      }),
    }
    this.#coordinator.request(call, (error, response, version) => {
      if (error !== null || response === null) return done(error, null)
      const result = this.#readFetch(response, version)
      if (result instanceof Error) done(result, null)
      else done(null, result)
    })
  }

  #commitProblem(response: OffsetCommitResponse | null): Error | null {
    for (const topic of response?.topics ?? []) {
      for (const partition of topic.partitions) {
        const name = this.#nameOf(topic)
        const where = `committing offset of ${topicPartitionKey(name, partition.partitionIndex)}`
        const code = partition.errorCode
        const problem = this.#coordinator.check(code, code === ErrorCode.NONE ? null : where)
        if (problem !== null) return problem
      }
    }
    return null
  }

  #readFetch(
    response: OffsetFetchResponse,
    version: number,
  ): ReadonlyMap<string, OffsetAndMetadata> | Error {
    const group = version >= FIRST_VERSION_WITH_GROUPS ? response.groups[0] : response
    if (group === undefined) return new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, 'no group')
    const problem = this.#coordinator.check(group.errorCode)
    if (problem !== null) return problem
    const offsets = new Map<string, OffsetAndMetadata>()
    for (const topic of group.topics) {
      const name = this.#nameOf(topic)
      for (const each of topic.partitions) {
        const refused = this.#coordinator.check(each.errorCode)
        if (refused !== null) return refused
        if (each.committedOffset < 0) continue
        offsets.set(topicPartitionKey(name, each.partitionIndex), {
          topic: name,
          partition: each.partitionIndex,
          offset: each.committedOffset,
          leaderEpoch: each.committedLeaderEpoch,
          metadata: each.metadata,
        })
      }
    }
    return offsets
  }

  #byTopic<From extends TopicPartition, To>(
    items: readonly From[],
    map: (item: From) => To,
  ): { name: string; topicId: string; partitions: To[] }[] {
    const topics = new Map<string, { name: string; topicId: string; partitions: To[] }>()
    for (const item of items) {
      const topicId = this.#cluster.metadata.topic(item.topic)?.id ?? ZERO_UUID
      const topic = topics.get(item.topic) ?? { name: item.topic, topicId, partitions: [] }
      topic.partitions.push(map(item))
      topics.set(item.topic, topic)
    }
    return [...topics.values()]
  }

  /** Topics are sent by id only when all ids are known. */
  #limits(topics: readonly { readonly topicId: string }[]): { readonly max?: number } {
    const hasIds = topics.every(({ topicId }) => topicId !== ZERO_UUID)
    return hasIds ? {} : { max: LAST_VERSION_WITH_NAMES }
  }

  #nameOf(topic: { readonly name?: string; readonly topicId?: string }): string {
    const { name = '', topicId = ZERO_UUID } = topic
    return name === '' ? (this.#cluster.metadata.topicName(topicId) ?? '') : name
  }

  #later(fn: () => void): void {
    this.#cluster.ports.clock.after(0, 'client.refused', fn)
  }
}
