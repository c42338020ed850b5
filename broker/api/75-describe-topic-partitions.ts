// Versions: 0.
// Behaviour: topics by name, or all, in the order of their names, up to a number of partitions; the cursor says where the
//   next request goes on (KIP-966).
// Added: nothing since v0.
// Not done: eligible leader replicas: there are none, as in a cluster whose eligible.leader.replicas.version is 0; ACLs:
//   everybody may do every operation.
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeTopicPartitionsApi,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from '../../src/wire/messages/75-describe-topic-partitions.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { PartitionState, TopicImage } from '../metadata/image.ts'
import { isInternalTopic, isLegalTopicName } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { TOPIC_OPERATIONS } from './authorized-operations.ts'
import { partitionHealth } from './partition-health.ts'

type Response = Input<DescribeTopicPartitionsResponse>
type TopicAnswer = NonNullable<Response['topics']>[number]
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number]
type Cursor = NonNullable<DescribeTopicPartitionsRequest['cursor']>

export const describeTopicPartitionsHandler: ApiHandler<
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse
> = {
  api: describeTopicPartitionsApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker'],
  handle(context, request, respond) {
    const { cursor } = request
    const asked = request.topics.map(({ name }) => name)
    if (cursor !== null && !isPossible(cursor, asked)) {
      respond({ topics: asked.map(refusal) })
      return
    }
    const all = asked.length > 0 ? asked : context.services.image().topicsByName.keys()
    const names = [...new Set(all)].sort().filter((name) => name >= (cursor?.topicName ?? ''))
    const limit = context.services.config.int('max.request.partition.size.limit')
    const room = Math.max(1, Math.min(request.responsePartitionLimit, limit))
    respond(page(context, names, cursor, room))
  },
}

/** A cursor points into what is asked for. */
function isPossible({ topicName, partitionIndex }: Cursor, asked: readonly string[]): boolean {
  return partitionIndex >= 0 && (asked.length === 0 || asked.includes(topicName))
}

function refusal(name: string): TopicAnswer {
  return { errorCode: ErrorCode.INVALID_REQUEST, name, topicId: ZERO_UUID }
}

function page(
  context: RequestContext,
  names: readonly string[],
  cursor: Cursor | null,
  limit: number,
): Response {
  const topics: TopicAnswer[] = []
  let room = limit
  for (const name of names) {
    if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    const topic = context.services.image().topicsByName.get(name)
    if (topic === undefined) {
      topics.push(unknownTopic(name))
      continue
    }
    const left = [...topic.partitions.values()]
      .filter(({ partition }) => partition >= first)
      .sort((a, b) => a.partition - b.partition)
    topics.push(describe(context, topic, left.slice(0, room)))
    const next = left[room]
    if (next !== undefined) {
      return { topics, nextCursor: { topicName: name, partitionIndex: next.partition } }
    }
    room -= left.length
  }
  return { topics, nextCursor: null }
}

function unknownTopic(name: string): TopicAnswer {
  return {
    errorCode: isLegalTopicName(name)
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.INVALID_TOPIC_EXCEPTION,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  }
}

function describe(
  context: RequestContext,
  topic: TopicImage,
  partitions: readonly PartitionState[],
): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: partitions.map((state) => describePartition(context, state)),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  }
}

function describePartition(context: RequestContext, state: PartitionState): PartitionAnswer {
  const { hasLeader, isLeaderReachable, offlineReplicas } = partitionHealth(
    context.services.image(),
    state,
    context.listenerName,
  )
  const reachError = isLeaderReachable ? ErrorCode.NONE : ErrorCode.LISTENER_NOT_FOUND
  return {
    errorCode: hasLeader ? reachError : ErrorCode.LEADER_NOT_AVAILABLE,
    partitionIndex: state.partition,
    leaderId: hasLeader ? state.leader : -1,
    leaderEpoch: state.leaderEpoch,
    replicaNodes: state.replicas,
    isrNodes: state.isr,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas,
  }
}
