import type { Field } from './schema.ts'
import { ZERO_UUID } from '../base/uuid.ts'

export const EMPTY_BYTES = Buffer.alloc(0)

/** Is `version` inside a range of Kafka's tables (`3+`, `0-12`, `2`)? */
export function isInVersions(range: string | undefined, version: number): boolean {
  if (range === undefined || range === 'none') return false
  const [low, high] = range.split('-')
  if (low === undefined) return false
  if (low.endsWith('+')) return version >= Number.parseInt(low, 10)
  return version >= Number(low) && version <= Number(high ?? low)
}

export function isArray(field: Field): boolean {
  return field.type.startsWith('[]')
}

export function isBytes(field: Field): boolean {
  return field.type === 'bytes' || field.type === 'records'
}

/** The default of a field that is neither array, bytes nor struct. */
export function scalarDefault(field: Field): number | string | boolean | null {
  if (field.default !== undefined) return field.default
  if (field.type === 'string') return ''
  if (field.type === 'bool') return false
  if (field.type === 'uuid') return ZERO_UUID
  return 0
}

/** A fresh default value of a field. */
export function defaultOf(field: Field): unknown {
  if (field.default === null) return null
  if (isArray(field)) return []
  if (field.fields !== undefined) return defaultStruct(field.fields)
  if (isBytes(field)) return EMPTY_BYTES
  return scalarDefault(field)
}

/** A fresh object with every field at its default. */
export function defaultStruct(fields: readonly Field[]): Record<string, unknown> {
  const struct: Record<string, unknown> = {}
  for (const field of fields) struct[field.name] = defaultOf(field)
  return struct
}

/** Does `value` (undefined for left out) say the same as the default of the field? */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true
  if (field.default === null || value === null) return field.default === null && value === null
  if (isArray(field)) return (value as readonly unknown[]).length === 0
  if (field.fields !== undefined) {
    const struct = value as Readonly<Record<string, unknown>>
    return field.fields.every((inner) => isDefault(inner, struct[inner.name]))
  }
  if (isBytes(field)) return (value as Buffer).length === 0
  return value === scalarDefault(field)
}
