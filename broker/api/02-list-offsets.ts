// Versions: 1-11.
// Behaviour: latest, earliest, by timestamp and the newer special timestamps; OFFSET_NOT_AVAILABLE while a new leader
//   has not reached its own epoch (KIP-207); a partition listed twice is INVALID_REQUEST.
// Added: v2 isolation level; v4 leader epochs; v7 max timestamp; v8, v9, v11 tiered specials; v10 time-out.
// Not done: nothing known (there is no tiered storage, so its specials answer -1).
import {
  listOffsetsApi,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
} from '../../src/wire/messages/02-list-offsets.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { ListOffsetsResult } from '../replica/offset-lookup.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { mergedTopics } from './repeated-topics.ts'

const LEADER_EPOCH_VERSION = 4

export const listOffsetsHandler: ApiHandler<ListOffsetsRequest, ListOffsetsResponse> = {
  api: listOffsetsApi,
  minVersion: 1,
  maxVersion: 11,
  listeners: ['broker'],
  handle(context, request, respond) {
    const topics = mergedTopics(request.topics, {
      key: ({ name }) => name,
      partitions: (topic) => topic.partitions,
      with: (topic, partitions) => ({ ...topic, partitions }),
    })
    const results = context.services.replicas.listOffsets({
      replicaId: request.replicaId,
      isolationLevel: request.isolationLevel,
      version: context.apiVersion,
      entries: topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => ({
          topic: name,
          partition: partitionIndex,
          currentLeaderEpoch,
          timestamp,
        })),
      ),
    })
    let next = 0
    respond({
      topics: topics.map(({ name, partitions }) => {
        const ofTopic = onlyOnce(results.slice(next, next + partitions.length))
        next += partitions.length
        return {
          name,
          partitions: ofTopic.map(({ partition, error, timestamp, offset, leaderEpoch }) => ({
            partitionIndex: partition,
            errorCode: error,
            timestamp,
            offset,
            ...(context.apiVersion >= LEADER_EPOCH_VERSION ? { leaderEpoch } : {}),
          })),
        }
      }),
    })
  },
}

/** What is listed twice is refused once, after the others. */
function onlyOnce(results: readonly ListOffsetsResult[]): readonly ListOffsetsResult[] {
  const first = new Map(results.map((result) => [result.partition, result]))
  if (first.size === results.length) return results
  const isRepeated = ({ error }: ListOffsetsResult): boolean => error === ErrorCode.INVALID_REQUEST
  const all = [...first.values()]
  return [...all.filter((each) => !isRepeated(each)), ...all.filter(isRepeated)]
}
