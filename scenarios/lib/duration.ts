import { ConfigError } from '../../src/base/errors.ts'

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** Milliseconds of `5s`, `1.5s`, `200ms`, `2m`; numbers are milliseconds. Throws `ConfigError`. */
export function durationMs(text: string | number): number {
  if (typeof text === 'number') return text
  const found = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text)
  const unitMs = UNITS_MS[found?.[2] ?? '']
  if (found === null || unitMs === undefined) {
    throw new ConfigError(`a time is written like 5s, 1.5s or 200ms, not "${text}"`)
  }
  return Math.round(Number(found[1]) * unitMs)
}
