import { ConfigDef, type Config } from '../../src/base/config-def.ts'
import type { Converter, ConverterPlugin, HeaderConverter, Properties } from '../api.ts'
import { javaText } from '../data/java-text.ts'
import { logicalTypeOf, Decimal, DECIMAL_NAME, Instant, scaleOf } from '../data/logical.ts'
import type { Schema } from '../data/schema.ts'
import { Struct, kindOf, sameSchema } from '../data/struct.ts'
import { isList, isMap, NULL_VALUE, type SchemaAndValue, type Value } from '../data/value.ts'
import { DataError } from '../errors.ts'
import { CONNECT_VERSION, setting } from '../plugin-facts.ts'
import { schemaFromJson, schemaToJson, type DefaultForm } from './json-schema-form.ts'
import { isJsonObject, jsonText, parseJson, type Json } from './json-text.ts'
import { jsonToValue } from './json-value-form.ts'

/** JsonConverter of Apache Kafka: data as JSON, with its schema in an envelope or without. */
export const jsonConverterPlugin: ConverterPlugin = {
  kind: 'converter',
  className: 'org.apache.kafka.connect.json.JsonConverter',
  version: CONNECT_VERSION,
  config: new ConfigDef([
    setting('schemas.enable', 'boolean', true, 'high'),
    setting('schemas.cache.size', 'int', 1000, 'high', '[0,...]'),
    setting('decimal.format', 'string', 'BASE64', 'low', '(case insensitive) [BASE64, NUMERIC]'),
    setting('replace.null.with.default', 'boolean', true, 'low'),
    setting('schema.content', 'string', null, 'high'),
  ]),
  create: (properties: Properties) =>
    new JsonConverter(jsonConverterPlugin.config.parse(properties)),
}

/** Converts to and from JSON text in UTF-8, without spaces. */
export class JsonConverter implements Converter, HeaderConverter {
  readonly #hasSchemas: boolean
  readonly #cacheSize: number
  readonly #isNumericDecimal: boolean
  readonly #replacesNull: boolean
  readonly #fixedSchema: Schema | null
  readonly #defaults: DefaultForm
  /** `{"schema":...,"payload":` by schema. */
  readonly #envelopes = new WeakMap<Schema, string>()
  readonly #schemas = new Map<string, Schema | null>()

  constructor(config: Config) {
    this.#hasSchemas = config.boolean('schemas.enable')
    this.#cacheSize = config.int('schemas.cache.size')
    this.#isNumericDecimal = config.string('decimal.format').toUpperCase() === 'NUMERIC'
    this.#replacesNull = config.boolean('replace.null.with.default')
    this.#defaults = {
      toJson: (schema, value) => this.#toJson(schema, value),
      fromJson: (schema, json) => jsonToValue(schema, json, this.#replacesNull),
    }
    const fixed = config.nullableString('schema.content') ?? ''
    this.#fixedSchema = fixed === '' ? null : this.#schemaOf(parseJson(Buffer.from(fixed)))
  }

