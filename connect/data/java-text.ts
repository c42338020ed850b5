import { calendarOf } from './calendar.ts'
import { Decimal, Instant } from './logical.ts'
import type { Schema } from './schema.ts'
import { Struct } from './struct.ts'
import { isList, isMap, type Value } from './value.ts'

const FLOATS = new Set(['FLOAT32', 'FLOAT64'])

/**
 * The text of a value as Java's `toString` writes it: `[1, 2]`, `{a=1}`, `Struct{a=1,b=x}` without the nulls.
 * Two things differ: bytes are read as UTF-8 (Java prints an object's address), and a whole number without a schema
 * has no `.0`, because a schemaless float cannot be told from an integer.
 */
export function javaText(value: Value, schema: Schema | null = null): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (typeof value === 'number') return numberText(value, schema)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Instant) return calendarOf(value.epochMs).javaDate
  if (value instanceof Decimal) return value.toString()
  if (value instanceof Struct) return structText(value)
  if (isMap(value)) {
    const keySchema = schema?.type === 'MAP' ? schema.keySchema : null
    const valueSchema = schema?.type === 'MAP' ? schema.valueSchema : null
    const entries = [...value].map(
      ([key, item]) => `${javaText(key, keySchema)}=${javaText(item, valueSchema)}`,
    )
    return `{${entries.join(', ')}}`
  }
  const itemSchema = schema?.type === 'ARRAY' ? schema.valueSchema : null
  return isList(value) ? `[${value.map((item) => javaText(item, itemSchema)).join(', ')}]` : ''
}

function structText(struct: Struct): string {
  const fields = struct.schema.fields
    .map(({ name, schema }) => ({ name, schema, value: struct.getWithoutDefault(name) }))
    .filter(({ value }) => value !== null)
    .map(({ name, schema, value }) => `${name}=${javaText(value, schema)}`)
  return `Struct{${fields.join(',')}}`
}

/** Java's Double.toString for the usual range; its exponents are `1.0E10`. */
function numberText(value: number, schema: Schema | null): string {
  if (schema !== null && !FLOATS.has(schema.type)) return String(value)
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) && schema === null) return String(value)
  const size = Math.abs(value)
  const digits = schema?.type === 'FLOAT32' ? shortestFloat(value) : String(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (size >= 1e-3 && size < 1e7) return /[.e]/.test(digits) ? digits : `${digits}.0`
  const [mantissa = '', exponent = '0'] = Number(digits).toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

/** The fewest digits that name the same 32-bit float. */
function shortestFloat(value: number): string {
  for (let precision = 1; precision <= 9; precision += 1) {
    const text = value.toPrecision(precision)
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text))
  }
  return String(value)
}
