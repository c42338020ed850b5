// Versions: 4-18 (broker listener: partitions; controller listener: the quorum's metadata log).
// Behaviour: long polls, byte limits and the first-batch rule, isolation levels, epoch fencing and divergence as in
//   Kafka's ReplicaManager; followers by replica id; incremental sessions (KIP-227); consumers are sent to a replica
//   in their rack where replica.selector.class says so (KIP-392).
// Added: v7 sessions; v9 current leader epoch; v11 rack; v12 last fetched epoch; v13 topic ids; v15 replica state;
//   v16 leader endpoints; v17 directory ids; v18 high watermark.
// Not done: nothing known (all offsets of a log are local: there is no tiered storage).
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../src/wire/messages/01-fetch.ts'
import type { Input } from '../../src/wire/schema.ts'
import {
  fetchFailure,
  type FetchEntry,
  type FetchPartitionResult,
} from '../replica/fetch-result.ts'
import type { SessionPartition } from '../replica/fetch-session.ts'
import type { FetchContext, FetchSessionAnswer } from '../replica/fetch-sessions.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { leaderEndpoints } from './topic-lookup.ts'

type TopicAnswer = NonNullable<Input<FetchResponse>['responses']>[number]
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number]

const CURRENT_LEADER_VERSION = 16
const NO_EPOCH = -1
const ISOLATION_LEVELS: ReadonlySet<number> = new Set([0, 1])
const TOPIC_IDS_VERSION = 13
const REPLICA_STATE_VERSION = 15
const NODE_ENDPOINTS_VERSION = 16
const UNKNOWN_OFFSET = -1

export const fetchHandler: ApiHandler<FetchRequest, FetchResponse> = {
  api: fetchApi,
  minVersion: 4,
  maxVersion: 18,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.raft.handleFetch(context.apiVersion, request, respond)
      return
    }
    const usesState = context.apiVersion >= REPLICA_STATE_VERSION
    const replicaId = usesState ? request.replicaState.replicaId : request.replicaId
    const fetch = openFetch(context, request, replicaId >= 0)
    if (typeof fetch === 'number') {
      respond({ errorCode: fetch })
      return
    }
    if (!ISOLATION_LEVELS.has(request.isolationLevel)) {
      respond(refusalOf(context, fetch.partitions))
      return
    }
    const { good, bad, failures } = resolved(context, fetch.partitions)
    const asked = bad.length === 0 ? good : [...good, ...bad]
    const finish = (results: readonly FetchPartitionResult[]): void => {
      const all = failures.length === 0 ? results : [...results, ...failures]
      respond(responseOf(context, fetch.answer(asked, all), replicaId >= 0))
    }
    if (good.length === 0) return finish([])
    context.services.replicas.fetch(
      {
        replicaId,
        replicaEpoch: usesState ? request.replicaState.replicaEpoch : -1,
        maxWaitMs: request.maxWaitMs,
        minBytes: request.minBytes,
        maxBytes: request.maxBytes,
        isolationLevel: request.isolationLevel,
        version: context.apiVersion,
        clientId: context.clientId,
        rackId: request.rackId,
        listenerName: context.listenerName,
        entries: good.map(({ entry }) => entry),
      },
      finish,
    )
  },
}

function openFetch(
  context: RequestContext,
  request: FetchRequest,
  isFollower: boolean,
): FetchContext | ErrorCode {
  const usesTopicIds = context.apiVersion >= TOPIC_IDS_VERSION
  return context.services.fetchSessions.open({
    sessionId: request.sessionId,
    sessionEpoch: request.sessionEpoch,
    isFollower,
    usesTopicIds,
    wanted: request.topics.flatMap((topic) => entriesOf(context, topic, usesTopicIds)),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, topicId, partition })),
    ),
  })
}

function entriesOf(
  context: RequestContext,
  topic: FetchRequest['topics'][number],
  usesTopicIds: boolean,
): readonly FetchEntry[] {
  const { topicId } = topic
  const name = usesTopicIds
    ? (context.services.image().topicsById.get(topicId)?.name ?? '')
    : topic.topic
  return topic.partitions.map((partition) => ({
    topic: name,
    topicId,
    partition: partition.partition,
    currentLeaderEpoch: Math.max(NO_EPOCH, partition.currentLeaderEpoch),
    fetchOffset: partition.fetchOffset,
    lastFetchedEpoch: Math.max(NO_EPOCH, partition.lastFetchedEpoch),
    logStartOffset: partition.logStartOffset,
    maxBytes: partition.partitionMaxBytes,
  }))
}

