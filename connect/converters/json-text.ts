import { DataError } from '../errors.ts'
import { messageOf } from '../../src/base/errors.ts'

/** Parsed JSON; whole numbers beyond the safe range are `bigint`. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** A number that a `number` may not hold exactly. */
const LONG_NUMBER = /\d{16}/
const utf8 = new TextDecoder('utf-8', { fatal: false })
/** In Node since 21, not yet in TypeScript's library. */
const rawJson = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON

/** Reads one JSON value. Throws `DataError`. */
export function parseJson(bytes: Buffer): Json {
  const text = utf8.decode(bytes)
  try {
    return parseText(text)
  } catch (error) {
    throw new DataError(`Not valid JSON: ${messageOf(error)}`, { cause: error })
  }
}

/** JSON without spaces; a `bigint` keeps all its digits. */
export function jsonText(value: Json): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? rawJson(String(item)) : item,
  )
}

export function isJsonObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

function parseText(text: string): Json {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as Json
  const parse = JSON.parse as (text: string, reviver: Reviver) => unknown
  return parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
  }) as Json
}
