// Versions: 2-10.
// Behaviour: offsets of a group, or of a consumer outside any, become records of
//   `__consumer_offsets`; answered when committed. A partition that does not exist is refused alone.
// Added: v6 leader epochs; v7 static members; v8 flexible; v9 member epochs; v10 topic ids.
// Not done: KIP-848 groups (v9 stale member epochs).
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../../src/wire/messages/08-offset-commit.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { resolveTopic } from './topic-lookup.ts'

type Topic = OffsetCommitRequest['topics'][number]
type Answer = NonNullable<Input<OffsetCommitResponse>['topics']>[number]

export const offsetCommitHandler: ApiHandler<OffsetCommitRequest, OffsetCommitResponse> = {
  api: offsetCommitApi,
  minVersion: 2,
  maxVersion: 10,
  listeners: ['broker'],
  handle(context, request, respond) {
    const { services, apiVersion } = context
    const missing = missingPartitions(context, request)
    if (missing.length === 0) {
      services.groups.offsetCommit(apiVersion, request, respond)
      return
    }
    const topics = request.topics
      .map((topic) => ({ ...topic, partitions: existingPartitions(context, topic) }))
      .filter(({ partitions }) => partitions.length > 0)
    if (topics.length === 0) {
      respond({ topics: missing })
      return
    }
    services.groups.offsetCommit(apiVersion, { ...request, topics }, (response) => {
      respond({ ...response, topics: joined([...missing, ...(response.topics ?? [])]) })
    })
  },
}

/** Those of a topic that exist; all of one that does not, whose refusal is the coordinator's. */
function existingPartitions(
  context: RequestContext,
  { name, topicId, partitions }: Topic,
): Topic['partitions'] {
  const topic = resolveTopic(context, { name, id: topicId })
  if (!topic.isKnown) return partitions
  const image = context.services.image()
  return partitions.filter(({ partitionIndex }) => image.partition(topic.name, partitionIndex))
}

function missingPartitions(context: RequestContext, { topics }: OffsetCommitRequest): Answer[] {
  const missing: Answer[] = []
  for (const topic of topics) {
    const existing = new Set(existingPartitions(context, topic))
    const partitions = topic.partitions
      .filter((partition) => !existing.has(partition))
      .map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      }))
    const { name, topicId } = topic
    if (partitions.length > 0) missing.push({ name, topicId, partitions })
  }
  return missing
}

/** One answer for each topic. */
function joined(answers: readonly Answer[]): Answer[] {
  const byTopic = new Map<string, Answer>()
  for (const answer of answers) {
    const key = `${answer.topicId ?? ZERO_UUID}/${answer.name ?? ''}`
    const earlier = byTopic.get(key)?.partitions ?? []
    byTopic.set(key, { ...answer, partitions: [...earlier, ...(answer.partitions ?? [])] })
  }
  return [...byTopic.values()]
}
