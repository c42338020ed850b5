import type { BrokerId } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { alterReplicaLogDirsApi } from '../wire/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../wire/messages/35-describe-log-dirs.ts'
import type { AdminChannel } from './admin-channel.ts'
import { byTopic } from './by-topic.ts'
import { KafkaError } from './kafka-error.ts'

export interface LogDirReplica extends TopicPartition {
  readonly sizeBytes: number
  /** How far it lags behind the high watermark, or behind the current replica when it is a future one. */
  readonly offsetLag: number
  /** A copy in the making by AlterReplicaLogDirs. */
  readonly isFuture: boolean
}

export interface LogDirDescription {
  readonly path: string
  /** Null when the directory is well. */
  readonly error: KafkaError | null
  readonly replicas: readonly LogDirReplica[]
}

/** A replica and where it is to lie. */
export interface ReplicaPlacement extends TopicPartition {
  readonly broker: BrokerId
  readonly path: string
}

/** What the brokers' log directories hold, and moves between directories of one broker. */
export class AdminLogDirs {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  /** Of one broker; `partitions` null for all that it has. */
  async describe(
    broker: BrokerId,
    partitions: readonly TopicPartition[] | null = null,
  ): Promise<readonly LogDirDescription[]> {
    const { body, version } = await this.#channel.request({
      what: `describe the log directories of broker ${broker}`,
      to: broker,
      api: describeLogDirsApi,
      body: () => ({
        topics:
          partitions === null
            ? null
            : byTopic(partitions).map(({ topic, items }) => ({
                topic,
                partitions: items.map(({ partition }) => partition),
              })),
      }),
    })
    // Before version 3 there was no place for an error: an empty answer was one (KAFKA-10900).
    const isRefused = version < 3 && body.results.length === 0
    const code = isRefused ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED : body.errorCode
    if (code !== ErrorCode.NONE) throw new KafkaError(code)
    return body.results.map(({ logDir, errorCode, topics }) => ({
      path: logDir,
      error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode),
      replicas: topics.flatMap(({ name, partitions: held }) =>
        held.map((each) => ({
          topic: name,
          partition: each.partitionIndex,
          sizeBytes: each.partitionSize,
          offsetLag: each.offsetLag,
          isFuture: each.isFutureKey,
        })),
      ),
    }))
  }

  /** Asks one broker to move replicas of its own. Gives what became of each, by `topic-partition`. */
  async alter(
    broker: BrokerId,
    placements: readonly ReplicaPlacement[],
  ): Promise<ReadonlyMap<string, KafkaError | null>> {
    const paths = [...new Set(placements.map(({ path }) => path))]
    const { body } = await this.#channel.request({
      what: `move replicas of broker ${broker}`,
      to: broker,
      api: alterReplicaLogDirsApi,
      body: () => ({
        dirs: paths.map((path) => ({
          path,
          topics: byTopic(placements.filter((each) => each.path === path)).map(
            ({ topic, items }) => ({
              name: topic,
              partitions: items.map(({ partition }) => partition),
            }),
          ),
        })),
      }),
    })
    return new Map(
      body.results.flatMap(({ topicName, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => [
          topicPartitionKey(topicName, partitionIndex),
          errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode),
        ]),
      ),
    )
  }
}
