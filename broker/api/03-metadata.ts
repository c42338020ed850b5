// Versions: 0-13.
// Behaviour: topics by name or id, null or (v0) empty for all; brokers that are alive; an alive broker as
//   controller id, as KRaft brokers answer; auto topic creation when the request and the broker allow it.
// Added: v1 controller id, rack, internal flag; v2 cluster id; v4 auto creation flag; v5 offline replicas;
//   v7 leader epoch; v8 authorised operations; v10 topic ids; v12 requests by id; v13 a top-level error, never sent.
// Not done: ACLs: everybody may do every operation.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  metadataApi,
  type MetadataRequest,
  type MetadataResponse,
} from '../../src/wire/messages/03-metadata.ts'
import type { Input } from '../../src/wire/schema.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import type { MetadataImage, PartitionState, TopicImage } from '../metadata/image.ts'
import { isInternalTopic, isLegalTopicName } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from './authorized-operations.ts'
import { partitionHealth } from './partition-health.ts'

type Response = Input<MetadataResponse>
type TopicAnswer = NonNullable<Response['topics']>[number]
type MetadataTopics = NonNullable<MetadataRequest['topics']>
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number]

const BY_ID_VERSION = 12

export const metadataHandler: ApiHandler<MetadataRequest, MetadataResponse> = {
  api: metadataApi,
  minVersion: 0,
  maxVersion: 13,
  listeners: ['broker'],
  handle(context, request, respond) {
    const refused = refusalOf(context.apiVersion, request)
    if (refused !== null) {
      respond(refused)
      return
    }
    const image = context.services.image()
    const alive = aliveBrokers(image, context.listenerName)
    respond({
      brokers: alive,
      clusterId: context.services.clusterId,
      controllerId: alive[0]?.nodeId ?? -1,
      topics: askedTopics(context, request, image),
      ...(request.includeClusterAuthorizedOperations
        ? { clusterAuthorizedOperations: CLUSTER_OPERATIONS }
        : {}),
    })
  },
}

/** v10 and v11 have topic ids in the request, but only names may be used; later a topic has one or the other. */
function refusalOf(version: number, { topics }: MetadataRequest): Response | null {
  const asked = topics ?? []
  const isOfName = ({ name, topicId }: MetadataTopics[number]): boolean =>
    name !== null && topicId === ZERO_UUID
  if (version < BY_ID_VERSION && !asked.every(isOfName)) {
    return wholeRefusal(asked, ErrorCode.INVALID_REQUEST)
  }
  if (asked.some(({ name, topicId }) => name === null && topicId === ZERO_UUID)) {
    return wholeRefusal(asked, ErrorCode.UNKNOWN_SERVER_ERROR)
  }
  return null
}

function wholeRefusal(asked: MetadataTopics, errorCode: number): Response {
  return {
    brokers: [],
    topics: asked.map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId })),
    errorCode,
  }
}

function aliveBrokers(
  image: MetadataImage,
  listenerName: string,
): NonNullable<Response['brokers']>[number][] {
  const alive: NonNullable<Response['brokers']>[number][] = []
  for (const broker of image.brokers.values()) {
    if (broker.isFenced) continue
    const listener = endpointNamed(broker.listeners, listenerName)
    if (listener === undefined) continue
    alive.push({ nodeId: broker.id, host: listener.host, port: listener.port, rack: broker.rack })
  }
  return alive.sort((a, b) => (a.nodeId ?? 0) - (b.nodeId ?? 0))
}

function askedTopics(
  context: RequestContext,
  request: MetadataRequest,
  image: MetadataImage,
): TopicAnswer[] {
  const isAll = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
  const withOperations = (topic: TopicImage): TopicAnswer => ({
    ...describe(context, topic, image),
    ...(request.includeTopicAuthorizedOperations
      ? { topicAuthorizedOperations: TOPIC_OPERATIONS }
      : {}),
  })
  if (isAll) return [...image.topicsByName.values()].map(withOperations)
  const once = new Map(
    (request.topics ?? []).map((asked) => [`${asked.topicId} ${asked.name}`, asked]),
  )
  return [...once.values()].map((asked) => {
    if (asked.topicId !== ZERO_UUID) {
      const topic = image.topicsById.get(asked.topicId)
      return topic === undefined
        ? { errorCode: ErrorCode.UNKNOWN_TOPIC_ID, topicId: asked.topicId, name: null }
        : withOperations(topic)
    }
    const name = asked.name ?? ''
    const topic = image.topicsByName.get(name)
    return topic === undefined ? missing(context, request, name) : withOperations(topic)
  })
}

function missing(context: RequestContext, request: MetadataRequest, name: string): TopicAnswer {
  const answer = { name, topicId: ZERO_UUID, isInternal: isInternalTopic(name) }
  if (!isLegalTopicName(name)) return { ...answer, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION }
  const { services, apiVersion } = context
  const isAllowed = apiVersion < 4 || request.allowAutoTopicCreation
  if (isAllowed && services.config.boolean('auto.create.topics.enable')) {
    services.topicCreation.requestTopic(name)
  }
  return { ...answer, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
}

function describe(context: RequestContext, topic: TopicImage, image: MetadataImage): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: [...topic.partitions.values()]
      .sort((a, b) => a.partition - b.partition)
      .map((state) => describePartition(context, state, image)),
  }
}

function describePartition(
  context: RequestContext,
  state: PartitionState,
  image: MetadataImage,
): PartitionAnswer {
  const { hasLeader, isLeaderReachable, offlineReplicas } = partitionHealth(
    image,
    state,
    context.listenerName,
  )
  return {
    errorCode: leaderError(context, hasLeader, isLeaderReachable),
    partitionIndex: state.partition,
    leaderId: hasLeader ? state.leader : -1,
    leaderEpoch: state.leaderEpoch,
    replicaNodes: state.replicas,
    isrNodes: state.isr,
    offlineReplicas,
  }
}

function leaderError(context: RequestContext, hasLeader: boolean, isReachable: boolean): number {
  if (!hasLeader) return ErrorCode.LEADER_NOT_AVAILABLE
  if (isReachable) return ErrorCode.NONE
  return context.apiVersion >= 6 ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE
}
