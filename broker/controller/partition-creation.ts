import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../src/wire/messages/37-create-partitions.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import type { TopicImage } from '../metadata/image.ts'
import type { ControlContext } from './control-context.ts'
import {
  apiError,
  BATCH_TOO_LARGE,
  MAX_RECORDS_PER_BATCH,
  NO_ERROR,
  type ApiError,
  type Outcome,
} from './outcome.ts'
import {
  initialIsr,
  partitionRecord,
  placeOnCluster,
  problemWithReplicas,
} from './replica-assignment.ts'

type TopicRequest = CreatePartitionsRequest['topics'][number]
type TopicResult = Input<CreatePartitionsResponse['results'][number]>

/** Answers CreatePartitions: the number of partitions of a topic may only grow, at its replication factor. */
export function createPartitions(
  context: ControlContext,
  request: CreatePartitionsRequest,
): Outcome<CreatePartitionsResponse> {
  const requested = new Map(request.topics.map((topic) => [topic.name, topic]))
  const records: MetadataRecord[] = []
  const results: TopicResult[] = []
  for (const topic of requested.values()) {
    const isRepeated = request.topics.filter(({ name }) => name === topic.name).length > 1
    const added = isRepeated
      ? apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
      : addPartitions(context, topic)
    if ('errorCode' in added) {
      results.push(resultFor(topic.name, added))
      continue
    }
    results.push(resultFor(topic.name, NO_ERROR))
    records.push(...added)
  }
  if (records.length > MAX_RECORDS_PER_BATCH) {
    const error = apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE)
    return { records: [], response: refusedPartitions(request, error) }
  }
  return { records: request.validateOnly ? [] : records, response: { results } }
}

/** The same refusal for every topic of the request. */
export function refusedPartitions(
  request: CreatePartitionsRequest,
  error: ApiError,
): Input<CreatePartitionsResponse> {
  const names = new Set(request.topics.map((topic) => topic.name))
  return { results: [...names].map((name) => resultFor(name, error)) }
}

function resultFor(name: string, error: ApiError): TopicResult {
  return { name, ...error }
}

function addPartitions(
  context: ControlContext,
  request: TopicRequest,
): readonly MetadataRecord[] | ApiError {
  const topic = context.image.topicsByName.get(request.name)
  if (topic === undefined)
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null }
  const problem = problemWithCount(topic, request)
  if (problem !== null) return problem
  const replicas = replicasOf(context, topic, request)
  if ('errorCode' in replicas) return replicas
  const records: MetadataRecord[] = []
  for (const [index, assigned] of replicas.entries()) {
    const partition = topic.partitions.size + index
    const isr = initialIsr(context, assigned)
    if (isr.length === 0) return allFenced(request, partition)
    records.push(
      partitionRecord(context, { topicId: topic.id, partition, replicas: assigned, isr }),
    )
  }
  return records
}

function problemWithCount(
  topic: TopicImage,
  { count, assignments }: TopicRequest,
): ApiError | null {
  const current = topic.partitions.size
  const additional = count - current
  if (additional === 0) {
    return apiError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${current} partition(s).`)
  }
  if (additional < 0) {
    const message =
      `The topic ${topic.name} currently has ${current} partition(s); ` +
      `${count} would not be an increase.`
    return apiError(ErrorCode.INVALID_PARTITIONS, message)
  }
  if (assignments !== null && assignments.length !== additional) {
    const message =
      `Attempted to add ${additional} additional partition(s), but only ` +
      `${assignments.length} assignment(s) were specified.`
    return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  }
  if (additional > MAX_RECORDS_PER_BATCH)
    return apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE)
  return null
}

function replicasOf(
  context: ControlContext,
  topic: TopicImage,
  request: TopicRequest,
): readonly (readonly number[])[] | ApiError {
  const replicationFactor = topic.partitions.get(0)?.replicas.length ?? 1
  if (request.assignments === null) {
    const additional = request.count - topic.partitions.size
    const placement = placeOnCluster(context, additional, replicationFactor)
    return 'problem' in placement
      ? apiError(ErrorCode.INVALID_REPLICATION_FACTOR, placement.problem)
      : placement.replicas
  }
  const replicas = request.assignments.map(({ brokerIds }) => brokerIds)
  for (const assigned of replicas) {
    const problem = problemWithReplicas(context, assigned, replicationFactor)
    if (problem !== null) return problem
  }
  return replicas
}

function allFenced(request: TopicRequest, partition: number): ApiError {
  if (request.assignments === null) {
    const message =
      'Unable to replicate the partition: ' +
      'All brokers are currently fenced or in controlled shutdown.'
    return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
  }
  const message =
    'All brokers specified in the manual partition assignment for partition ' +
    `${partition} are fenced or in controlled shutdown.`
  return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
}
