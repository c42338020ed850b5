// Versions: 0-2.
// Behaviour: raises the log start of partitions that this broker leads to an offset, -1 for the high watermark (KIP-107),
//   and answers when the log start is durable here and taken over by the followers that are alive. Not of internal topics,
//   nor of topics that are only compacted.
// Added: v2 flexible.
// Not done: ACLs: everybody may do every operation.
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  deleteRecordsApi,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from '../../src/wire/messages/21-delete-records.ts'
import type { Input } from '../../src/wire/schema.ts'
import { isInternalTopic } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

interface Entry {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

interface Result {
  readonly topic: string
  readonly partition: number
  readonly error: number
  readonly lowWatermark: number
}

export const deleteRecordsHandler: ApiHandler<DeleteRecordsRequest, DeleteRecordsResponse> = {
  api: deleteRecordsApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker'],
  handle(context, request, respond) {
    const refused: Result[] = []
    const entries: Entry[] = []
    for (const entry of distinctEntries(request)) {
      const error = problemWith(context, entry)
      if (error === ErrorCode.NONE) entries.push(entry)
      else refused.push({ ...entry, error, lowWatermark: -1 })
    }
    context.services.replicas.deleteRecords({
      timeoutMs: request.timeoutMs,
      entries,
      respond: (results) => respond({ topics: byTopic([...refused, ...results]) }),
    })
  },
}

/** Of a partition that is named twice the last offset counts. */
function distinctEntries({ topics }: DeleteRecordsRequest): Iterable<Entry> {
  const entries = new Map<string, Entry>()
  for (const { name: topic, partitions } of topics) {
    for (const { partitionIndex: partition, offset } of partitions) {
      entries.set(topicPartitionKey(topic, partition), { topic, partition, offset })
    }
  }
  return entries.values()
}

function problemWith({ services }: RequestContext, { topic, partition }: Entry): number {
  if (services.image().partition(topic, partition) === null) {
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
  return isInternalTopic(topic) ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE
}

function byTopic(results: readonly Result[]): NonNullable<Input<DeleteRecordsResponse>['topics']> {
  const topics = new Map<string, Result[]>()
  for (const result of results) {
    const ofTopic = topics.get(result.topic)
    if (ofTopic === undefined) topics.set(result.topic, [result])
    else ofTopic.push(result)
  }
  return [...topics].map(([name, partitions]) => ({
    name,
    partitions: partitions.map(({ partition, error, lowWatermark }) => ({
      partitionIndex: partition,
      errorCode: error,
      lowWatermark,
    })),
  }))
}