  fromConnectHeader(
    topic: string,
    _key: string,
    schema: Schema | null,
    value: Value,
  ): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }

  /** Null without a schema is a tombstone; with one it is a JSON null, or the schema's default. */
  fromConnectData(_topic: string, schema: Schema | null, value: Value): Buffer | null {
    if (schema === null && value === null) return null
    const payload = jsonText(this.#toJson(schema, value))
    return Buffer.from(this.#hasSchemas ? `${this.#envelopeOf(schema)}${payload}}` : payload)
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    if (bytes === null || bytes.length === 0) return NULL_VALUE
    const json = parseJson(bytes)
    if (!this.#hasSchemas) return { schema: null, value: jsonToValue(null, json, false) }
    if (this.#fixedSchema !== null) {
      const value = jsonToValue(this.#fixedSchema, json, this.#replacesNull)
      return { schema: this.#fixedSchema, value }
    }
    const isEnvelope =
      isJsonObject(json) &&
      Object.keys(json).length === 2 &&
      json.schema !== undefined &&
      json.payload !== undefined
    if (!isEnvelope) {
      throw new DataError(
        'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain ' +
          'additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false ' +
          'in your converter configuration.',
      )
    }
    const schema = this.#schemaOf(json.schema ?? null)
    return { schema, value: jsonToValue(schema, json.payload ?? null, this.#replacesNull) }
  }

  #envelopeOf(schema: Schema | null): string {
    if (schema === null) return '{"schema":null,"payload":'
    const known = this.#envelopes.get(schema)
    if (known !== undefined) return known
    const made = `{"schema":${jsonText(schemaToJson(schema, this.#defaults))},"payload":`
    this.#envelopes.set(schema, made)
    return made
  }

  #schemaOf(json: Json): Schema | null {
    if (json === null) return null
    const text = jsonText(json)
    const known = this.#schemas.get(text)
    if (known !== undefined) return known
    const schema = schemaFromJson(json, this.#defaults)
    if (this.#cacheSize === 0) return schema
    const oldest = this.#schemas.keys().next()
    if (this.#schemas.size >= this.#cacheSize && oldest.done !== true) {
      this.#schemas.delete(oldest.value)
    }
    this.#schemas.set(text, schema)
    return schema
  }

  #toJson(schema: Schema | null, value: Value): Json {
    if (value === null) return this.#nullToJson(schema)
    if (schema === null) return this.#schemalessToJson(value)
    const logical = logicalTypeOf(schema)
    if (logical !== null) {
      if (schema.name === DECIMAL_NAME && this.#isNumericDecimal) return this.#number(schema, value)
      return this.#plainToJson(schema, logical.toBase(schema, value))
    }
    return this.#plainToJson(schema, value)
  }

  #nullToJson(schema: Schema | null): Json {
    if (schema === null) return null
    if (schema.defaultValue !== null && this.#replacesNull) {
      return this.#toJson(schema, schema.defaultValue)
    }
    if (schema.isOptional || schema.defaultValue !== null) return null
    throw new DataError(
      'Conversion error: null value for field that is required and has no default value',
    )
  }

  #plainToJson(schema: Schema, value: Value): Json {
    const mismatch = (): DataError =>
      new DataError(`Couldn't serialize value as ${schema.type}: it is ${kindOf(value)}`)
    switch (schema.type) {
      case 'INT8':
      case 'INT16':
      case 'INT32':
      case 'INT64':
        if (typeof value === 'bigint' || Number.isInteger(value)) return value as number | bigint
        throw mismatch()
      case 'FLOAT32':
      case 'FLOAT64':
        if (typeof value !== 'number') throw mismatch()
        return Number.isFinite(value) ? value : String(value)
      case 'BOOLEAN':
        if (typeof value !== 'boolean') throw mismatch()
        return value
      case 'STRING':
        if (typeof value !== 'string') throw mismatch()
        return value
      case 'BYTES':
        if (!Buffer.isBuffer(value)) throw mismatch()
        return value.toString('base64')
      case 'ARRAY':
        if (!isList(value)) throw mismatch()
        return value.map((item) => this.#toJson(schema.valueSchema, item))
      case 'MAP':
        if (!isMap(value)) throw mismatch()
        return this.#mapToJson(schema, value)
      case 'STRUCT':
        if (!(value instanceof Struct)) throw mismatch()
        return this.#structToJson(schema, value)
    }
  }

  #mapToJson(schema: Schema | null, map: ReadonlyMap<Value, Value>): Json {
    const keySchema = schema?.keySchema ?? null
    const valueSchema = schema?.valueSchema ?? null
    const hasTextKeys =
      keySchema === null
        ? [...map.keys()].every((key) => typeof key === 'string')
        : keySchema.type === 'STRING'
    if (!hasTextKeys) {
      return [...map].map(([key, item]) => [
        this.#toJson(keySchema, key),
        this.#toJson(valueSchema, item),
      ])
    }
    return Object.fromEntries(
      [...map].map(([key, item]) => [javaText(key), this.#toJson(valueSchema, item)]),
    )
  }

  #structToJson(schema: Schema, struct: Struct): Json {
    if (!sameSchema(struct.schema, schema)) throw new DataError('Mismatching schema.')
    return Object.fromEntries(
      schema.fields.map((field) => [
        field.name,
        this.#toJson(field.schema, struct.getWithoutDefault(field.name)),
      ]),
    )
  }

  #schemalessToJson(value: NonNullable<Value>): Json {
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    if (typeof value !== 'object') return value
    if (Buffer.isBuffer(value)) return value.toString('base64')
    if (value instanceof Instant) return value.epochMs
    if (value instanceof Decimal) return this.#decimalText(value)
    if (value instanceof Struct) return this.#structToJson(value.schema, value)
    if (isMap(value)) return this.#mapToJson(null, value)
    return isList(value) ? value.map((item) => this.#toJson(null, item)) : null
  }

  #number(schema: Schema, value: Value): Json {
    if (!(value instanceof Decimal)) throw new DataError('A Decimal value must be a Decimal')
    if (value.scale !== scaleOf(schema)) {
      throw new DataError(`The decimal has scale ${value.scale}, its schema ${scaleOf(schema)}`)
    }
    return this.#decimalText(value)
  }

  #decimalText(value: Decimal): Json {
    return value.scale === 0 ? value.unscaled : Number(value.toString())
  }
}
