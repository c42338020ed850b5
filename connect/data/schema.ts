import { DataError } from '../errors.ts'
import type { Value } from './value.ts'

/** Connect's types, by the names that Java gives them. */
export type SchemaType =
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FLOAT32'
  | 'FLOAT64'
  | 'BOOLEAN'
  | 'STRING'
  | 'BYTES'
  | 'ARRAY'
  | 'MAP'
  | 'STRUCT'

/** A named member of a STRUCT. */
export interface Field {
  readonly name: string
  readonly schema: Schema
}

export interface SchemaOptions {
  /** Default false: a value must be given. */
  readonly optional?: boolean
  /** What a missing value means; null is no default. */
  readonly defaultValue?: Value
  /** Name of a logical type or of a record. */
  readonly name?: string | null
  readonly version?: number | null
  readonly doc?: string | null
  readonly parameters?: Readonly<Record<string, string>> | null
  /** STRUCT only, in order. */
  readonly fields?: readonly Field[]
  /** MAP only. */
  readonly keySchema?: Schema
  /** MAP and ARRAY. */
  readonly valueSchema?: Schema
}

/** The type of a value with its attributes. Immutable; a schemaless value has none (null). */
export class Schema {
  readonly type: SchemaType
  readonly isOptional: boolean
  readonly defaultValue: Value
  readonly name: string | null
  readonly version: number | null
  readonly doc: string | null
  readonly parameters: Readonly<Record<string, string>> | null
  readonly fields: readonly Field[]
  readonly #fieldsByName: ReadonlyMap<string, Field>
  readonly #keySchema: Schema | null
  readonly #valueSchema: Schema | null

  /** Throws `DataError` when a STRUCT has two fields of one name, or an ARRAY or MAP lacks its element schemas. */
  constructor(type: SchemaType, options: SchemaOptions = {}) {
    this.type = type
    this.isOptional = options.optional ?? false
    this.defaultValue = options.defaultValue ?? null
    this.name = options.name ?? null
    this.version = options.version ?? null
    this.doc = options.doc ?? null
    this.parameters = options.parameters ?? null
    this.fields = type === 'STRUCT' ? (options.fields ?? []) : []
    this.#fieldsByName = new Map(this.fields.map((field) => [field.name, field]))
    this.#keySchema = type === 'MAP' ? (options.keySchema ?? null) : null
    this.#valueSchema = type === 'MAP' || type === 'ARRAY' ? (options.valueSchema ?? null) : null
    if (this.#fieldsByName.size !== this.fields.length) {
      throw new DataError(
        `A struct has two fields of one name: ${this.fields.map((field) => field.name).join(', ')}`,
      )
    }
    if (type === 'MAP' && (this.#keySchema === null || this.#valueSchema === null)) {
      throw new DataError('A MAP schema needs a key schema and a value schema')
    }
    if (type === 'ARRAY' && this.#valueSchema === null) {
      throw new DataError('An ARRAY schema needs a value schema')
    }
  }

  /** The field of that name, or null. */
  field(name: string): Field | null {
    return this.#fieldsByName.get(name) ?? null
  }

  /** Of a MAP; throws `DataError` for any other type. */
  get keySchema(): Schema {
    if (this.#keySchema === null) throw new DataError(`A ${this.type} schema has no key schema`)
    return this.#keySchema
  }

  /** Of a MAP or an ARRAY; throws `DataError` for any other type. */
  get valueSchema(): Schema {
    if (this.#valueSchema === null) throw new DataError(`A ${this.type} schema has no value schema`)
    return this.#valueSchema
  }

  /** The same schema with some attributes changed. */
  with(changes: SchemaOptions): Schema {
    return new Schema(this.type, {
      optional: this.isOptional,
      defaultValue: this.defaultValue,
      name: this.name,
      version: this.version,
      doc: this.doc,
      parameters: this.parameters,
      fields: this.fields,
      keySchema: this.#keySchema ?? undefined,
      valueSchema: this.#valueSchema ?? undefined,
      ...changes,
    })
  }
}

export const INT8_SCHEMA = new Schema('INT8')
export const INT16_SCHEMA = new Schema('INT16')
export const INT32_SCHEMA = new Schema('INT32')
export const INT64_SCHEMA = new Schema('INT64')
export const FLOAT32_SCHEMA = new Schema('FLOAT32')
export const FLOAT64_SCHEMA = new Schema('FLOAT64')
export const BOOLEAN_SCHEMA = new Schema('BOOLEAN')
export const STRING_SCHEMA = new Schema('STRING')
export const BYTES_SCHEMA = new Schema('BYTES')

const OPTIONAL_BY_TYPE = new Map<SchemaType, Schema>()

/** The plain optional schema of a primitive type; always the same object. */
export function optionalSchema(type: Exclude<SchemaType, 'ARRAY' | 'MAP' | 'STRUCT'>): Schema {
  const known = OPTIONAL_BY_TYPE.get(type)
  if (known !== undefined) return known
  const made = new Schema(type, { optional: true })
  OPTIONAL_BY_TYPE.set(type, made)
  return made
}

/** A STRUCT schema from its fields, in their order. */
export function structSchema(
  fields: Readonly<Record<string, Schema>>,
  options: Omit<SchemaOptions, 'fields'> = {},
): Schema {
  const list = Object.entries(fields).map(([name, schema]) => ({ name, schema }))
  return new Schema('STRUCT', { ...options, fields: list })
}
