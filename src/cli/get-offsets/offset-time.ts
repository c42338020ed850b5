import { ToolError } from '../tool-errors.ts'

/** The names of ListOffsets' special timestamps. */
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['latest', -1],
  ['earliest', -2],
  ['max-timestamp', -3],
  ['earliest-local', -4],
  ['latest-tiered', -5],
  ['earliest-pending-upload', -6],
])

/** `--time` as a timestamp of ListOffsets. Throws `ToolError`. */
export function parseOffsetTime(text: string): number {
  const special = SPECIAL.get(text)
  if (special !== undefined) return special
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw new ToolError(
    `Malformed time argument ${text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / ` +
      '-4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp',
  )
}
