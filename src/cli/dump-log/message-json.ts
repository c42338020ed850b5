import type { Field, MessageSchema } from '../../wire/schema.ts'
import { doubleText } from '../console/java-text.ts'

/**
 * A message as Kafka's generated JSON converters print it: the fields of its version in the order of the table, tagged
 * ones only when they differ from their default, bytes as base64.
 */
export function messageJson<T>(schema: MessageSchema<T>, version: number, message: T): string {
  return structJson(schema.fields, version, message as Readonly<Record<string, unknown>>)
}

/** `{"a":json,...}` of members that are JSON already. */
export function objectJson(members: Readonly<Record<string, string>>): string {
  const parts = Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`)
  return `{${parts.join(',')}}`
}

function structJson(
  fields: readonly Field[],
  version: number,
  value: Readonly<Record<string, unknown>>,
): string {
  const members: Record<string, string> = {}
  for (const field of fields) {
    if (!isInRange(field.versions ?? '0+', version)) continue
    const own = value[field.name]
    const isTagged = field.tagged !== undefined && isInRange(field.tagged, version)
    if (isTagged && isDefault(field, own)) continue
    members[field.name] = valueJson(field, field.type, version, own)
  }
  return objectJson(members)
}

function valueJson(field: Field, type: string, version: number, value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (type.startsWith('[]')) {
    const items = (value as readonly unknown[]).map((item) =>
      valueJson(field, type.slice(2), version, item),
    )
    return `[${items.join(',')}]`
  }
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString('base64'))
  if (type === 'float64') return doubleText(value as number)
  if (typeof value === 'object') {
    return structJson(field.fields ?? [], version, value as Readonly<Record<string, unknown>>)
  }
  return JSON.stringify(value)
}

/** The default of a field that names none is the empty value of its type. */
function isDefault({ type, default: given, nullable }: Field, value: unknown): boolean {
  if (given !== undefined) return value === given
  if (value === null) return nullable === undefined
  if (Array.isArray(value) || Buffer.isBuffer(value)) return value.length === 0
  if (type === 'uuid') return value === 'AAAAAAAAAAAAAAAAAAAAAA'
  return value === 0 || value === '' || value === false || value === undefined
}

/** Kafka's version ranges: `3+`, `0-12`, `2`. */
function isInRange(range: string, version: number): boolean {
  const [, low, open, high] = /^(\d+)(\+)?(?:-(\d+))?$/.exec(range) ?? []
  if (low === undefined || version < Number(low)) return false
  if (open !== undefined) return true
  return version <= Number(high ?? low)
}
