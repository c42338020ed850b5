import { randomUuid, type Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '../../src/wire/messages/19-create-topics.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import { METADATA_TOPIC } from '../metadata/topic-name.ts'
import type { ControlContext } from './control-context.ts'
import {
  apiError,
  BATCH_TOO_LARGE,
  MAX_RECORDS_PER_BATCH,
  type ApiError,
  type Outcome,
} from './outcome.ts'
import {
  initialIsr,
  partitionRecord,
  placeOnCluster,
  problemWithReplicas,
  type NewPartition,
} from './replica-assignment.ts'
import { collisionKey, problemWithTopicName } from '../metadata/topic-name.ts'

type TopicRequest = CreateTopicsRequest['topics'][number]
type TopicResult = Input<CreateTopicsResponse['topics'][number]>
type Layout = { readonly partitions: readonly Omit<NewPartition, 'topicId'>[] } | ApiError

interface CreatedTopic {
  readonly result: TopicResult
  readonly records: readonly MetadataRecord[]
}

/**
 * Answers CreateTopics: each topic is created or refused by itself, all that are created in one batch.
 * Partition count and replication factor of -1 are the broker's defaults in every version.
 * More records than one batch may have refuse the whole request with POLICY_VIOLATION.
 */
export function createTopics(
  context: ControlContext,
  request: CreateTopicsRequest,
): Outcome<CreateTopicsResponse> {
  if (partitionsAsked(context, request) > MAX_RECORDS_PER_BATCH) {
    return refusedTopics(request, 'Excessively large number of partitions per request.')
  }
  const requested = new Map(request.topics.map((topic) => [topic.name, topic]))
  const collisions = collidingNames(context)
  const records: MetadataRecord[] = []
  const results: TopicResult[] = []
  const created: string[] = []
  for (const topic of requested.values()) {
    const isRepeated = request.topics.filter(({ name }) => name === topic.name).length > 1
    const outcome = isRepeated
      ? apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
      : createTopic(context, topic, collisions)
    if ('errorCode' in outcome) {
      results.push(refusedTopic(topic.name, outcome))
      continue
    }
    results.push(outcome.result)
    records.push(...outcome.records)
    created.push(topic.name)
  }
  if (records.length > MAX_RECORDS_PER_BATCH) {
    return refusedTopics(request, BATCH_TOO_LARGE)
  }
  const events = created.map((topic) => ({ kind: 'controller.topic-created', fields: { topic } }))
  return request.validateOnly
    ? { records: [], response: { topics: results } }
    : { records, response: { topics: results }, events }
}

/** The same refusal for every topic of the request. */
export function refusedCreation(
  request: CreateTopicsRequest,
  error: ApiError,
): Input<CreateTopicsResponse> {
  const names = new Set(request.topics.map((topic) => topic.name))
  return { topics: [...names].map((name) => refusedTopic(name, error)) }
}

function refusedTopic(name: string, error: ApiError): TopicResult {
  return { name, ...error }
}

function refusedTopics(
  request: CreateTopicsRequest,
  message: string,
): Outcome<CreateTopicsResponse> {
  const error = apiError(ErrorCode.POLICY_VIOLATION, message)
  return { records: [], response: refusedCreation(request, error) }
}

function partitionsAsked(context: ControlContext, request: CreateTopicsRequest): number {
  return request.topics.reduce((total, topic) => {
    const byDefault =
      topic.numPartitions === -1 ? context.config.int('num.partitions') : topic.numPartitions
    return (
      total + (topic.assignments.length > 0 ? topic.assignments.length : Math.max(0, byDefault))
    )
  }, 0)
}

function collidingNames(context: ControlContext): Map<string, string> {
  return new Map([...context.image.topicsByName.keys()].map((name) => [collisionKey(name), name]))
}

function createTopic(
  context: ControlContext,
  topic: TopicRequest,
  collisions: ReadonlyMap<string, string>,
): CreatedTopic | ApiError {
  const problem =
    problemWithName(context, topic.name, collisions) ?? problemWithConfigs(context, topic)
  if (problem !== null) return problem
  const layout =
    topic.assignments.length > 0 ? manualLayout(context, topic) : placedLayout(context, topic)
  if ('errorCode' in layout) return layout
  const topicId = randomUuid((count) => context.random.bytes(count))
  return {
    result: resultOf(context, topic, topicId, layout.partitions),
    // Configs come before the partitions, so that a broker has them when it opens the logs.
    records: [
      metadataRecord('TopicRecord', { name: topic.name, topicId }),
      ...configRecords(topic),
      ...layout.partitions.map((created) => partitionRecord(context, { ...created, topicId })),
    ],
  }
}

function problemWithName(
  context: ControlContext,
  name: string,
  collisions: ReadonlyMap<string, string>,
): ApiError | null {
  if (context.image.topicsByName.has(name)) {
    return apiError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  }
  if (name === METADATA_TOPIC) {
    const message = `Creation of internal topic ${METADATA_TOPIC} is prohibited.`
    return apiError(ErrorCode.INVALID_REQUEST, message)
  }
  const illegal = problemWithTopicName(name)
  if (illegal !== null) return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, illegal)
  const colliding = collisions.get(collisionKey(name))
  if (colliding === undefined) return null
  const message = `Topic '${name}' collides with existing topic: ${colliding}`
  return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, message)
}

