import { ZERO_UUID } from '../../src/base/uuid.ts'
import { isInVersions } from '../../src/wire/field-default.ts'
import { errorName } from '../../src/wire/error-codes.ts'
import type { Api, Field } from '../../src/wire/schema.ts'
import type { Outcome, Target } from './target.ts'

/** What is left of an answer when all that must differ between two clusters is taken away. */
export type Normal =
  | string
  | number
  | boolean
  | null
  | readonly Normal[]
  | { readonly [name: string]: Normal }

const SMALLEST_TIME = 1_500_000_000_000
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const OWN_DIRECTORY = /\/[\w/.-]*kafkette-\w+/g
const SHORT_UUID = /(?<![\w-])[\w-]{22}(?![\w-])/g
/** Never the same twice: quotas, epochs of brokers, sizes of the disk, producer ids, offsets of the metadata log. */
const OWN_NUMBERS: readonly RegExp[] = [
  /^brokerEpoch$/,
  /^(total|usable)Bytes$/,
  /^producerId(Start)?$/,
  /^subscriptionId$/,
  /^finalizedFeaturesEpoch$/,
]
const QUORUM_KEYS: ReadonlySet<number> = new Set([52, 53, 54, 55])
const QUORUM_NUMBERS =
  /^(leaderEpoch|highWatermark|logEndOffset|lastFetchTimestamp|lastCaughtUpTimestamp)$/

/**
 * The answer in a form that can be compared: ids by what they stand for, times, ports and numbers of one's own by
 * what they are. Elements with fields are in sorted order, since Kafka keeps most of them in hash maps and
 * clients look them up by name; lists of plain numbers and texts keep theirs.
 */
export function normalForm(
  api: Api<unknown, unknown>,
  version: number,
  outcome: Outcome,
  target: Target,
  caseNumber: number,
): Normal {
  if (outcome.kind === 'unreadable') return { outcome: 'unreadable', reason: outcome.reason }
  if (outcome.kind !== 'answer') return { outcome: outcome.kind }
  const scope: Scope = { key: api.key, version, target, caseNumber }
  return struct(api.response.fields, outcome.body as Record<string, unknown>, scope)
}

interface Scope {
  readonly key: number
  readonly version: number
  readonly target: Target
  readonly caseNumber: number
}

function struct(
  fields: readonly Field[],
  value: Readonly<Record<string, unknown>>,
  scope: Scope,
): Readonly<Record<string, Normal>> {
  const normal: Record<string, Normal> = {}
  for (const field of fields) {
    if (field.versions !== undefined && !isInVersions(field.versions, scope.version)) continue
    if (field.name === 'throttleTimeMs') continue
    normal[field.name] = valueOf(field, value[field.name], scope)
  }
  return normal
}

function valueOf(field: Field, value: unknown, scope: Scope): Normal {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value))
    return value.length > 200 ? `${value.length} bytes` : value.toString('hex')
  const { fields } = field
  if (Array.isArray(value)) {
    const elements = value as readonly unknown[]
    if (fields === undefined) return elements.map((element) => scalar(field, element, scope))
    const structs = elements
      .map((element) => struct(fields, element as Record<string, unknown>, scope))
      .filter((element) => !isOfEarlierCase(element, scope.caseNumber))
    return structs.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (fields !== undefined) return struct(fields, value as Record<string, unknown>, scope)
  return scalar(field, value, scope)
}

/** Lists of everything also hold what earlier cases made, and what one of them did otherwise is told there. */
function isOfEarlierCase(element: Readonly<Record<string, Normal>>, caseNumber: number): boolean {
  return Object.values(element).some((value) => {
    const number = typeof value === 'string' ? /^[a-z]+[-._](\d+)$/.exec(value)?.[1] : undefined
    return number !== undefined && Number(number) !== caseNumber
  })
}

function scalar(field: Field, value: unknown, scope: Scope): Normal {
  if (typeof value === 'string') return text(field, value, scope.target)
  if (typeof value === 'number' || typeof value === 'bigint')
    return number(field, Number(value), scope)
  return typeof value === 'boolean' ? value : String(value)
}

function text(field: Field, value: string, target: Target): string {
  if (field.type.endsWith('uuid')) {
    return value === ZERO_UUID ? 'zero' : (target.placeholders.get(value) ?? '<uuid>')
  }
  let normal = value
  for (const port of [target.addresses.brokerPort, target.addresses.controllerPort]) {
    normal = normal.replaceAll(String(port), '<port>')
  }
  for (const [own, common] of target.placeholders) normal = normal.replaceAll(own, common)
  normal = normal.replaceAll(OWN_DIRECTORY, '<directory>')
  return normal.replaceAll(UUID, '<uuid>').replaceAll(SHORT_UUID, '<uuid>')
}

function number(field: Field, value: number, { key, target }: Scope): Normal {
  const { name } = field
  if (/errorCode$/i.test(name)) return errorName(value)
  if (name === 'port') {
    if (value === target.addresses.brokerPort) return '<broker port>'
    return value === target.addresses.controllerPort ? '<controller port>' : value
  }
  // 0 says that there is no fetch session, every other id that there is one.
  if (name === 'sessionId' && value > 0) return '<sessionId>'
  if (OWN_NUMBERS.some((pattern) => pattern.test(name)) && value >= 0) return `<${name}>`
  if (QUORUM_KEYS.has(key) && QUORUM_NUMBERS.test(name) && value >= 0) return `<${name}>`
  if (field.type === 'int64' && value > SMALLEST_TIME && value < 4 * SMALLEST_TIME) return '<time>'
  return value
}
