import type { Input, MessageSchema } from './schema.ts'
import { WireError } from '../base/errors.ts'
import { Reader } from './reader.ts'
import { decodeMessage, encodeMessage } from './schema.ts'
import { Writer } from './writer.ts'

const KEY_VERSION = 0

/** Key of a record in `__consumer_offsets` and its like: the record type as int16, then the body. */
export function encodeCoordinatorKey<T>(
  schema: MessageSchema<T>,
  value: NoInfer<Input<T>>,
): Buffer {
  return encodePrefixed(schema, schema.apiKey, KEY_VERSION, value)
}

/** Value of such a record: its version as int16, then the body. */
export function encodeCoordinatorValue<T>(
  schema: MessageSchema<T>,
  version: number,
  value: NoInfer<Input<T>>,
): Buffer {
  return encodePrefixed(schema, version, version, value)
}

/** The record type that a key begins with. */
export function coordinatorKeyType(key: Buffer): number {
  return new Reader(key).int16()
}

/** Throws `WireError`, also when the key is of another record type. */
export function decodeCoordinatorKey<T>(schema: MessageSchema<T>, key: Buffer): T {
  const reader = new Reader(key)
  const type = reader.int16()
  if (type !== schema.apiKey) throw new WireError(`a key of type ${type} read as ${schema.name}`)
  return decodeMessage(schema, KEY_VERSION, reader)
}

/** Throws `WireError`, also for a version that the table does not have. */
export function decodeCoordinatorValue<T>(schema: MessageSchema<T>, value: Buffer): T {
  const reader = new Reader(value)
  return decodeMessage(schema, reader.int16(), reader)
}

function encodePrefixed<T>(
  schema: MessageSchema<T>,
  prefix: number,
  version: number,
  value: NoInfer<Input<T>>,
): Buffer {
  const writer = new Writer()
  writer.int16(prefix)
  encodeMessage(schema, version, value, writer)
  return writer.toBuffer()
}
