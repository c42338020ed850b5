import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { OffsetCommitResponse } from '../../src/wire/messages/08-offset-commit.ts'
import type { RequestContext } from '../server/request-context.ts'
import { resolveTopic } from './topic-lookup.ts'

interface CommittedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

/** OffsetCommit and TxnOffsetCommit answer in the same shape. */
type Answer = NonNullable<Input<OffsetCommitResponse>['topics']>[number]
export type RespondCommit = (response: Input<OffsetCommitResponse>) => void

/**
 * Commits offsets of the partitions that exist; the others are refused alone, with UNKNOWN_TOPIC_OR_PARTITION. What to
 * say of topics that do not exist is the coordinator's to decide.
 */
export function commitExisting<
  Partition extends { readonly partitionIndex: number },
  Topic extends CommittedTopic & { partitions: Partition[] },
>(
  context: RequestContext,
  topics: readonly Topic[],
  commit: (topics: Topic[], done: RespondCommit) => void,
  respond: RespondCommit,
): void {
  const missing = missingPartitions(context, topics)
  if (missing.length === 0) return commit([...topics], respond)
  const existing = topics
    .map((topic) => ({ ...topic, partitions: existingPartitions(context, topic) }))
    .filter(({ partitions }) => partitions.length > 0)
  if (existing.length === 0) return respond({ topics: missing })
  commit(existing, (response) => {
    respond({ ...response, topics: joined([...missing, ...(response.topics ?? [])]) })
  })
}

/** Those of a topic that exist; all of one that does not. */
function existingPartitions<Topic extends CommittedTopic>(
  context: RequestContext,
  { name, topicId, partitions }: Topic,
): Topic['partitions'] {
  const topic = resolveTopic(context, { name, id: topicId })
  if (!topic.isKnown) return partitions
  const image = context.services.image()
  return partitions.filter(({ partitionIndex }) => image.partition(topic.name, partitionIndex))
}

function missingPartitions(context: RequestContext, topics: readonly CommittedTopic[]): Answer[] {
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
