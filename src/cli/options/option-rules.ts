import { UsageError } from '../tool-errors.ts'
import type { ParsedOptions } from './option-parser.ts'

/** Throws `UsageError` naming the first of `names` that is missing. */
export function requireOptions(options: ParsedOptions, names: readonly string[]): void {
  for (const name of names) {
    if (!options.has(name)) throw new UsageError(`Missing required argument "[${name}]"`)
  }
}

/** Throws `UsageError` when `used` was given together with one of `others`. */
export function forbidTogether(
  options: ParsedOptions,
  used: string,
  others: readonly string[],
): void {
  if (!options.has(used)) return
  for (const other of others) {
    if (options.has(other)) {
      throw new UsageError(`Option "[${used}]" can't be used with option "[${other}]"`)
    }
  }
}
