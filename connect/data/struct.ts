import { DataError } from '../errors.ts'
import { Decimal, Instant, logicalTypeOf } from './logical.ts'
import type { Field, Schema, SchemaType } from './schema.ts'
import { isList, isMap, type Value } from './value.ts'

const INT_BITS: Readonly<Partial<Record<SchemaType, number>>> = { INT8: 8, INT16: 16, INT32: 32 }
const INT64_LIMIT = 1n << 63n

/** A record with named fields, as its STRUCT schema says. */
export class Struct {
  readonly schema: Schema
  readonly #values = new Map<string, Value>()

  /** Throws `DataError` for a schema that is no STRUCT, and for values that do not fit it. */
  constructor(schema: Schema, values: Readonly<Record<string, Value>> = {}) {
    if (schema.type !== 'STRUCT') {
      throw new DataError(`A struct needs a STRUCT schema, not one of type ${schema.type}`)
    }
    this.schema = schema
    for (const [name, value] of Object.entries(values)) this.put(name, value)
  }

  /** The field's value; its default when it is null and there is one. */
  get(name: string): Value {
    const { schema } = this.#field(name)
    return this.#values.get(name) ?? schema.defaultValue
  }

  /** The field's value as it was put, null when it was not. */
  getWithoutDefault(name: string): Value {
    this.#field(name)
    return this.#values.get(name) ?? null
  }

  /** Sets a field; null may stand where a default exists. Throws `DataError` when the value does not fit. */
  put(name: string, value: Value): this {
    const { schema } = this.#field(name)
    if (value !== null || schema.defaultValue === null) {
      validateValue(schema, value, `Field "${name}"`)
    }
    this.#values.set(name, value)
    return this
  }

  /** Throws `DataError` when a required field has neither value nor default. */
  validate(): void {
    for (const { name, schema } of this.schema.fields) {
      const value = this.#values.get(name) ?? null
      if (value !== null || schema.defaultValue === null) {
        validateValue(schema, value, `Field "${name}"`)
      }
    }
  }

  #field(name: string): Field {
    const field = this.schema.field(name)
    if (field === null) throw new DataError(`${name} is not a valid field name`)
    return field
  }
}

/** Throws `DataError` naming `what` when `value` may not stand where `schema` is (ConnectSchema.validateValue). */
export function validateValue(schema: Schema, value: Value, what = 'The value'): void {
  if (value === null) {
    if (schema.isOptional) return
    throw new DataError(`${what} is null, but its schema (${describe(schema)}) is not optional`)
  }
  if (!hasType(schema, value)) {
    throw new DataError(`${what} is ${kindOf(value)}, expected ${describe(schema)}`)
  }
  if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly Value[]).entries()) {
      validateValue(schema.valueSchema, item, `${what}[${index}]`)
    }
  } else if (isMap(value)) {
    for (const [key, item] of value) {
      validateValue(schema.keySchema, key, `A key of ${what}`)
      validateValue(schema.valueSchema, item, `An entry of ${what}`)
    }
  }
}

/** Equal in every attribute, also doc, parameters and default (ConnectSchema.equals). */
export function sameSchema(a: Schema | null, b: Schema | null): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  return (
    a.type === b.type &&
    a.isOptional === b.isOptional &&
    a.name === b.name &&
    a.version === b.version &&
    a.doc === b.doc &&
    sameParameters(a.parameters, b.parameters) &&
    sameValue(a.defaultValue, b.defaultValue) &&
    a.fields.length === b.fields.length &&
    a.fields.every((field, index) => {
      const other = b.fields[index]
      return other?.name === field.name && sameSchema(field.schema, other.schema)
    }) &&
    (a.type !== 'MAP' || sameSchema(a.keySchema, b.keySchema)) &&
    ((a.type !== 'MAP' && a.type !== 'ARRAY') || sameSchema(a.valueSchema, b.valueSchema))
  )
}

/** Deep equality of values; maps in any order. */
export function sameValue(a: Value, b: Value): boolean {
  if (Object.is(a, b) || a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Buffer.isBuffer(a)) return Buffer.isBuffer(b) && a.equals(b)
  if (a instanceof Instant) return b instanceof Instant && a.epochMs === b.epochMs
  if (a instanceof Decimal) return b instanceof Decimal && a.equals(b)
  if (a instanceof Struct) return b instanceof Struct && sameStruct(a, b)
  if (isMap(a)) return isMap(b) && sameMap(a, b)
  if (!isList(a) || !isList(b) || a.length !== b.length) return false
  return a.every((item, index) => sameValue(item, b[index] ?? null))
}

/** What kind of thing a value is, for messages. */
export function kindOf(value: Value): string {
  if (value === null) return 'null'
  if (Buffer.isBuffer(value)) return 'bytes'
  if (isMap(value)) return 'a map'
  if (isList(value)) return 'a list'
  if (value instanceof Struct) return 'a struct'
  if (value instanceof Instant) return 'a date'
  if (value instanceof Decimal) return 'a decimal'
  return `a ${typeof value}`
}

function hasType(schema: Schema, value: Value): boolean {
  const logical = logicalTypeOf(schema)
  if (logical !== null) return logical.isInstance(schema, value)
  switch (schema.type) {
    case 'INT8':
    case 'INT16':
    case 'INT32':
      return Number.isInteger(value) && Math.abs(Number(value) + 0.5) < 2 ** bitsOf(schema.type) / 2
    case 'INT64':
      if (typeof value === 'bigint') return value >= -INT64_LIMIT && value < INT64_LIMIT
      return Number.isSafeInteger(value)
    case 'FLOAT32':
    case 'FLOAT64':
      return typeof value === 'number'
    case 'BOOLEAN':
      return typeof value === 'boolean'
    case 'STRING':
      return typeof value === 'string'
    case 'BYTES':
      return Buffer.isBuffer(value)
    case 'ARRAY':
      return isList(value)
    case 'MAP':
      return isMap(value)
    case 'STRUCT':
      return value instanceof Struct && sameSchema(value.schema, schema)
  }
}

function bitsOf(type: SchemaType): number {
  return INT_BITS[type] ?? 64
}

function describe(schema: Schema): string {
  return schema.name === null ? schema.type : `${schema.type} ${schema.name}`
}

function sameParameters(a: Schema['parameters'], b: Schema['parameters']): boolean {
  const left = Object.entries(a ?? {})
  if (left.length !== Object.keys(b ?? {}).length || (a === null) !== (b === null)) return false
  return left.every(([name, value]) => b?.[name] === value)
}

function sameStruct(a: Struct, b: Struct): boolean {
  if (!sameSchema(a.schema, b.schema)) return false
  return a.schema.fields.every(({ name }) =>
    sameValue(a.getWithoutDefault(name), b.getWithoutDefault(name)),
  )
}

function sameMap(a: ReadonlyMap<Value, Value>, b: ReadonlyMap<Value, Value>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    const isPlain = typeof key !== 'object' || key === null
    const twin = isPlain ? b.get(key) : [...b].find(([other]) => sameValue(other, key))?.[1]
    if (twin === undefined || !sameValue(value, twin)) return false
  }
  return true
}
