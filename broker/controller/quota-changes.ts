import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../../src/wire/messages/49-alter-client-quotas.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import {
  keyOf,
  orderedEntity,
  QUOTA_ENTITY_TYPES,
  type QuotaEntity,
} from '../metadata/client-quotas-image.ts'
import type { ControlContext } from './control-context.ts'
import {
  apiError,
  BATCH_TOO_LARGE,
  MAX_RECORDS_PER_BATCH,
  NO_ERROR,
  type ApiError,
  type Outcome,
} from './outcome.ts'

type Entry = AlterClientQuotasRequest['entries'][number]
type Operation = Entry['ops'][number]
type EntryResult = Input<AlterClientQuotasResponse['entries'][number]>
type NumberType = 'int' | 'long' | 'double'

const USER_KEYS: ReadonlyMap<string, NumberType> = new Map([
  ['producer_byte_rate', 'long'],
  ['consumer_byte_rate', 'long'],
  ['request_percentage', 'double'],
  ['controller_mutation_rate', 'double'],
])
const IP_KEYS: ReadonlyMap<string, NumberType> = new Map([['connection_creation_rate', 'int']])

const LARGEST: Readonly<Record<'int' | 'long', number>> = { int: 2 ** 31 - 1, long: 2 ** 63 }
/** A rate that is off a whole number by less than this is taken for it. */
const EPSILON = 1e-6
/** Addresses and names of hosts by their form; Kafka looks a name up, which a controller here has no means for. */
const HOST = /^[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?$/
const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/

/** Answers AlterClientQuotas (KIP-546): each entity is changed as a whole or refused by itself. */
export function alterClientQuotas(
  context: ControlContext,
  request: AlterClientQuotasRequest,
): Outcome<AlterClientQuotasResponse> {
  const records: MetadataRecord[] = []
  const results = new Map<string, EntryResult>()
  for (const { entity: given, ops } of request.entries) {
    const entity = entityOf(given)
    const key = keyOf(entity)
    const changed = results.has(key) ? duplicate(entity) : alterEntity(context, entity, ops)
    if ('errorCode' in changed) {
      results.set(key, resultOf(entity, changed))
    } else {
      records.push(...changed)
      results.set(key, resultOf(entity, NO_ERROR))
    }
  }
  if (records.length > MAX_RECORDS_PER_BATCH) {
    const error = apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE)
    return { records: [], response: refusedQuotas(request, error) }
  }
  return {
    records: request.validateOnly ? [] : records,
    response: { entries: [...results.values()] },
  }
}

/** The same refusal for every entity of the request. */
export function refusedQuotas(
  request: AlterClientQuotasRequest,
  error: ApiError,
): Input<AlterClientQuotasResponse> {
  return { entries: request.entries.map(({ entity }) => resultOf(entityOf(entity), error)) }
}

/** Of a type that is named twice the last name counts. */
function entityOf(given: Entry['entity']): QuotaEntity {
  return orderedEntity(new Map(given.map(({ entityType, entityName }) => [entityType, entityName])))
}

function resultOf(entity: QuotaEntity, error: ApiError): EntryResult {
  const parts = [...entity].map(([entityType, entityName]) => ({ entityType, entityName }))
  return { ...error, entity: parts }
}

function duplicate(entity: QuotaEntity): ApiError {
  const parts = [...entity].map(([type, name]) => `${type}=${name ?? 'null'}`).join(', ')
  const message = `Ignoring duplicate entity ClientQuotaEntity(entries={${parts}})`
  return apiError(ErrorCode.INVALID_REQUEST, message)
}

function alterEntity(
  context: ControlContext,
  entity: QuotaEntity,
  operations: readonly Operation[],
): readonly MetadataRecord[] | ApiError {
  // Kafka calls it a duplicate entity when it is a key that comes twice.
  if (new Set(operations.map(({ key }) => key)).size !== operations.length) return duplicate(entity)
  const problem = problemWithEntity(entity)
  if (problem !== null) return apiError(ErrorCode.INVALID_REQUEST, problem)
  const current = context.image.clientQuotas.of(entity)
  const keys = entity.has('ip') ? IP_KEYS : USER_KEYS
  const parts = [...entity].map(([entityType, entityName]) => ({ entityType, entityName }))
  const records: MetadataRecord[] = []
  for (const { key, value, remove } of operations) {
    const invalid = remove ? null : problemWithValue(keys.get(key), key, value)
    if (invalid !== null) return apiError(ErrorCode.INVALID_REQUEST, invalid)
    const isSame = remove ? !current.has(key) : Object.is(current.get(key), value)
    if (isSame) continue
    const data = { entity: parts, key, value: remove ? 0 : value, remove }
    records.push(metadataRecord('ClientQuotaRecord', data))
  }
  return records
}

/** Why there can be no such entity, in Kafka's words. */
function problemWithEntity(entity: QuotaEntity): string | null {
  if (entity.size === 0) return 'Invalid empty client quota entity'
  for (const [type, name] of entity) {
    if (!QUOTA_ENTITY_TYPES.includes(type)) return `Unhandled client quota entity type: ${type}`
    if (name === '') return `Empty ${type} not supported`
  }
  const ip = entity.get('ip')
  if (ip === undefined) return null
  if (entity.size > 1) {
    return 'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId'
  }
  if (ip === null || HOST.test(ip) || IPV6.test(ip)) return null
  return `${ip} is not a valid IP or resolvable host.`
}

function problemWithValue(type: NumberType | undefined, key: string, value: number): string | null {
  if (type === undefined) return `Invalid configuration key ${key}`
  if (value <= 0) return `Quota ${key} must be greater than 0`
  if (type === 'double') return null
  if (value > LARGEST[type]) {
    const article = type === 'int' ? 'an' : 'a'
    return `Proposed value for ${key} is too large for ${article} ${type.toUpperCase()}.`
  }
  const isWhole = Math.abs(Math.floor(value + EPSILON) - value) <= EPSILON
  return isWhole ? null : `${key} cannot be a fractional value.`
}
