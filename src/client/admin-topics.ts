import { assert } from '../base/assert.ts'
import type { BrokerId, LeaderEpoch } from '../base/ids.ts'
import type { Uuid } from '../base/uuid.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { metadataApi } from '../wire/messages/03-metadata.ts'
import { createPartitionsApi } from '../wire/messages/37-create-partitions.ts'
import {
  describeTopicPartitionsApi,
  type DescribeTopicPartitionsResponse,
} from '../wire/messages/75-describe-topic-partitions.ts'
import type { AdminChannel } from './admin-channel.ts'
import { firstProblem, KafkaError, UnsupportedVersionError } from './kafka-error.ts'

/** From this Metadata version on a request can forbid creating what it asks about. */
const FIRST_VERSION_WITHOUT_CREATION = 4
const DEFAULT_PARTITION_LIMIT = 2000

export interface PartitionDescription {
  readonly partition: number
  /** -1 when there is none. */
  readonly leader: BrokerId
  readonly leaderEpoch: LeaderEpoch
  readonly replicas: readonly BrokerId[]
  readonly isr: readonly BrokerId[]
  /** Eligible leaders outside the ISR (KIP-966); null when the broker is too old to tell. */
  readonly elr: readonly BrokerId[] | null
  readonly lastKnownElr: readonly BrokerId[] | null
}

export interface TopicDescription {
  readonly name: string
  readonly id: Uuid
  readonly isInternal: boolean
  /** In order of partition. */
  readonly partitions: readonly PartitionDescription[]
}

export interface PartitionIncrease {
  readonly topic: string
  /** All partitions afterwards. */
  readonly count: number
  /** Replicas of the new ones; null: the controller chooses. */
  readonly assignments: readonly (readonly BrokerId[])[] | null
}

type WireTopic = DescribeTopicPartitionsResponse['topics'][number]
type Cursor = DescribeTopicPartitionsResponse['nextCursor']

/** What DescribeTopicPartitions tells of topics, and changes of many topics at once. */
export class AdminTopics {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  /**
   * In order of name. At most `partitionLimit` partitions come in one answer (KIP-966). Brokers without
   * DescribeTopicPartitions are asked by Metadata, as Kafka's own admin client does. Rejects with the first error.
   */
  async describe(
    names: readonly string[],
    options: { readonly partitionLimit?: number } = {},
  ): Promise<readonly TopicDescription[]> {
    const sorted = [...new Set(names)].sort()
    try {
      return await this.#describeByPages(sorted, options.partitionLimit ?? DEFAULT_PARTITION_LIMIT)
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError)) throw error
      return this.describeByMetadata(sorted)
    }
  }

  /** The same by Metadata, which does not know the eligible leaders. */
  async describeByMetadata(names: readonly string[]): Promise<readonly TopicDescription[]> {
    const { body } = await this.#channel.request({
      what: 'describe topics',
      to: 'any',
      api: metadataApi,
      limits: { min: FIRST_VERSION_WITHOUT_CREATION },
      body: () => ({ topics: names.map((name) => ({ name })), allowAutoTopicCreation: false }),
    })
    return body.topics.map((topic) =>
      describedTopic({ ...topic, partitions: topic.partitions.map(withoutElr) }),
    )
  }

  /** Rejects with the first error; topics that have none are increased all the same. */
  async increasePartitions(increases: readonly PartitionIncrease[]): Promise<void> {
    const { body } = await this.#channel.request({
      what: `create partitions of ${increases.map(({ topic }) => topic).join(', ')}`,
      to: 'controller',
      api: createPartitionsApi,
      body: () => ({
        topics: increases.map(({ topic, count, assignments }) => ({
          name: topic,
          count,
          assignments: assignments?.map((brokerIds) => ({ brokerIds: [...brokerIds] })) ?? null,
        })),
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
      }),
      check: (response) =>
        response.results.some(({ errorCode }) => errorCode === ErrorCode.NOT_CONTROLLER)
          ? new KafkaError(ErrorCode.NOT_CONTROLLER)
          : null,
    })
    const problem = firstProblem(body.results)
    if (problem !== null) throw problem
  }

  async #describeByPages(
    names: readonly string[],
    partitionLimit: number,
  ): Promise<readonly TopicDescription[]> {
    const found = new Map<string, WireTopic>()
    let cursor: Cursor = null
    do {
      const page: DescribeTopicPartitionsResponse = await this.#page(names, partitionLimit, cursor)
      for (const topic of page.topics) {
        const earlier = found.get(topic.name ?? '')?.partitions ?? []
        found.set(topic.name ?? '', { ...topic, partitions: [...earlier, ...topic.partitions] })
      }
      // A broker that names the same place again would be asked for ever.
      assert(page.nextCursor === null || !isSame(page.nextCursor, cursor), 'a cursor that moves on')
      cursor = page.nextCursor
    } while (cursor !== null)
    return [...found.values()].map(describedTopic)
  }

  /** The next partitions from `cursor` on. */
  async #page(
    names: readonly string[],
    responsePartitionLimit: number,
    cursor: Cursor,
  ): Promise<DescribeTopicPartitionsResponse> {
    const open = names.filter((name) => name >= (cursor?.topicName ?? ''))
    const { body } = await this.#channel.request({
      what: 'describe topics',
      to: 'any',
      api: describeTopicPartitionsApi,
      body: () => ({ topics: open.map((name) => ({ name })), responsePartitionLimit, cursor }),
    })
    return body
  }
}

function isSame(a: NonNullable<Cursor>, b: Cursor): boolean {
  return a.topicName === b?.topicName && a.partitionIndex === b.partitionIndex
}

function withoutElr<T extends object>(
  partition: T,
): T & { eligibleLeaderReplicas: null; lastKnownElr: null } {
  return { ...partition, eligibleLeaderReplicas: null, lastKnownElr: null }
}

function describedTopic(topic: Omit<WireTopic, 'topicAuthorizedOperations'>): TopicDescription {
  const name = topic.name ?? ''
  if (topic.errorCode !== ErrorCode.NONE) throw new KafkaError(topic.errorCode)
  return {
    name,
    id: topic.topicId,
    isInternal: topic.isInternal,
    partitions: [...topic.partitions]
      .sort((a, b) => a.partitionIndex - b.partitionIndex)
      .map((each) => ({
        partition: each.partitionIndex,
        leader: each.leaderId,
        leaderEpoch: each.leaderEpoch,
        replicas: each.replicaNodes,
        isr: each.isrNodes,
        elr: each.eligibleLeaderReplicas,
        lastKnownElr: each.lastKnownElr,
      })),
  }
}
