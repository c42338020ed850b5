import { WireError } from '../base/errors.ts'
import { Reader } from './reader.ts'
import { compileCodec } from './schema-compiler.ts'
import { Writer } from './writer.ts'

/**
 * One field of a message table. `versions`, `nullable` and `tagged` are Kafka's version ranges:
 * `3+`, `0-12`, `2`; nothing means never (for `versions`: always).
 */
export interface Field {
  readonly name: string
  /** A primitive, or the name of a struct whose `fields` follow; `[]` before it makes an array. */
  readonly type: string
  readonly versions?: string
  readonly nullable?: string
  readonly tagged?: string
  readonly tag?: number
  readonly default?: number | string | boolean | null
  /** A value may be given for a version that lacks the field, and is then left out. */
  readonly ignorable?: true
  /** Keeps the old length prefix in flexible versions too (only the client id of request headers). */
  readonly neverFlexible?: true
  readonly fields?: readonly Field[]
}

/** The functions of one message in one version. */
export interface Codec {
  encode(writer: Writer, value: unknown): void
  decode(reader: Reader): unknown
}

/** All versions of one message. `T` is the object type that serves all of them. */
export interface MessageSchema<T> {
  readonly name: string
  /** Api key or record type; -1 when the message has none. */
  readonly apiKey: number
  readonly validVersions: readonly [min: number, max: number]
  /** First version with compact types and tag sections; `Infinity` when there is none. */
  readonly flexibleFrom: number
  readonly fields: readonly Field[]
  /** Compiled on first use, by version. */
  readonly codecs: (Codec | undefined)[]
  /** Never present; carries the type. */
  readonly of?: T
}

export type ListenerKind = 'broker' | 'controller'

/** One api key with its request and response tables. */
export interface Api<Req, Res> {
  readonly key: number
  readonly name: string
  readonly request: MessageSchema<Req>
  readonly response: MessageSchema<Res>
  /** The newest version is hidden unless unstable versions are enabled. */
  readonly latestVersionUnstable: boolean
  readonly listeners: readonly ListenerKind[]
  /** Brokers hand it to the active controller. */
  readonly isForwarded: boolean
  /** Needs the CLUSTER_ACTION permission. */
  readonly isClusterAction: boolean
}

/** What an encoder takes: every field may be left out and then has its default. */
export type Input<T> = T extends Buffer
  ? Buffer
  : T extends readonly (infer Element)[]
    ? readonly Input<Element>[]
    : T extends object
      ? { readonly [Name in keyof T]?: Input<T[Name]> }
      : T

type MessageTable = Omit<MessageSchema<unknown>, 'codecs' | 'apiKey' | 'of'> & {
  readonly apiKey?: number
}

/** Makes a schema of a table; used by the generated files. */
export function defineMessage<T>(table: MessageTable): MessageSchema<T> {
  return { apiKey: -1, ...table, codecs: [] }
}

export function isFlexible(schema: MessageSchema<unknown>, version: number): boolean {
  return version >= schema.flexibleFrom
}

export function isValidVersion(schema: MessageSchema<unknown>, version: number): boolean {
  return version >= schema.validVersions[0] && version <= schema.validVersions[1]
}

/**
 * Writes the body of a message. Throws `WireError` for an unknown version, a value that does not
 * fit its type, and a value other than the default in a field that this version lacks (unless the
 * field is ignorable).
 */
export function encodeMessage<T>(
  schema: MessageSchema<T>,
  version: number,
  value: NoInfer<Input<T>>,
  writer: Writer,
): void {
  const codec = schema.codecs[version] ?? compile(schema, version)
  try {
    codec.encode(writer, value)
  } catch (error) {
    throw withContext(error, schema, version)
  }
}

export function encodeToBuffer<T>(
  schema: MessageSchema<T>,
  version: number,
  value: NoInfer<Input<T>>,
): Buffer {
  const writer = new Writer()
  encodeMessage(schema, version, value, writer)
  return writer.toBuffer()
}

/**
 * Reads the body of a message; fields that this version lacks have their default. Bytes share
 * memory with the reader's buffer. Throws `WireError`. Bytes that follow the body are left unread.
 */
export function decodeMessage<T>(schema: MessageSchema<T>, version: number, reader: Reader): T {
  const codec = schema.codecs[version] ?? compile(schema, version)
  try {
    return codec.decode(reader) as T
  } catch (error) {
    throw withContext(error, schema, version)
  }
}

/** Reads a body that fills the buffer from `position` on. */
export function decodeFromBuffer<T>(
  schema: MessageSchema<T>,
  version: number,
  buffer: Buffer,
  position = 0,
): T {
  return decodeMessage(schema, version, new Reader(buffer, position))
}

function compile(schema: MessageSchema<unknown>, version: number): Codec {
  if (!Number.isInteger(version) || !isValidVersion(schema, version)) {
    const [min, max] = schema.validVersions
    throw new WireError(`${schema.name} has no version ${version}, only ${min} to ${max}`)
  }
  const codec = compileCodec(schema.fields, version, isFlexible(schema, version))
  schema.codecs[version] = codec
  return codec
}

function withContext(error: unknown, schema: MessageSchema<unknown>, version: number): unknown {
  if (!(error instanceof WireError)) return error
  return new WireError(`${schema.name} v${version}: ${error.message}`)
}
