import fc from 'fast-check'
import { Decimal, decimalSchema, Instant, timestampSchema } from '../../connect/data/logical.ts'
import { Schema, type SchemaType } from '../../connect/data/schema.ts'
import { Struct } from '../../connect/data/struct.ts'
import type { SchemaAndValue, Value } from '../../connect/data/value.ts'

const int64 = fc
  .bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
  .map((exact) => (Number.isSafeInteger(Number(exact)) ? Number(exact) : exact))
const int = (bits: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })

const PRIMITIVES: readonly (readonly [SchemaType, fc.Arbitrary<Value>])[] = [
  ['INT8', int(8)],
  ['INT16', int(16)],
  ['INT32', int(32)],
  ['INT64', fc.oneof(int(32), int64)],
  ['FLOAT32', fc.float({ noNaN: true })],
  ['FLOAT64', fc.double({ noNaN: true })],
  ['BOOLEAN', fc.boolean()],
  ['STRING', fc.string({ unit: 'binary' })],
  ['BYTES', fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))],
]

const primitive: fc.Arbitrary<SchemaAndValue> = fc
  .constantFrom(...PRIMITIVES)
  .chain(([type, values]) => fc.record({ schema: fc.constant(new Schema(type)), value: values }))

const logical: fc.Arbitrary<SchemaAndValue> = fc.oneof(
  int(32).map((ms) => ({ schema: timestampSchema(), value: new Instant(ms) })),
  fc.record({ unscaled: fc.bigInt(), scale: fc.integer({ min: 0, max: 30 }) }).map((parts) => ({
    schema: decimalSchema(parts.scale),
    value: new Decimal(parts.unscaled, parts.scale),
  })),
)

const optional: fc.Arbitrary<SchemaAndValue> = fc
  .tuple(primitive, fc.boolean())
  .map(([{ schema, value }, isNull]) => ({
    schema: schema!.with({ optional: true }),
    value: isNull ? null : value,
  }))

const leaf = fc.oneof(primitive, logical, optional)

/** Names that no JSON object moves to the front. */
const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== '__proto__')

/** Data of every type with its schema, two levels deep. */
export const connectData: fc.Arbitrary<SchemaAndValue> = fc.oneof(
  leaf,
  leaf.map(({ schema, value }) => ({
    schema: new Schema('ARRAY', { valueSchema: schema! }),
    value: [value, value],
  })),
  fc.tuple(name, leaf).map(([key, { schema, value }]) => ({
    schema: new Schema('MAP', { keySchema: new Schema('STRING'), valueSchema: schema! }),
    value: new Map([[key, value]]),
  })),
  fc.tuple(int(32), leaf).map(([key, { schema, value }]) => ({
    schema: new Schema('MAP', { keySchema: new Schema('INT32'), valueSchema: schema! }),
    value: new Map([[key, value]]),
  })),
  fc
    .uniqueArray(fc.tuple(name, leaf), { selector: ([key]) => key, minLength: 1, maxLength: 5 })
    .map((members) => {
      const fields = members.map(([key, { schema }]) => ({ name: key, schema: schema! }))
      const struct = new Struct(new Schema('STRUCT', { name: 'record', version: 2, fields }))
      for (const [key, { value }] of members) struct.put(key, value)
      return { schema: struct.schema, value: struct }
    }),
)