function problemWithConfigs(context: ControlContext, topic: TopicRequest): ApiError | null {
  const withoutValue = topic.configs.filter((config) => config.value === null)
  if (withoutValue.length > 0) {
    const names = withoutValue.map((config) => config.name).join(',')
    return apiError(
      ErrorCode.INVALID_CONFIG,
      `Null value not supported for topic configs: ${names}`,
    )
  }
  const problem = context.configRules.problemWith(ResourceType.TOPIC, overridesOf(topic))
  return problem === null ? null : apiError(problem.errorCode, problem.message)
}

function manualLayout(context: ControlContext, topic: TopicRequest): Layout {
  for (const [field, value] of [
    ['replication factor', topic.replicationFactor],
    ['numPartitions', topic.numPartitions],
  ] as const) {
    if (value === -1) continue
    const message = `A manual partition assignment was specified, but ${field} was not set to -1.`
    return apiError(ErrorCode.INVALID_REQUEST, message)
  }
  const invalid = (message: string): ApiError =>
    apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  const partitions = new Map<number, Omit<NewPartition, 'topicId'>>()
  let replicationFactor: number | null = null
  for (const { partitionIndex: partition, brokerIds: replicas } of topic.assignments) {
    if (partitions.has(partition)) {
      return invalid(`Found multiple manual partition assignments for partition ${partition}`)
    }
    const problem = problemWithReplicas(context, replicas, replicationFactor)
    if (problem !== null) return problem
    replicationFactor = replicas.length
    const isr = initialIsr(context, replicas)
    if (isr.length === 0) {
      return invalid(
        'All brokers specified in the manual partition assignment for partition ' +
          `${partition} are fenced or in controlled shutdown.`,
      )
    }
    partitions.set(partition, { partition, replicas, isr })
  }
  const ordered = [...partitions.values()].sort((left, right) => left.partition - right.partition)
  return ordered.every(({ partition }, index) => partition === index)
    ? { partitions: ordered }
    : invalid('partitions should be a consecutive 0-based integer sequence')
}

function placedLayout(context: ControlContext, topic: TopicRequest): Layout {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    const message = 'Replication factor must be larger than 0, or -1 to use the default value.'
    return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    const message = 'Number of partitions was set to an invalid non-positive value.'
    return apiError(ErrorCode.INVALID_PARTITIONS, message)
  }
  const { config } = context
  const count = topic.numPartitions === -1 ? config.int('num.partitions') : topic.numPartitions
  const factor =
    topic.replicationFactor === -1
      ? config.int('default.replication.factor')
      : topic.replicationFactor
  const placement = placeOnCluster(context, count, factor)
  const impossible = (reason: string): ApiError =>
    apiError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${factor} time(s): ${reason}`,
    )
  if ('problem' in placement) return impossible(placement.problem)
  const partitions = placement.replicas.map((replicas, partition) => ({
    partition,
    replicas,
    isr: initialIsr(context, replicas),
  }))
  return partitions.some(({ isr }) => isr.length === 0)
    ? impossible('All brokers are currently fenced or in controlled shutdown.')
    : { partitions }
}

function configRecords(topic: TopicRequest): readonly MetadataRecord[] {
  return [...overridesOf(topic)].map(([name, value]) =>
    metadataRecord('ConfigRecord', {
      resourceType: ResourceType.TOPIC,
      resourceName: topic.name,
      name,
      value,
    }),
  )
}

function overridesOf(topic: TopicRequest): ReadonlyMap<string, string> {
  return new Map(topic.configs.map(({ name, value }) => [name, value ?? '']))
}

function resultOf(
  context: ControlContext,
  topic: TopicRequest,
  topicId: Uuid,
  partitions: readonly Omit<NewPartition, 'topicId'>[],
): TopicResult {
  return {
    name: topic.name,
    topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? -1,
    configs: context.configRules.describeTopic(overridesOf(topic)),
  }
}
