import { ConfigDef } from '../../src/base/config-def.ts'
import type { Converter, ConverterPlugin, HeaderConverter } from '../api.ts'
import { optionalSchema, type Schema } from '../data/schema.ts'
import { kindOf } from '../data/struct.ts'
import type { SchemaAndValue, Value } from '../data/value.ts'
import { DataError } from '../errors.ts'
import { CONNECT_VERSION } from '../plugin-facts.ts'

type Type = 'BYTES' | 'BOOLEAN' | 'INT16' | 'INT32' | 'INT64' | 'FLOAT32' | 'FLOAT64'

/** How one type is written. */
interface Form {
  readonly type: Type
  /** Undefined: any length. */
  readonly sizeBytes: number | undefined
  readonly accepts: (value: NonNullable<Value>) => boolean
  readonly write: (value: never) => Buffer
  readonly read: (bytes: Buffer) => Value
}

const LONG_LIMIT = 1n << 63n

const FORMS = {
  ByteArrayConverter: {
    type: 'BYTES',
    sizeBytes: undefined,
    accepts: (value) => Buffer.isBuffer(value),
    write: (value: Buffer) => value,
    read: (bytes) => bytes,
  },
  BooleanConverter: {
    type: 'BOOLEAN',
    sizeBytes: 1,
    accepts: (value) => typeof value === 'boolean',
    write: (value: boolean) => Buffer.from([value ? 1 : 0]),
    read: (bytes) => {
      const byte = bytes[0]
      if (byte !== 0 && byte !== 1) throw new DataError(`Expected a byte 0 or 1, found ${byte}`)
      return byte === 1
    },
  },
  ShortConverter: {
    type: 'INT16',
    sizeBytes: 2,
    accepts: (value) => isWhole(value, 16),
    write: (value: number) => filled(2, (bytes) => bytes.writeInt16BE(value)),
    read: (bytes) => bytes.readInt16BE(),
  },
  IntegerConverter: {
    type: 'INT32',
    sizeBytes: 4,
    accepts: (value) => isWhole(value, 32),
    write: (value: number) => filled(4, (bytes) => bytes.writeInt32BE(value)),
    read: (bytes) => bytes.readInt32BE(),
  },
  LongConverter: {
    type: 'INT64',
    sizeBytes: 8,
    accepts: (value) =>
      typeof value === 'bigint'
        ? value >= -LONG_LIMIT && value < LONG_LIMIT
        : Number.isSafeInteger(value),
    write: (value: number | bigint) => filled(8, (bytes) => bytes.writeBigInt64BE(BigInt(value))),
    read: (bytes) => {
      const exact = bytes.readBigInt64BE()
      return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
    },
  },
  FloatConverter: {
    type: 'FLOAT32',
    sizeBytes: 4,
    accepts: (value) => typeof value === 'number',
    write: (value: number) => filled(4, (bytes) => bytes.writeFloatBE(value)),
    read: (bytes) => bytes.readFloatBE(),
  },
  DoubleConverter: {
    type: 'FLOAT64',
    sizeBytes: 8,
    accepts: (value) => typeof value === 'number',
    write: (value: number) => filled(8, (bytes) => bytes.writeDoubleBE(value)),
    read: (bytes) => bytes.readDoubleBE(),
  },
} as const satisfies Readonly<Record<string, Form>>

/** Kafka's converters for bytes, booleans and numbers, big-endian as its serializers write them. */
export const binaryConverterPlugins: readonly ConverterPlugin[] = Object.entries(FORMS).map(
  ([name, form]) => ({
    kind: 'converter',
    className: `org.apache.kafka.connect.converters.${name}`,
    version: CONNECT_VERSION,
    config: new ConfigDef([]),
    create: () => new BinaryConverter(form),
  }),
)

/** Null stays null both ways; what is read is optional. */
class BinaryConverter implements Converter, HeaderConverter {
  readonly #form: Form
  readonly #schema: Schema

  constructor(form: Form) {
    this.#form = form
    this.#schema = optionalSchema(form.type)
  }

  fromConnectData(_topic: string, schema: Schema | null, value: Value): Buffer | null {
    const { type, accepts, write } = this.#form
    if (type === 'BYTES' && schema !== null && schema.type !== 'BYTES') {
      throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type}`)
    }
    if (value === null) return null
    if (!accepts(value)) throw new DataError(`Expected ${type}, found ${kindOf(value)}`)
    return write(value as never)
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    const { type, sizeBytes, read } = this.#form
    if (bytes === null) return { schema: this.#schema, value: null }
    if (sizeBytes !== undefined && bytes.length !== sizeBytes) {
      throw new DataError(`${type} takes ${sizeBytes} bytes, found ${bytes.length}`)
    }
    return { schema: this.#schema, value: read(bytes) }
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
}

function isWhole(value: Value, bits: number): boolean {
  const limit = 2 ** (bits - 1)
  return Number.isInteger(value) && Number(value) >= -limit && Number(value) < limit
}

function filled(sizeBytes: number, fill: (bytes: Buffer) => unknown): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  fill(bytes)
  return bytes
}
