import type { Admin, QuotaDescription, QuotaEntityType, QuotaFilter } from '../../client/index.ts'
import { namesInHashOrder } from '../java-hash-map.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { named, ToolError } from '../tool-errors.ts'
import { javaDouble, parseDouble } from './java-double.ts'

/** The quotas that users and clients can have. */
export const CLIENT_QUOTAS: readonly string[] = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
]
export const IP_QUOTAS: readonly string[] = ['connection_creation_rate']

const ENTITIES: ReadonlyMap<string, QuotaEntityType> = new Map([
  ['users', 'user'],
  ['clients', 'client-id'],
  ['ips', 'ip'],
])
const LABELS = [
  ['user', 'user-principal'],
  ['client-id', 'client-id'],
  ['ip', 'ip'],
] as const

/** Shows the quotas of entities; of all of a type that has no name. */
export async function describeQuotas(
  admin: Admin,
  types: readonly string[],
  names: readonly string[],
  io: ToolIo,
): Promise<void> {
  for (const each of await quotasOf(admin, types, names)) io.out(quotaRow(each))
}

/** The line of one entity. */
export function quotaRow({ entity, values }: QuotaDescription): string {
  const who = LABELS.flatMap(([type, label]) => {
    const name = entity.get(type)
    if (name === undefined) return []
    return name === null ? `the default ${label}` : `${label} '${name}'`
  })
  const quotas = namesInHashOrder([...values.keys()], values.size).map(
    (key) => `${key}=${javaDouble(values.get(key) ?? 0)}`,
  )
  return `Quota configs for ${who.join(', ')} are ${quotas.join(', ')}`
}

/** Sets and removes quotas of one entity. Throws `ToolError` for a quota to remove that is not there. */
export async function alterQuotas(
  admin: Admin,
  types: readonly string[],
  names: readonly string[],
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): Promise<void> {
  const [old] = await quotasOf(admin, types, names)
  const missing = deleted.filter((key) => old?.values.has(key) !== true)
  if (missing.length > 0) throw new ToolError(`Invalid config(s): ${missing.join(',')}`)
  const values = new Map<string, number | null>(deleted.map((key) => [key, null]))
  for (const [key, text] of added) {
    const value = parseDouble(text)
    if (value === null) {
      throw new ToolError(`Cannot parse quota configuration value for ${key}: ${text}`)
    }
    values.set(key, value)
  }
  const entity = new Map(types.map((type, at) => [entityTypeOf(type), nameOf(names[at])] as const))
  await named('alterClientQuotas', admin.quotas.alter(entity, values))
}

function quotasOf(
  admin: Admin,
  types: readonly string[],
  names: readonly string[],
): Promise<readonly QuotaDescription[]> {
  if (names.length > types.length) {
    throw new ToolError('More entity names specified than entity types')
  }
  const filters: readonly QuotaFilter[] = types.map((type, at) => {
    const name = names[at]
    return { type: entityTypeOf(type), name: name === undefined ? undefined : nameOf(name) }
  })
  return named('describeClientQuotas', admin.quotas.describe(filters))
}

/** '' is the default entity. */
function nameOf(name: string | undefined): string | null {
  return name === undefined || name === '' ? null : name
}

function entityTypeOf(type: string): QuotaEntityType {
  const found = ENTITIES.get(type)
  if (found === undefined) throw new ToolError(`Unexpected entity type ${type}`)
  return found
}
