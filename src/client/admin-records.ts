import type { Offset, TimestampMs } from '../base/ids.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import { listOffsetsApi } from '../wire/messages/02-list-offsets.ts'
import { deleteRecordsApi } from '../wire/messages/21-delete-records.ts'
import type { AdminChannel } from './admin-channel.ts'
import { byTopic } from './by-topic.ts'
import { askLeaders } from './leader-calls.ts'
import type { OffsetQuery } from './offset-lookup.ts'

const CONSUMER_REPLICA_ID = -1

/** Timestamps with a meaning of their own that not every broker knows, and the first version that does. */
const FIRST_VERSIONS: ReadonlyMap<TimestampMs, number> = new Map([
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
])

export interface OffsetFound {
  /** -1: no record at or after the timestamp. */
  readonly offset: Offset
  readonly timestampMs: TimestampMs
}

export interface RecordsToDelete extends TopicPartition {
  /** The first that stays; -1 for the high watermark. */
  readonly offset: Offset
}

/** What leaders say of many partitions, each with its own outcome (a value or an error), by `topic-partition`. */
export class AdminRecords {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  offsets(queries: readonly OffsetQuery[]): Promise<ReadonlyMap<string, OffsetFound | Error>> {
    const timeoutMs = this.#channel.cluster.requestTimeoutMs
    const min = Math.max(0, ...queries.map((query) => FIRST_VERSIONS.get(query.timestampMs) ?? 0))
    return askLeaders({
      channel: this.#channel,
      what: `look up offsets of ${queries.length} partitions`,
      items: queries,
      call: (items) => ({
        api: listOffsetsApi,
        timeoutMs,
        limits: { min },
        body: () => ({
          replicaId: CONSUMER_REPLICA_ID,
          timeoutMs,
          topics: byTopic(items).map(({ topic, items: asked }) => ({
            name: topic,
            partitions: asked.map(({ partition, leaderEpoch, timestampMs }) => ({
              partitionIndex: partition,
              currentLeaderEpoch: leaderEpoch,
              timestamp: timestampMs,
            })),
          })),
        }),
      }),
      read: (response) =>
        response.topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, errorCode, offset, timestamp }) => ({
            topic: name,
            partition: partitionIndex,
            errorCode,
            value: { offset, timestampMs: timestamp },
          })),
        ),
    })
  }

  /** Removes records before an offset. Values are the new first offsets. */
  delete(records: readonly RecordsToDelete[]): Promise<ReadonlyMap<string, Offset | Error>> {
    const timeoutMs = this.#channel.cluster.requestTimeoutMs
    return askLeaders({
      channel: this.#channel,
      what: `delete records of ${records.length} partitions`,
      items: records,
      call: (items) => ({
        api: deleteRecordsApi,
        timeoutMs,
        body: () => ({
          timeoutMs,
          topics: byTopic(items).map(({ topic, items: asked }) => ({
            name: topic,
            partitions: asked.map(({ partition, offset }) => ({
              partitionIndex: partition,
              offset,
            })),
          })),
        }),
      }),
      read: (response) =>
        response.topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, errorCode, lowWatermark }) => ({
            topic: name,
            partition: partitionIndex,
            errorCode,
            value: lowWatermark,
          })),
        ),
    })
  }
}
