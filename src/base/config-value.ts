/** Kafka's configuration types (ConfigDef.Type). `short` and `int` differ from `long` only in range. */
export type ConfigType =
  | 'boolean'
  | 'int'
  | 'short'
  | 'long'
  | 'double'
  | 'string'
  | 'list'
  | 'class'
  | 'password'

export type ConfigValue = boolean | number | string | readonly string[] | null

const LONG_MAX = '9223372036854775807'
const LONG_MIN = '-9223372036854775808'
const RANGES: Readonly<Record<'int' | 'short', readonly [number, number]>> = {
  int: [-2147483648, 2147483647],
  short: [-32768, 32767],
}

/** A parsed value, or why the text is none. */
export type ParsedValue = { readonly value: ConfigValue } | { readonly problem: string }

/**
 * Reads a setting's text by its type: booleans in any case, lists split at commas and trimmed,
 * Long.MAX_VALUE as Infinity. The rules of Kafka's ConfigDef.parseType.
 */
export function parseConfigValue(type: ConfigType, text: string): ParsedValue {
  const trimmed = text.trim()
  switch (type) {
    case 'boolean':
      return parseBoolean(trimmed)
    case 'int':
    case 'short':
    case 'long':
      return parseInteger(type, trimmed)
    case 'double':
      return trimmed !== '' && Number.isFinite(Number(trimmed))
        ? { value: Number(trimmed) }
        : { problem: `not a number of type ${type}` }
    case 'list':
      return { value: trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim()) }
    case 'string':
    case 'class':
    case 'password':
      return { value: trimmed }
  }
}

/** Why `value` breaks a rule such as `[1,...,100]`, `[a, b]` or `non-empty string`; null when it does not. */
export function checkConfigValue(valid: string | null, value: ConfigValue): string | null {
  if (valid === null || value === null) return null
  const range = /^\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]( or -1)?$/.exec(valid)
  if (range !== null) return checkRange(range, value)
  if (valid === 'non-empty string' && value === '') return 'must not be empty'
  if (valid === 'non-empty list' && Array.isArray(value) && value.length === 0) {
    return 'must name at least one entry'
  }
  const choices = /^(\(case insensitive\) )?\[([\w, ]+)\]$/.exec(valid)
  if (choices !== null) return checkChoice(choices, value)
  return null
}

function parseBoolean(text: string): ParsedValue {
  const lower = text.toLowerCase()
  if (lower === 'true') return { value: true }
  if (lower === 'false') return { value: false }
  return { problem: 'expected true or false' }
}

function parseInteger(type: 'int' | 'short' | 'long', text: string): ParsedValue {
  if (!/^[+-]?\d+$/.test(text)) return { problem: `not a number of type ${type}` }
  if (text === LONG_MAX && type === 'long') return { value: Infinity }
  if (text === LONG_MIN && type === 'long') return { value: -Infinity }
  const value = Number(text)
  if (!Number.isSafeInteger(value)) return { problem: `outside the range of type ${type}` }
  if (type === 'long') return { value }
  const [low, high] = RANGES[type]
  return value < low || value > high ? { problem: `outside the range of type ${type}` } : { value }
}

function checkRange(range: RegExpExecArray, value: ConfigValue): string | null {
  const low = Number(range[1])
  const high = range[2] === undefined ? Infinity : Number(range[2])
  const number = Number(value)
  if (range[3] !== undefined && number === -1) return null
  if (number < low) return `must be at least ${low}`
  if (number > high) return `must be at most ${high}`
  return null
}

function checkChoice(choices: RegExpExecArray, value: ConfigValue): string | null {
  const ignoreCase = choices[1] !== undefined
  const allowed = (choices[2] ?? '').split(',').map((choice) => choice.trim())
  const given = Array.isArray(value) ? value.map(String) : [String(value)]
  const same = (a: string, b: string): boolean =>
    ignoreCase ? a.toLowerCase() === b.toLowerCase() : a === b
  const wrong = given.find((item) => !allowed.some((choice) => same(choice, item)))
  return wrong === undefined ? null : `"${wrong}" is not one of ${allowed.join(', ')}`
}
