import type { BrokerId } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { electLeadersApi } from '../wire/messages/43-elect-leaders.ts'
import { alterPartitionReassignmentsApi } from '../wire/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../wire/messages/46-list-partition-reassignments.ts'
import type { AdminChannel } from './admin-channel.ts'
import { byTopic } from './by-topic.ts'
import { firstProblem, KafkaError } from './kafka-error.ts'

const FIRST_VERSION_THAT_FIXES_THE_FACTOR = 1
const FIRST_VERSION_WITH_UNCLEAN = 1

/** A partition whose replicas are on the move. */
export interface Reassignment extends TopicPartition {
  /** With those that are added. */
  readonly replicas: readonly BrokerId[]
  readonly adding: readonly BrokerId[]
  readonly removing: readonly BrokerId[]
}

export interface WantedReplicas extends TopicPartition {
  /** Null ends a reassignment that is under way. */
  readonly replicas: readonly BrokerId[] | null
}

export type ElectionType = 'PREFERRED' | 'UNCLEAN'

/** Moves of replicas between brokers, and elections. */
export class AdminReassignments {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  /** What is under way, of these partitions or (null) of all. */
  async list(
    partitions: readonly TopicPartition[] | null = null,
  ): Promise<readonly Reassignment[]> {
    const { body } = await this.#channel.request({
      what: 'list reassignments',
      to: 'controller',
      api: listPartitionReassignmentsApi,
      body: () => ({
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
        topics:
          partitions === null
            ? null
            : byTopic(partitions).map(({ topic, items }) => ({
                name: topic,
                partitionIndexes: items.map(({ partition }) => partition),
              })),
      }),
      check: (response) => firstProblem([response]),
    })
    return body.topics.flatMap(({ name, partitions: moving }) =>
      moving.map((each) => ({
        topic: name,
        partition: each.partitionIndex,
        replicas: each.replicas,
        adding: each.addingReplicas,
        removing: each.removingReplicas,
      })),
    )
  }

  /** Starts, changes or ends reassignments. Gives what became of each, by `topic-partition`. */
  async alter(
    wanted: readonly WantedReplicas[],
    options: { readonly allowReplicationFactorChange?: boolean } = {},
  ): Promise<ReadonlyMap<string, KafkaError | null>> {
    const isFixed = options.allowReplicationFactorChange === false
    const { body } = await this.#channel.request({
      what: 'alter reassignments',
      to: 'controller',
      api: alterPartitionReassignmentsApi,
      ...(isFixed ? { limits: { min: FIRST_VERSION_THAT_FIXES_THE_FACTOR } } : {}),
      body: () => ({
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
        ...(isFixed ? { allowReplicationFactorChange: false } : {}),
        topics: byTopic(wanted).map(({ topic, items }) => ({
          name: topic,
          partitions: items.map(({ partition, replicas }) => ({
            partitionIndex: partition,
            replicas: replicas === null ? null : [...replicas],
          })),
        })),
      }),
      check: (response) => firstProblem([response]),
    })
    return outcomes(
      body.responses.flatMap(({ name, partitions }) =>
        partitions.map((each) => ({ ...each, topic: name, partition: each.partitionIndex })),
      ),
    )
  }

  /**
   * Elects leaders of these partitions or (null) of all that need it. Gives what became of each that was tried, by
   * `topic-partition`; ELECTION_NOT_NEEDED is among the errors.
   */
  async elect(
    type: ElectionType,
    partitions: readonly TopicPartition[] | null,
  ): Promise<ReadonlyMap<string, KafkaError | null>> {
    const isUnclean = type === 'UNCLEAN'
    const { body } = await this.#channel.request({
      what: 'elect leaders',
      to: 'controller',
      api: electLeadersApi,
      ...(isUnclean ? { limits: { min: FIRST_VERSION_WITH_UNCLEAN } } : {}),
      body: () => ({
        ...(isUnclean ? { electionType: 1 } : {}),
        topicPartitions:
          partitions === null
            ? null
            : byTopic(partitions).map(({ topic, items }) => ({
                topic,
                partitions: items.map(({ partition }) => partition),
              })),
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
      }),
      check: (response) => firstProblem([response]),
    })
    return outcomes(
      body.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
        partitionResult.map((each) => ({ ...each, topic, partition: each.partitionId })),
      ),
    )
  }
}

function outcomes(
  results: readonly (TopicPartition & {
    readonly errorCode: number
    readonly errorMessage: string | null
  })[],
): ReadonlyMap<string, KafkaError | null> {
  return new Map(
    results.map(({ topic, partition, errorCode, errorMessage }) => [
      topicPartitionKey(topic, partition),
      errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode, errorMessage),
    ]),
  )
}
