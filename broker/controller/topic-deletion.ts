import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '../../src/wire/messages/20-delete-topics.ts'
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

/** From this version on there is a code of its own for a cluster that deletes no topics. */
const DELETION_DISABLED_SINCE = 3

/** One topic as the client named it: by name, or by id with a null name. */
interface TopicReference {
  readonly name: string | null
  readonly topicId: Uuid
}

/** Answers DeleteTopics, by name (all versions) or id (v6): each topic is deleted or refused by itself. */
export function deleteTopics(
  context: ControlContext,
  version: number,
  request: DeleteTopicsRequest,
): Outcome<DeleteTopicsResponse> {
  const refuse = (error: ApiError): Outcome<DeleteTopicsResponse> => ({
    records: [],
    response: refusedDeletion(request, error),
  })
  if (!context.config.boolean('delete.topic.enable')) return refuse(deletionDisabled(version))
  const references = referencesOf(request)
  if (references.length > MAX_RECORDS_PER_BATCH) {
    return refuse(apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE))
  }
  const deleted = new Map<Uuid, TopicImage>()
  const responses = distinct(references).map(({ reference, isRepeated }) => {
    const found = isRepeated ? repeated(reference) : find(context, reference, deleted)
    if ('errorCode' in found) return resultFor(reference, found)
    deleted.set(found.id, found)
    return resultFor({ name: found.name, topicId: found.id }, NO_ERROR)
  })
  const topics = [...deleted.values()]
  return {
    records: topics.map(({ id }) => metadataRecord('RemoveTopicRecord', { topicId: id })),
    response: { responses },
    events: topics.map(({ name }) => ({
      kind: 'controller.topic-deleted',
      fields: { topic: name },
    })),
  }
}

/** The same refusal for every topic of the request. */
export function refusedDeletion(
  request: DeleteTopicsRequest,
  error: ApiError,
): Input<DeleteTopicsResponse> {
  return { responses: referencesOf(request).map((reference) => resultFor(reference, error)) }
}

function resultFor(
  { name, topicId }: TopicReference,
  error: ApiError,
): Input<DeleteTopicsResponse['responses'][number]> {
  return { name, topicId, ...error }
}

function deletionDisabled(version: number): ApiError {
  const code =
    version < DELETION_DISABLED_SINCE
      ? ErrorCode.INVALID_REQUEST
      : ErrorCode.TOPIC_DELETION_DISABLED
  return apiError(code, 'Topic deletion is disabled.')
}

function referencesOf(request: DeleteTopicsRequest): readonly TopicReference[] {
  const byName = request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  return [...byName, ...request.topics]
}

function distinct(
  references: readonly TopicReference[],
): readonly { readonly reference: TopicReference; readonly isRepeated: boolean }[] {
  const seen = new Map<string, { readonly reference: TopicReference; isRepeated: boolean }>()
  for (const reference of references) {
    const key = `${reference.topicId} ${reference.name ?? ''}`
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, { reference, isRepeated: false })
    else earlier.isRepeated = true
  }
  return [...seen.values()]
}

function repeated(reference: TopicReference): ApiError {
  const what = reference.name === null ? 'id' : 'name'
  return apiError(ErrorCode.INVALID_REQUEST, `Duplicate topic ${what}.`)
}

function find(
  context: ControlContext,
  { name, topicId }: TopicReference,
  deleted: ReadonlyMap<Uuid, TopicImage>,
): TopicImage | ApiError {
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REQUEST, message)
  const hasId = topicId !== ZERO_UUID
  if (name === null && !hasId) return invalid('Neither topic name nor id were specified.')
  if (name !== null && hasId) return invalid('You may not specify both topic name and topic id.')
  const { topicsByName, topicsById } = context.image
  const topic = name === null ? topicsById.get(topicId) : topicsByName.get(name)
  if (topic === undefined) {
    return apiError(hasId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  if (!deleted.has(topic.id)) return topic
  return invalid('The provided topic name maps to an ID that was already supplied.')
}
