// Versions: 4-18 (broker listener: partitions; controller listener: the quorum's metadata log).
// Behaviour: long polls, byte limits and the first-batch rule, isolation levels, epoch fencing and divergence as in
//   Kafka's ReplicaManager; followers by replica id.
// Added: v7 sessions; v9 current leader epoch; v11 rack; v12 last fetched epoch; v13 topic ids; v15 replica state;
//   v16 leader endpoints; v17 directory ids; v18 high watermark.
// Not done: incremental sessions (KIP-227): every fetch is a full one and the session id is 0, as a broker without
//   room for sessions answers; preferred read replicas (KIP-392).
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../src/wire/messages/01-fetch.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { FetchEntry, FetchPartitionResult } from '../replica/fetch-result.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { leaderEndpoints, resolveTopic } from './topic-lookup.ts'

type TopicAnswer = NonNullable<Input<FetchResponse>['responses']>[number]
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number]

const CURRENT_LEADER_VERSION = 12
const TOPIC_IDS_VERSION = 13
const REPLICA_STATE_VERSION = 15
const NODE_ENDPOINTS_VERSION = 16
const NO_SESSION = 0
const UNKNOWN_OFFSET = -1
const MAX_INCREMENTAL_EPOCH = 0

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
    if (request.sessionId !== NO_SESSION && request.sessionEpoch > MAX_INCREMENTAL_EPOCH) {
      respond({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
      return
    }
    const { entries, unknown } = entriesOf(context, request)
    const usesState = context.apiVersion >= REPLICA_STATE_VERSION
    context.services.replicas.fetch(
      {
        replicaId: usesState ? request.replicaState.replicaId : request.replicaId,
        replicaEpoch: usesState ? request.replicaState.replicaEpoch : -1,
        maxWaitMs: unknown.length > 0 ? 0 : request.maxWaitMs,
        minBytes: request.minBytes,
        maxBytes: request.maxBytes,
        isolationLevel: request.isolationLevel,
        version: context.apiVersion,
        clientId: context.clientId,
        rackId: request.rackId,
        entries,
      },
      (results) => {
        respond(responseOf(context, results, unknown))
      },
    )
  },
}

function entriesOf(
  context: RequestContext,
  request: FetchRequest,
): { readonly entries: readonly FetchEntry[]; readonly unknown: readonly TopicAnswer[] } {
  const entries: FetchEntry[] = []
  const unknown: TopicAnswer[] = []
  for (const topic of request.topics) {
    const { name, id, isKnown } = resolveTopic(context, { name: topic.topic, id: topic.topicId })
    if (!isKnown) {
      unknown.push(unknownTopic(context, topic))
      continue
    }
    for (const partition of topic.partitions) {
      entries.push({
        topic: name,
        topicId: context.apiVersion >= TOPIC_IDS_VERSION ? id : ZERO_UUID,
        partition: partition.partition,
        currentLeaderEpoch: partition.currentLeaderEpoch,
        fetchOffset: partition.fetchOffset,
        lastFetchedEpoch: partition.lastFetchedEpoch,
        logStartOffset: partition.logStartOffset,
        maxBytes: partition.partitionMaxBytes,
      })
    }
  }
  return { entries, unknown }
}

function unknownTopic(context: RequestContext, topic: FetchRequest['topics'][number]): TopicAnswer {
  const errorCode =
    context.apiVersion >= TOPIC_IDS_VERSION
      ? ErrorCode.UNKNOWN_TOPIC_ID
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return {
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partition }) => ({
      partitionIndex: partition,
      errorCode,
      highWatermark: -1,
    })),
  }
}

function responseOf(
  context: RequestContext,
  results: readonly FetchPartitionResult[],
  unknown: readonly TopicAnswer[],
): Input<FetchResponse> {
  const moved = new Set<number>()
  const topics: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = []
  for (const result of results) {
    let topic = topics.at(-1)
    if (topic === undefined || topic.topic !== result.topic) {
      topic = { topic: result.topic, topicId: result.topicId, partitions: [] }
      topics.push(topic)
    }
    topic.partitions.push(partitionAnswer(context.apiVersion, result, moved))
  }
  return {
    errorCode: ErrorCode.NONE,
    sessionId: NO_SESSION,
    responses: [...topics, ...unknown],
    nodeEndpoints:
      context.apiVersion >= NODE_ENDPOINTS_VERSION ? leaderEndpoints(context, moved) : [],
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
