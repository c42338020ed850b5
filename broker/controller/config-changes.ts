import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/wire/messages/44-incremental-alter-configs.ts'
import type {
  AlterConfigsRequest,
  AlterConfigsResponse,
} from '../../src/wire/messages/33-alter-configs.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import type { ControlContext } from './control-context.ts'
import {
  apiError,
  BATCH_TOO_LARGE,
  MAX_RECORDS_PER_BATCH,
  NO_ERROR,
  type ApiError,
  type Outcome,
} from './outcome.ts'
import { problemWithTopicName } from '../metadata/topic-name.ts'

const Operation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const
const BROKER_ID = /^[0-9]{1,10}$/

type ResourceRequest = IncrementalAlterConfigsRequest['resources'][number]
type ConfigChange = ResourceRequest['configs'][number]
type LegacyResource = AlterConfigsRequest['resources'][number]

interface NamedResource {
  readonly resourceType: number
  readonly resourceName: string
}

/**
 * Answers IncrementalAlterConfigs for topics, brokers (name '' is the default of all brokers), client metrics and
 * groups: each resource is changed as a whole or refused by itself.
 */
export function incrementalAlterConfigs(
  context: ControlContext,
  request: IncrementalAlterConfigsRequest,
): Outcome<IncrementalAlterConfigsResponse> {
  return changeEach(request, (resource) => alterResource(context, resource))
}

/** Answers AlterConfigs, the older way: what is given for a resource takes the place of all that it had. */
export function alterConfigs(
  context: ControlContext,
  request: AlterConfigsRequest,
): Outcome<AlterConfigsResponse> {
  return changeEach(request, (resource) => replaceResource(context, resource))
}

interface ConfigsRequest<Resource> {
  readonly resources: readonly Resource[]
  readonly validateOnly: boolean
}

/** The answer has the same form for both. */
function changeEach<Resource extends NamedResource>(
  request: ConfigsRequest<Resource>,
  change: (resource: Resource) => readonly MetadataRecord[] | ApiError,
): Outcome<IncrementalAlterConfigsResponse> {
  const records: MetadataRecord[] = []
  const responses = distinct(request.resources).map(({ resource, isRepeated }) => {
    const changed = isRepeated
      ? apiError(ErrorCode.INVALID_REQUEST, 'Duplicate resource.')
      : change(resource)
    if ('errorCode' in changed) return responseFor(resource, changed)
    records.push(...changed)
    return responseFor(resource, NO_ERROR)
  })
  if (records.length > MAX_RECORDS_PER_BATCH) {
    const error = apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE)
    return { records: [], response: refusedConfigs(request, error) }
  }
  return { records: request.validateOnly ? [] : records, response: { responses } }
}

function replaceResource(
  context: ControlContext,
  resource: LegacyResource,
): readonly MetadataRecord[] | ApiError {
  const { configs } = resource
  const problem = problemWithResource(context, resource) ?? problemWithValues(configs, configs)
  if (problem !== null) return problem
  const wanted = new Map(configs.map(({ name, value }) => [name, value ?? '']))
  const names = [...currentOf(context, resource).keys(), ...wanted.keys()]
  return recordsFor(context, resource, names, wanted)
}

/** The same refusal for every resource of the request. */
export function refusedConfigs(
  request: { readonly resources: readonly NamedResource[] },
  error: ApiError,
): Input<IncrementalAlterConfigsResponse> {
  return { responses: request.resources.map((resource) => responseFor(resource, error)) }
}

function responseFor(
  { resourceType, resourceName }: NamedResource,
  error: ApiError,
): Input<IncrementalAlterConfigsResponse['responses'][number]> {
  return { resourceType, resourceName, ...error }
}

function distinct<Resource extends NamedResource>(
  resources: readonly Resource[],
): readonly { readonly resource: Resource; readonly isRepeated: boolean }[] {
  const seen = new Map<string, { readonly resource: Resource; isRepeated: boolean }>()
  for (const resource of resources) {
    const key = `${resource.resourceType}:${resource.resourceName}`
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, { resource, isRepeated: false })
    else earlier.isRepeated = true
  }
  return [...seen.values()]
}

function alterResource(
  context: ControlContext,
  resource: ResourceRequest,
): readonly MetadataRecord[] | ApiError {
  const problem = problemWithResource(context, resource) ?? problemWithChanges(resource)
  if (problem !== null) return problem
  const current = currentOf(context, resource)
  const wanted = new Map(current)
  for (const change of resource.configs) {
    const value = newValue(context, resource, change, current.get(change.name) ?? null)
    if (typeof value === 'object' && value !== null) return value
    if (value === null) wanted.delete(change.name)
    else wanted.set(change.name, value)
  }
  const names = resource.configs.map(({ name }) => name)
  return recordsFor(context, resource, names, wanted)
}

