import { Decimal, DECIMAL_NAME, logicalTypeOf } from '../data/logical.ts'
import type { Schema } from '../data/schema.ts'
import { Struct } from '../data/struct.ts'
import type { Value } from '../data/value.ts'
import { DataError } from '../errors.ts'
import { isJsonArray, isJsonObject, jsonText, type Json } from './json-text.ts'

const BITS: Readonly<Record<'INT8' | 'INT16' | 'INT32' | 'INT64', number>> = {
  INT8: 8,
  INT16: 16,
  INT32: 32,
  INT64: 64,
}
const FLOAT_NAMES = new Set(['NaN', 'Infinity', '-Infinity'])

/**
 * A JSON value as Connect data. Without a schema, objects become maps and bytes stay text. Whole numbers outside
 * the range of their type wrap, as in Java. Throws `DataError`.
 */
export function jsonToValue(schema: Schema | null, json: Json, replacesNull: boolean): Value {
  if (schema === null) return schemaless(json)
  if (json === null) {
    if (schema.defaultValue !== null && replacesNull) return schema.defaultValue
    if (schema.isOptional) return null
    throw new DataError(`Invalid null value for required ${schema.type} field`)
  }
  const logical = logicalTypeOf(schema)
  if (logical === null) return plain(schema, json, replacesNull)
  if (schema.name === DECIMAL_NAME && (typeof json === 'number' || typeof json === 'bigint')) {
    return Decimal.parse(String(json))
  }
  const isWhole = typeof json === 'bigint' || Number.isInteger(json)
  if (schema.name !== DECIMAL_NAME && !isWhole) {
    throw new DataError(`Invalid type for ${schema.name ?? ''}, expected a whole number`)
  }
  return logical.fromBase(schema, plain(schema, json, replacesNull))
}

function schemaless(json: Json): Value {
  if (isJsonArray(json)) return json.map(schemaless)
  if (!isJsonObject(json)) return json
  return new Map(Object.entries(json).map(([key, item]) => [key, schemaless(item)]))
}

function plain(schema: Schema, json: Json, replacesNull: boolean): Value {
  switch (schema.type) {
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
      return whole(BITS[schema.type], json)
    case 'FLOAT32':
    case 'FLOAT64':
      return schema.type === 'FLOAT32' ? Math.fround(float(json)) : float(json)
    case 'BOOLEAN':
      if (typeof json === 'boolean') return json
      throw mismatch(schema, json)
    case 'STRING':
      if (typeof json === 'string') return json
      throw mismatch(schema, json)
    case 'BYTES':
      return bytes(schema, json)
    case 'ARRAY':
      if (!isJsonArray(json)) throw mismatch(schema, json)
      return json.map((item) => jsonToValue(schema.valueSchema, item, replacesNull))
    case 'MAP':
      return mapOf(schema, json, replacesNull)
    case 'STRUCT':
      return structOf(schema, json, replacesNull)
  }
}

function whole(bits: number, json: Json): Value {
  if (typeof json !== 'number' && typeof json !== 'bigint') {
    throw new DataError(`Expected a whole number, found ${jsonText(json)}`)
  }
  if (Number.isSafeInteger(json) && Math.abs(Number(json)) < 2 ** (bits - 1)) return json
  const exact = typeof json === 'bigint' ? json : BigInt(Math.trunc(json))
  const wrapped = BigInt.asIntN(bits, exact)
  const number = Number(wrapped)
  return Number.isSafeInteger(number) ? number : wrapped
}

function float(json: Json): number {
  if (typeof json === 'number' || typeof json === 'bigint') return Number(json)
  if (typeof json === 'string' && FLOAT_NAMES.has(json)) return Number(json)
  throw new DataError(`Expected a number, found ${jsonText(json)}`)
}

function bytes(schema: Schema, json: Json): Value {
  if (typeof json !== 'string') throw mismatch(schema, json)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(json)) throw new DataError('Invalid bytes field: not base64')
  return Buffer.from(json, 'base64')
}

function mapOf(schema: Schema, json: Json, replacesNull: boolean): Value {
  const { keySchema, valueSchema } = schema
  const valueOf = (item: Json): Value => jsonToValue(valueSchema, item, replacesNull)
  if (keySchema.type === 'STRING') {
    if (!isJsonObject(json)) {
      throw new DataError('Maps with string fields should be encoded as JSON objects')
    }
    return new Map(Object.entries(json).map(([key, item]) => [key, valueOf(item)]))
  }
  if (!isJsonArray(json)) {
    throw new DataError('Maps with non-string fields should be encoded as JSON array of tuples')
  }
  return new Map(
    json.map((pair) => {
      if (!isJsonArray(pair) || pair.length !== 2) {
        throw new DataError(`Found invalid map entry, expected two values: ${jsonText(pair)}`)
      }
      const [key = null, item = null] = pair
      return [jsonToValue(keySchema, key, replacesNull), valueOf(item)]
    }),
  )
}

function structOf(schema: Schema, json: Json, replacesNull: boolean): Value {
  if (!isJsonObject(json)) throw mismatch(schema, json)
  const struct = new Struct(schema)
  for (const { name, schema: inner } of schema.fields) {
    const item = Object.hasOwn(json, name) ? (json[name] ?? null) : null
    struct.put(name, jsonToValue(inner, item, replacesNull))
  }
  return struct
}

function mismatch(schema: Schema, json: Json): DataError {
  const text = jsonText(json)
  return new DataError(`Expected ${schema.type}, found ${text.slice(0, 100)}`)
}
