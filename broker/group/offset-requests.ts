import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  OffsetCommitRequest,
  OffsetCommitRequestTopic,
  OffsetCommitResponse,
  OffsetCommitResponseTopic,
} from '../../src/wire/messages/08-offset-commit.ts'
import type {
  OffsetFetchRequest,
  OffsetFetchRequestGroup,
  OffsetFetchResponse,
  OffsetFetchResponseGroup,
  OffsetFetchResponseTopics,
} from '../../src/wire/messages/09-offset-fetch.ts'
import type { TxnOffsetCommitRequest } from '../../src/wire/messages/28-txn-offset-commit.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { Commit, CommitResult, CommitTopic, FetchedTopic, OffsetQuery } from './offsets.ts'
import type { TopicDirectory } from './topic-directory.ts'

/** OffsetCommit and OffsetFetch name topics by id from here on (KIP-848). */
const TOPIC_ID_VERSION = 10
/** OffsetFetch asks for several groups from here on. */
const GROUPS_VERSION = 8
/** OffsetFetch has an error of its own from here on; before, it stands in every partition. */
const TOP_LEVEL_ERROR_VERSION = 2

/** A topic of a request: under its name, or why it cannot be used. */
type ResolvedTopic =
  | { readonly name: string; readonly error: typeof ErrorCode.NONE }
  | { readonly name: null; readonly error: ErrorCode }

/** An OffsetCommit request split into what the coordinator is asked and what is refused beforehand. */
export interface SplitCommit {
  readonly commit: Commit
  /** The answer, given what the coordinator said of the topics in `commit`. */
  readonly answer: (result: CommitResult) => Input<OffsetCommitResponse>
}

/** Resolves the topics of a commit; those that do not exist get their error without being committed. */
export function splitCommit(
  version: number,
  request: OffsetCommitRequest,
  directory: TopicDirectory,
): SplitCommit {
  const resolved = request.topics.map((topic) => resolve(version, topic, directory))
  const topics: CommitTopic[] = []
  for (const [index, { partitions }] of request.topics.entries()) {
    const name = resolved[index]?.name ?? null
    if (name !== null) topics.push({ name, topicId: directory.topicId(name), partitions })
  }
  const commit = {
    version,
    groupId: request.groupId,
    generation: request.generationIdOrMemberEpoch,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    retentionMs: request.retentionTimeMs,
    topics,
  }
  const answer = (result: CommitResult): Input<OffsetCommitResponse> => {
    const results = result.topics.values()
    return {
      topics: request.topics.flatMap((topic, index) => {
        const error = resolved[index]?.error ?? ErrorCode.NONE
        const isAsked = error === ErrorCode.NONE && result.error === ErrorCode.NONE
        const partitions = isAsked ? (results.next().value?.partitions ?? []) : []
        // Kafka's answer is made of partitions: a topic without any is not in it.
        if (topic.partitions.length === 0) return []
        if (error !== ErrorCode.NONE) return committedTopic(topic, error)
        if (result.error !== ErrorCode.NONE) return committedTopic(topic, result.error)
        return { ...committedTopic(topic, ErrorCode.NONE), partitions }
      }),
    }
  }
  return { commit, answer }
}

/** The same of a TxnOffsetCommit, which names topics in all versions that are served. */
export function splitTransactionalCommit(
  request: TxnOffsetCommitRequest,
  directory: TopicDirectory,
): SplitCommit {
  return splitCommit(0, { ...request, retentionTimeMs: -1 }, directory)
}

/** What a request asks of one group, and how that part is answered. */
export interface GroupFetch {
  readonly query: OffsetQuery
  readonly answer: (topics: readonly FetchedTopic[]) => Input<OffsetFetchResponseGroup>
  readonly fail: (error: ErrorCode) => Input<OffsetFetchResponseGroup>
}

/** The groups that an OffsetFetch of any version asks about. */
export function splitFetch(
  version: number,
  request: OffsetFetchRequest,
  directory: TopicDirectory,
): readonly GroupFetch[] {
  const { requireStable } = request
  if (version >= GROUPS_VERSION) {
    return request.groups.map((group) => groupFetch(version, group, requireStable, directory))
  }
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
  const group = { groupId: request.groupId, memberId: null, memberEpoch: -1, topics }
  return [groupFetch(version, group, requireStable, directory)]
}

/** Puts the answers of the groups into the shape of `version`. */
export function joinFetched(
  version: number,
  groups: readonly Input<OffsetFetchResponseGroup>[],
): Input<OffsetFetchResponse> {
  if (version >= GROUPS_VERSION) return { groups }
  const [group] = groups
  const topics = group?.topics?.map(({ name, partitions }) => ({ name, partitions })) ?? []
  return { topics, errorCode: group?.errorCode }
}

function groupFetch(
  version: number,
  { groupId, topics }: OffsetFetchRequestGroup,
  requireStable: boolean,
  directory: TopicDirectory,
): GroupFetch {
  const resolved =
    topics?.map((topic) => ({
      topic,
      name: version >= TOPIC_ID_VERSION ? directory.topicName(topic.topicId) : topic.name,
    })) ?? null
  const wanted = resolved?.flatMap(({ topic, name }) =>
    name === null ? [] : [{ name, partitionIndexes: topic.partitionIndexes }],
  )
  return {
    query: { groupId, topics: wanted ?? null, requireStable },
    answer: (fetched) => {
      if (resolved === null) return { groupId, topics: namedTopics(version, fetched, directory) }
      const results = fetched.values()
      return {
        groupId,
        topics: resolved.map(({ topic, name }) => ({
          name: topic.name,
          topicId: topic.topicId,
          partitions:
            name === null
              ? failedPartitions(topic.partitionIndexes, ErrorCode.UNKNOWN_TOPIC_ID)
              : results.next().value?.partitions,
        })),
      }
    },
    fail: (error) => ({
      groupId,
      errorCode: error,
      topics:
        version >= TOP_LEVEL_ERROR_VERSION
          ? []
          : topics?.map(({ name, partitionIndexes }) => ({
              name,
              partitions: failedPartitions(partitionIndexes, error),
            })),
    }),
  }
}

/** Everything the group has committed; by id a topic that was deleted cannot be named. */
function namedTopics(
  version: number,
  fetched: readonly FetchedTopic[],
  directory: TopicDirectory,
): Input<OffsetFetchResponseTopics>[] {
  if (version < TOPIC_ID_VERSION) return fetched.map((topic) => ({ ...topic }))
  return fetched.flatMap(({ name, partitions }) => {
    const topicId = directory.topicId(name)
    return topicId === null ? [] : [{ topicId, partitions }]
  })
}

function resolve(
  version: number,
  { name, topicId }: OffsetCommitRequestTopic,
  directory: TopicDirectory,
): ResolvedTopic {
  if (version >= TOPIC_ID_VERSION) {
    const known = directory.topicName(topicId)
    return known === null
      ? { name: null, error: ErrorCode.UNKNOWN_TOPIC_ID }
      : { name: known, error: ErrorCode.NONE }
  }
  return directory.hasTopic(name)
    ? { name, error: ErrorCode.NONE }
    : { name: null, error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
}

function committedTopic(
  { name, topicId, partitions }: OffsetCommitRequestTopic,
  errorCode: ErrorCode,
): OffsetCommitResponseTopic {
  return {
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }
}

function failedPartitions(
  partitionIndexes: readonly number[],
  errorCode: ErrorCode,
): OffsetFetchResponseTopics['partitions'] {
  return partitionIndexes.map((partitionIndex) => ({
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode,
  }))
}
