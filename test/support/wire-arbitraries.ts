import type { Field, MessageSchema } from '../../src/wire/schema.ts'
import fc from 'fast-check'
import { WireError } from '../../src/base/errors.ts'
import { defaultOf, isArray, isInVersions } from '../../src/wire/field-default.ts'
import * as data from '../../src/wire/messages/data.ts'
import * as header from '../../src/wire/messages/header.ts'
import { apis } from '../../src/wire/messages/index.ts'
import * as groupCoordinator from '../../src/wire/records/group-coordinator.ts'
import * as metadata from '../../src/wire/records/metadata.ts'
import * as raft from '../../src/wire/records/raft.ts'
import * as shareCoordinator from '../../src/wire/records/share-coordinator.ts'
import * as storage from '../../src/wire/records/storage.ts'
import * as transactionCoordinator from '../../src/wire/records/transaction-coordinator.ts'

export type AnySchema = MessageSchema<unknown>

/** Every message table there is. */
export const allMessages: readonly AnySchema[] = [
  ...apis.flatMap((api) => [api.request, api.response]),
  ...schemasIn(data),
  ...schemasIn(header),
]

/** Every record table there is. */
export const allRecords: readonly AnySchema[] = [
  groupCoordinator,
  metadata,
  raft,
  shareCoordinator,
  storage,
  transactionCoordinator,
].flatMap(schemasIn)

export function versionsOf(schema: AnySchema): number[] {
  const [min, max] = schema.validVersions
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}

/** What decoding bytes that may be anything must do: give a value or throw a `WireError`. */
export function valueOrWireError(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
}

/** A whole message: random where the version has the field, its default elsewhere. */
export function arbitraryMessage(
  schema: AnySchema,
  version: number,
): fc.Arbitrary<Record<string, unknown>> {
  return arbitraryStruct(schema.fields, version)
}

function arbitraryStruct(
  fields: readonly Field[],
  version: number,
): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(fields.map((field) => [field.name, arbitraryField(field, version)])),
    { noNullPrototype: true },
  )
}

function arbitraryField(field: Field, version: number): fc.Arbitrary<unknown> {
  const isPresent = field.versions === undefined || isInVersions(field.versions, version)
  if (!isPresent) return fc.constant(null).map(() => defaultOf(field))
  const value = isArray(field)
    ? fc.array(arbitraryOne(field, version), { maxLength: 3 })
    : arbitraryOne(field, version)
  const isNullable = isInVersions(field.nullable, version)
  return isNullable ? fc.option(value, { nil: null, freq: 3 }) : value
}

function arbitraryOne(field: Field, version: number): fc.Arbitrary<unknown> {
  if (field.fields !== undefined) return arbitraryStruct(field.fields, version)
  return primitives[field.type.replace('[]', '')]!
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array))

const primitives: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: fc.oneof(
    { weight: 8, arbitrary: fc.maxSafeInteger() },
    { weight: 1, arbitrary: fc.constantFrom(Infinity, -Infinity) },
  ),
  float64: fc.double({ noNaN: true }),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((array) => Buffer.from(array).toString('base64url')),
  string: fc.oneof(
    { weight: 4, arbitrary: fc.string({ maxLength: 8 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  ),
  bytes,
  records: bytes,
}

function schemasIn(module: Readonly<Record<string, unknown>>): AnySchema[] {
  return Object.values(module).filter(
    (value): value is AnySchema =>
      typeof value === 'object' && value !== null && 'validVersions' in value,
  )
}