/** The records that bring the named configs of a resource to what is wanted of them, unless the whole cannot be. */
function recordsFor(
  context: ControlContext,
  { resourceType, resourceName }: NamedResource,
  names: Iterable<string>,
  wanted: ReadonlyMap<string, string>,
): readonly MetadataRecord[] | ApiError {
  const invalid = context.configRules.problemWith(resourceType, wanted)
  if (invalid !== null) return apiError(invalid.errorCode, invalid.message)
  const current = currentOf(context, { resourceType, resourceName })
  // A broker rereads files that a config names when the config is set again, so even the same value is told.
  const isTold = resourceType === ResourceType.BROKER
  const records: MetadataRecord[] = []
  for (const name of new Set(names)) {
    const value = wanted.get(name) ?? null
    if (!isTold && value === (current.get(name) ?? null)) continue
    records.push(metadataRecord('ConfigRecord', { resourceType, resourceName, name, value }))
  }
  return records
}

function currentOf(context: ControlContext, resource: NamedResource): ReadonlyMap<string, string> {
  return context.image.configs.of(resource.resourceType, resource.resourceName)
}

function problemWithResource(
  context: ControlContext,
  { resourceType, resourceName }: NamedResource,
): ApiError | null {
  if (resourceType === ResourceType.TOPIC) return problemWithTopic(context, resourceName)
  if (resourceType === ResourceType.BROKER) return problemWithBroker(context, resourceName)
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REQUEST, message)
  if (resourceType === ResourceType.CLIENT_METRICS) {
    return resourceName === '' ? invalid("Subscription name can't be empty") : null
  }
  if (resourceType === ResourceType.GROUP) {
    return resourceName === '' ? invalid('Default group resources are not allowed.') : null
  }
  return invalid(`Unknown resource type ${resourceType}`)
}

function problemWithTopic(context: ControlContext, name: string): ApiError | null {
  if (name === '') {
    return apiError(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.')
  }
  const illegal = problemWithTopicName(name)
  if (illegal !== null) return apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, illegal)
  if (context.image.topicsByName.has(name)) return null
  const message = `The topic '${name}' does not exist.`
  return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message)
}

function problemWithBroker(context: ControlContext, name: string): ApiError | null {
  if (name === '') return null
  if (!BROKER_ID.test(name)) {
    const message = 'Unable to parse broker name as a base 10 number.'
    return apiError(ErrorCode.INVALID_REQUEST, message)
  }
  if (context.image.brokers.has(Number(name))) return null
  return apiError(ErrorCode.BROKER_ID_NOT_REGISTERED, `No broker with id ${name} found.`)
}

function problemWithChanges({ configs }: ResourceRequest): ApiError | null {
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REQUEST, message)
  const known: readonly number[] = Object.values(Operation)
  const strange = configs.find(({ configOperation }) => !known.includes(configOperation))
  const problem = problemWithValues(
    configs.filter(({ configOperation }) => configOperation !== Operation.DELETE),
    configs,
  )
  if (problem !== null || strange === undefined) return problem
  return invalid(`Unknown operations type ${strange.configOperation}`)
}

function problemWithValues(
  valued: readonly { readonly name: string; readonly value: string | null }[],
  all: readonly { readonly name: string }[],
): ApiError | null {
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REQUEST, message)
  if (new Set(all.map(({ name }) => name)).size !== all.length) {
    return invalid('Error due to duplicate config keys')
  }
  const withoutValue = valued.filter(({ value }) => value === null)
  if (withoutValue.length === 0) return null
  const names = withoutValue.map(({ name }) => name).join(', ')
  return invalid(`Null value not supported for : ${names}`)
}

/** The value after the change; null when the config goes back to its default. */
function newValue(
  context: ControlContext,
  { resourceType }: ResourceRequest,
  { name, configOperation, value }: ConfigChange,
  current: string | null,
): string | null | ApiError {
  if (configOperation === Operation.SET) return value
  if (configOperation === Operation.DELETE) return null
  const verb = configOperation === Operation.APPEND ? 'APPEND' : 'SUBTRACT'
  const listDefault = context.configRules.listDefault(resourceType, name)
  if (listDefault === null) {
    const message = `Can't ${verb} to key ${name} because its type is not LIST.`
    return apiError(ErrorCode.INVALID_CONFIG, message)
  }
  const given = (value ?? '').split(',')
  const parts = current === null ? listDefault : current.split(',').filter((part) => part !== '')
  const changed =
    verb === 'APPEND'
      ? [...new Set([...parts, ...given])]
      : parts.filter((part) => !given.includes(part))
  return changed.join(',')
}
