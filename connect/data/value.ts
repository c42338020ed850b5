import type { Decimal, Instant } from './logical.ts'
import type { Schema } from './schema.ts'
import type { Struct } from './struct.ts'

/**
 * A value of Connect. INT64 is a `number` when it is a safe integer and a `bigint` beyond; BYTES is a `Buffer`,
 * ARRAY an array, MAP a `Map`; Date, Time and Timestamp are an `Instant`, Decimal is a `Decimal`.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | Instant
  | Decimal
  | Struct
  | readonly Value[]
  | ReadonlyMap<Value, Value>

/** A value with the schema that it has; null is a schemaless value. */
export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: Value
}

export const NULL_VALUE: SchemaAndValue = { schema: null, value: null }

export function isMap(value: Value): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
