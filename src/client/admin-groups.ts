import type { Offset } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { offsetFetchApi } from '../wire/messages/09-offset-fetch.ts'
import { describeGroupsApi } from '../wire/messages/15-describe-groups.ts'
import { listGroupsApi } from '../wire/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../wire/messages/42-delete-groups.ts'
import { offsetDeleteApi } from '../wire/messages/47-offset-delete.ts'
import type { AdminChannel } from './admin-channel.ts'
import { decodeAssignment } from './consumer-protocol.ts'
import { Coordinator, CoordinatorType } from './coordinator.ts'
import { GroupOffsets, type OffsetAndMetadata } from './group-offsets.ts'
import { firstProblem, KafkaError } from './kafka-error.ts'
import { asPromise, withRetries } from './retry.ts'

/** Version 8 of OffsetFetch asks by group, 10 by topic id. */
const FIRST_VERSION_WITH_GROUPS = 8
const LAST_VERSION_WITH_NAMES = 9

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  /** '' when the broker is too old to tell. */
  readonly state: string
  readonly type: string
}

export interface GroupMemberDescription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Of a consumer group; empty for others. */
  readonly partitions: readonly TopicPartition[]
  readonly metadata: Buffer
  readonly assignment: Buffer
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly GroupMemberDescription[]
}

/** Groups and their committed offsets. */
export class AdminGroups {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  /** The groups of all brokers. */
  async list(): Promise<readonly GroupListing[]> {
    const { cluster, updater } = this.#channel
    await asPromise<true>((done) => updater.refresh(() => done(null, true)))
    const answers = await Promise.all(
      [...cluster.metadata.nodes.keys()].map((broker) =>
        this.#channel.request({
          what: 'list groups',
          to: broker,
          api: listGroupsApi,
          body: () => ({}),
          check: (response) => firstProblem([response]),
        }),
      ),
    )
    return answers
      .flatMap(({ body }) => body.groups)
      .map((group) => ({
        groupId: group.groupId,
        protocolType: group.protocolType,
        state: group.groupState,
        type: group.groupType,
      }))
      .sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  }

  /** An unknown group is described as `Dead`, as brokers before DescribeGroups v6 do. */
  async describe(groupId: string): Promise<GroupDescription> {
    const { body } = await this.#channel.request({
      what: `describe group "${groupId}"`,
      to: { group: groupId },
      api: describeGroupsApi,
      body: () => ({ groups: [groupId] }),
      check: (response, coordinator) => {
        const code = response.groups[0]?.errorCode ?? ErrorCode.NONE
        if (code === ErrorCode.GROUP_ID_NOT_FOUND) return null
        return coordinator?.check(code, response.groups[0]?.errorMessage) ?? null
      },
    })
    const group = body.groups[0]
    if (group === undefined) throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND)
    return {
      groupId,
      state: group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? 'Dead' : group.groupState,
      protocolType: group.protocolType,
      protocol: group.protocolData,
      members: group.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        partitions:
          group.protocolType === 'consumer' ? decodeAssignment(member.memberAssignment) : [],
        metadata: member.memberMetadata,
        assignment: member.memberAssignment,
      })),
    }
  }

  async delete(groupId: string): Promise<void> {
    await this.#channel.request({
      what: `delete group "${groupId}"`,
      to: { group: groupId },
      api: deleteGroupsApi,
      body: () => ({ groupsNames: [groupId] }),
      check: (response, coordinator) => {
        const [result] = response.results
        return coordinator?.check(result?.errorCode ?? 0, result?.errorMessage) ?? null
      },
    })
  }

  /** All committed offsets of a group, by `topic-partition`. */
  async offsets(groupId: string): Promise<ReadonlyMap<string, OffsetAndMetadata>> {
    const { body, version } = await this.#channel.request({
      what: `fetch offsets of group "${groupId}"`,
      to: { group: groupId },
      api: offsetFetchApi,
      limits: { min: 2, max: LAST_VERSION_WITH_NAMES },
      body: (chosen) =>
        chosen >= FIRST_VERSION_WITH_GROUPS
          ? { groups: [{ groupId, topics: null }] }
          : { groupId, topics: null },
      check: (response, coordinator) => {
        const code = response.groups[0]?.errorCode ?? response.errorCode
        return coordinator?.check(code) ?? null
      },
    })
    const group = version >= FIRST_VERSION_WITH_GROUPS ? body.groups[0] : body
    const offsets = new Map<string, OffsetAndMetadata>()
    for (const { name: topic, partitions } of group?.topics ?? []) {
      for (const each of partitions) {
        if (each.committedOffset < 0) continue
        offsets.set(topicPartitionKey(topic, each.partitionIndex), {
          topic,
          partition: each.partitionIndex,
          offset: each.committedOffset,
          leaderEpoch: each.committedLeaderEpoch,
          metadata: each.metadata,
        })
      }
    }
    return offsets
  }

  /** Sets committed offsets. The group must have no members. */
  async alterOffsets(
    groupId: string,
    offsets: readonly (TopicPartition & { readonly offset: Offset })[],
  ): Promise<void> {
    const { cluster } = this.#channel
    const coordinator = new Coordinator(cluster, CoordinatorType.GROUP, groupId)
    const identity = { generation: -1, memberId: '', groupInstanceId: null }
    await asPromise<true>((done) =>
      withRetries<true>({
        what: `alter offsets of group "${groupId}"`,
        clock: cluster.ports.clock,
        random: cluster.ports.random,
        backoff: cluster.retryBackoff,
        timeoutMs: this.#channel.timeoutMs,
        done,
        attempt: (_remainingMs, tried) =>
          new GroupOffsets(cluster, coordinator).commit(offsets, identity, (error) =>
            tried(error, error === null ? true : null),
          ),
      }),
    )
  }

  /** Forgets committed offsets. Topics that members subscribe to are refused. */
  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    const topics = new Map<string, { partitionIndex: number }[]>()
    for (const { topic, partition } of partitions) {
      topics.set(topic, [...(topics.get(topic) ?? []), { partitionIndex: partition }])
    }
    await this.#channel.request({
      what: `delete offsets of group "${groupId}"`,
      to: { group: groupId },
      api: offsetDeleteApi,
      body: () => ({
        groupId,
        topics: [...topics].map(([name, list]) => ({ name, partitions: list })),
      }),
      check: (response, coordinator) =>
        coordinator?.check(response.errorCode) ??
        firstProblem(response.topics.flatMap((topic) => topic.partitions)),
    })
  }
}