interface Resolved {
  readonly good: readonly SessionPartition[]
  /** What the committed metadata does not know, with the answer for each. */
  readonly bad: readonly SessionPartition[]
  readonly failures: readonly FetchPartitionResult[]
}

/** Looked at with every request: a topic of a session may be created or deleted between two. */
function resolved(context: RequestContext, partitions: readonly SessionPartition[]): Resolved {
  const image = context.services.image()
  const good: SessionPartition[] = []
  const bad: SessionPartition[] = []
  const failures: FetchPartitionResult[] = []
  for (const partition of partitions) {
    const { topic, topicId } = partition.entry
    const isById = topicId !== ZERO_UUID || context.apiVersion >= TOPIC_IDS_VERSION
    const known = isById ? image.topicsById.get(topicId) : image.topicsByName.get(topic)
    if (known?.partitions.has(partition.entry.partition) === true) {
      if (topic === '') partition.entry = { ...partition.entry, topic: known.name }
      good.push(partition)
    } else {
      const isIdUnknown = isById && known === undefined
      const code = isIdUnknown ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      bad.push(partition)
      failures.push({ ...fetchFailure(partition.entry, code), abortedTransactions: [] })
    }
  }
  return { good, bad, failures }
}

/** An isolation level that does not exist is an unexpected error to Kafka: of the whole and, by name, of each partition. */
function refusalOf(
  context: RequestContext,
  partitions: readonly SessionPartition[],
): Input<FetchResponse> {
  const error = ErrorCode.UNKNOWN_SERVER_ERROR
  const named = context.apiVersion >= TOPIC_IDS_VERSION ? [] : partitions
  const results = named.map(({ entry }) => ({
    ...fetchFailure(entry, error),
    abortedTransactions: [],
  }))
  return responseOf(context, { error, sessionId: 0, results }, false)
}

function responseOf(
  context: RequestContext,
  answer: FetchSessionAnswer,
  isFollower: boolean,
): Input<FetchResponse> {
  const usesTopicIds = context.apiVersion >= TOPIC_IDS_VERSION
  const moved = new Set<number>()
  const topics: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = []
  for (const result of answer.results) {
    let topic = topics.at(-1)
    const isSame = usesTopicIds ? topic?.topicId === result.topicId : topic?.topic === result.topic
    if (topic === undefined || !isSame) {
      topic = { topic: result.topic, topicId: result.topicId, partitions: [] }
      topics.push(topic)
    }
    topic.partitions.push(partitionAnswer(context.apiVersion, result, moved))
  }
  return {
    errorCode: answer.error,
    sessionId: answer.sessionId,
    responses: topics,
    nodeEndpoints:
      context.apiVersion >= NODE_ENDPOINTS_VERSION && !isFollower
        ? leaderEndpoints(context, moved)
        : [],
  }
}

function partitionAnswer(
  version: number,
  result: FetchPartitionResult,
  moved: Set<number>,
): PartitionAnswer {
  const { error, currentLeader, divergingEpoch } = result
  const isMoved =
    error === ErrorCode.NOT_LEADER_OR_FOLLOWER || error === ErrorCode.FENCED_LEADER_EPOCH
  if (isMoved && currentLeader.leaderId !== -1) moved.add(currentLeader.leaderId)
  // Kafka tells the log's bounds only beside data; an error leaves them unknown.
  const isGood = error === ErrorCode.NONE
  return {
    partitionIndex: result.partition,
    errorCode: error,
    highWatermark: isGood ? result.highWatermark : UNKNOWN_OFFSET,
    lastStableOffset: isGood ? result.lastStableOffset : UNKNOWN_OFFSET,
    logStartOffset: isGood ? result.logStartOffset : UNKNOWN_OFFSET,
    abortedTransactions: result.abortedTransactions,
    preferredReadReplica: result.preferredReadReplica,
    records: result.records,
    ...(isMoved && version >= CURRENT_LEADER_VERSION ? { currentLeader } : {}),
    ...(divergingEpoch === null ? {} : { divergingEpoch }),
  }
}
