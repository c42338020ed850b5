import { DataError } from '../errors.ts'
import { Schema, type Field, type SchemaType } from '../data/schema.ts'
import type { Value } from '../data/value.ts'
import { isJsonArray, isJsonObject, type Json } from './json-text.ts'

type JsonObject = { readonly [name: string]: Json }

/** JsonConverter's names of the types, which are Connect's own but for the floats. */
const NAMES: Readonly<Record<SchemaType, string>> = {
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT32: 'float',
  FLOAT64: 'double',
  BOOLEAN: 'boolean',
  STRING: 'string',
  BYTES: 'bytes',
  ARRAY: 'array',
  MAP: 'map',
  STRUCT: 'struct',
}
const TYPES: ReadonlyMap<string, SchemaType> = new Map(
  (Object.keys(NAMES) as SchemaType[]).map((type) => [NAMES[type], type]),
)
const MAX_DEPTH = 100

/** Default values are written and read as the converter does with any value. */
export interface DefaultForm {
  toJson(schema: Schema, value: Value): Json
  fromJson(schema: Schema, json: Json): Value
}

/** A schema as the `schema` member of JsonConverter's envelope, keys in Kafka's order. */
export function schemaToJson(schema: Schema, defaults: DefaultForm, field?: string): JsonObject {
  const json: Record<string, Json> = { type: NAMES[schema.type] }
  if (schema.type === 'ARRAY') json.items = schemaToJson(schema.valueSchema, defaults)
  if (schema.type === 'MAP') {
    json.keys = schemaToJson(schema.keySchema, defaults)
    json.values = schemaToJson(schema.valueSchema, defaults)
  }
  if (schema.type === 'STRUCT') {
    json.fields = schema.fields.map((each) => schemaToJson(each.schema, defaults, each.name))
  }
  json.optional = schema.isOptional
  if (schema.name !== null) json.name = schema.name
  if (schema.version !== null) json.version = schema.version
  if (schema.doc !== null) json.doc = schema.doc
  if (schema.parameters !== null) json.parameters = schema.parameters
  if (schema.defaultValue !== null) json.default = defaults.toJson(schema, schema.defaultValue)
  if (field !== undefined) json.field = field
  return json
}

/** Reads the `schema` member; null is no schema. Throws `DataError`. */
export function schemaFromJson(json: Json, defaults: DefaultForm, depth = 0): Schema | null {
  if (json === null) return null
  if (depth > MAX_DEPTH) throw new DataError(`The schema is nested deeper than ${MAX_DEPTH}`)
  if (!isJsonObject(json) || typeof json.type !== 'string') {
    throw new DataError('Schema must contain "type" field, a text')
  }
  const type = TYPES.get(json.type)
  if (type === undefined) throw new DataError(`Unknown schema type: ${json.type}`)
  const inner = (member: string): Schema => {
    const schema = schemaFromJson(json[member] ?? null, defaults, depth + 1)
    if (schema === null) throw new DataError(`${json.type as string} schema lacks "${member}"`)
    return schema
  }
  const schema = new Schema(type, {
    optional: json.optional === true,
    name: optional(json, 'name', 'string'),
    version: optional(json, 'version', 'number'),
    doc: optional(json, 'doc', 'string'),
    parameters: parametersOf(json.parameters),
    ...(type === 'ARRAY' ? { valueSchema: inner('items') } : {}),
    ...(type === 'MAP' ? { keySchema: inner('keys'), valueSchema: inner('values') } : {}),
    ...(type === 'STRUCT' ? { fields: fieldsOf(json, defaults, depth) } : {}),
  })
  const given = json.default
  if (given === undefined || given === null) return schema
  return schema.with({ defaultValue: defaults.fromJson(schema, given) })
}

function fieldsOf(json: JsonObject, defaults: DefaultForm, depth: number): readonly Field[] {
  const { fields } = json
  if (!isJsonArray(fields)) throw new DataError('Struct schema\'s "fields" is not an array.')
  return fields.map((each) => {
    const schema = schemaFromJson(each, defaults, depth + 1)
    const name = isJsonObject(each) ? each.field : undefined
    if (schema === null || typeof name !== 'string') {
      throw new DataError("Struct schema's field name not specified properly")
    }
    return { name, schema }
  })
}

function optional<Kind extends 'string' | 'number'>(
  json: JsonObject,
  member: string,
  kind: Kind,
): (Kind extends 'string' ? string : number) | null {
  const value = json[member]
  if (value === undefined || value === null) return null
  if (typeof value === kind) return value as Kind extends 'string' ? string : number
  throw new DataError(`Invalid schema: "${member}" is not a ${kind}`)
}

function parametersOf(json: Json | undefined): Readonly<Record<string, string>> | null {
  if (json === undefined || json === null) return null
  const isFine = isJsonObject(json) && Object.values(json).every((item) => typeof item === 'string')
  if (!isFine) throw new DataError('Schema parameters must be an object of texts')
  return json as Readonly<Record<string, string>>
}
