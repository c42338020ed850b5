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
        : { problem: notANumber(type) }
    case 'list':
      return { value: trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim()) }
    case 'string':
    case 'class':
    case 'password':
      return { value: trimmed }
  }
}

/** What breaks a rule, as a message shows it, and the rule in Kafka's words. */
export interface BrokenRule {
  readonly shown: string
  readonly problem: string
}

/** How `value` breaks a rule such as `[1,...,100]`, `[a, b]` or `non-empty string`; null when it does not. */
export function checkConfigValue(key: CheckedKey, value: ConfigValue): BrokenRule | null {
  const { name, valid, type } = key
  if (valid === null || value === null) return null
  const range = /^\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]( or -1)?$/.exec(valid)
  if (range !== null) return checkRange(range, value, type)
  const rule = NAMED_RULES[valid]
  if (rule !== undefined) return rule(name, value)
  const choices = /^(\(case insensitive\) )?\[([\w, ]+)\]$/.exec(valid)
  return choices === null ? null : checkChoice(choices, value)
}

export interface CheckedKey {
  readonly name: string
  readonly type: ConfigType
  /** Kafka's text of the allowed values, or null. */
  readonly valid: string | null
}

type NamedRule = (name: string, value: ConfigValue) => BrokenRule | null

const THROTTLED_REPLICAS = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
const OFFSET_RESET = '[latest, earliest, by_duration:PnDTnHnMn.nS]'
/** A duration of ISO 8601 in days and smaller, as Java reads it. */
const DURATION =
  /^by_duration:P(?=.)(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d{1,9})?S)?)?$/i

const NAMED_RULES: Readonly<Record<string, NamedRule>> = {
  'non-empty string': (_, value) =>
    value === '' ? { shown: '', problem: 'String must be non-empty' } : null,
  'non-empty list': (name, value) =>
    Array.isArray(value) && value.length === 0
      ? { shown: '[]', problem: `Configuration '${name}' must not be empty.` }
      : null,
  [THROTTLED_REPLICAS]: (name, value) => {
    const entries = Array.isArray(value) ? value.map(String) : [String(value)]
    const isLegal =
      (entries.length === 1 && entries[0] === '*') ||
      entries.every((entry) => /^\d+:\d+$/.test(entry))
    const problem = `${name} must be the literal '*' or a list of replicas in the following format: ${THROTTLED_REPLICAS}`
    return isLegal ? null : { shown: `[${entries.join(', ')}]`, problem }
  },
  [OFFSET_RESET]: (name, value) => {
    const text = String(value)
    if (text === 'latest' || text === 'earliest' || DURATION.test(text)) return null
    const problem =
      `Invalid value \`${text}\` for configuration ${name}. The value must be either 'earliest', ` +
      "'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
    return { shown: text, problem }
  },
}

function parseBoolean(text: string): ParsedValue {
  const lower = text.toLowerCase()
  if (lower === 'true') return { value: true }
  if (lower === 'false') return { value: false }
  return { problem: 'Expected value to be either true or false' }
}

function notANumber(type: ConfigType): string {
  return `Not a number of type ${type.toUpperCase()}`
}

function parseInteger(type: 'int' | 'short' | 'long', text: string): ParsedValue {
  if (!/^[+-]?\d+$/.test(text)) return { problem: notANumber(type) }
  if (text === LONG_MAX && type === 'long') return { value: Infinity }
  if (text === LONG_MIN && type === 'long') return { value: -Infinity }
  const value = Number(text)
  if (!Number.isSafeInteger(value)) return { problem: notANumber(type) }
  if (type === 'long') return { value }
  const [low, high] = RANGES[type]
  return value < low || value > high ? { problem: notANumber(type) } : { value }
}

function checkRange(
  range: RegExpExecArray,
  value: ConfigValue,
  type: ConfigType,
): BrokenRule | null {
  const low = Number(range[1])
  const high = range[2] === undefined ? Infinity : Number(range[2])
  const number = Number(value)
  const isWhole = type === 'double' && Number.isInteger(number)
  const shown = isWhole ? `${number}.0` : String(number)
  if (range[3] !== undefined) {
    const isLegal = number === -1 || (number >= low && number <= high)
    const problem = `Value must be between ${low} and ${high} or equal to -1`
    return isLegal ? null : { shown, problem }
  }
  if (number < low) return { shown, problem: `Value must be at least ${low}` }
  if (number > high) return { shown, problem: `Value must be no more than ${high}` }
  return null
}

function checkChoice(choices: RegExpExecArray, value: ConfigValue): BrokenRule | null {
  const ignoreCase = choices[1] !== undefined
  const allowed = (choices[2] ?? '').split(',').map((choice) => choice.trim())
  const given = Array.isArray(value) ? value.map(String) : [String(value)]
  const same = (a: string, b: string): boolean =>
    ignoreCase ? a.toLowerCase() === b.toLowerCase() : a === b
  const wrong = given.find((item) => !allowed.some((choice) => same(choice, item)))
  if (wrong === undefined) return null
  const how = ignoreCase ? ' (case insensitive)' : ''
  return { shown: wrong, problem: `String must be one of${how}: ${allowed.join(', ')}` }
}
