import type { Uuid } from '../base/uuid.ts'
import { ToolError } from './tool-errors.ts'

const INT_MAX = 0x7fff_ffff
const UUID_BYTES = 16
const MAX_UUID_TEXT = 24

/** `Integer.parseInt`. Throws `ToolError` with Java's words. */
export function parseInteger(text: string): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= -INT_MAX - 1 && number <= INT_MAX) return number
  throw new ToolError(`For input string: "${text}"`, 'java.lang.NumberFormatException')
}

/** The text form of a topic or directory id. Throws `ToolError` with the words of Kafka's Uuid.fromString. */
export function parseUuid(text: string): Uuid {
  if (text.length > MAX_UUID_TEXT) {
    const prefix = text.slice(0, MAX_UUID_TEXT)
    throw new ToolError(
      `Input string with prefix \`${prefix}\` is too long to be decoded as a base64 UUID`,
    )
  }
  const alien = /[^A-Za-z0-9_=-]/.exec(text)?.[0]
  if (alien !== undefined) {
    throw new ToolError(`Illegal base64 character ${alien.charCodeAt(0).toString(16)}`)
  }
  if (text.length === 1) {
    throw new ToolError('Input byte[] should at least have 2 bytes for base64 bytes')
  }
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length === UUID_BYTES) return bytes.toString('base64url')
  throw new ToolError(
    `Input string \`${text}\` decoded as ${bytes.length} bytes, which is not equal to the expected ` +
      `${UUID_BYTES} bytes of a base64-encoded UUID`,
  )
}

/** `[a, b]`, as Java prints a list. */
export function javaList(items: readonly (string | number)[]): string {
  return `[${items.join(', ')}]`
}

/** The items that are there more than once, each named once. */
export function duplicates<T>(items: readonly T[]): readonly T[] {
  const seen = new Set<T>()
  const repeated = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) repeated.add(item)
    seen.add(item)
  }
  return [...repeated]
}
