import { daysOf } from '../data/calendar.ts'
import {
  Decimal,
  dateSchema,
  decimalSchema,
  Instant,
  timeSchema,
  timestampSchema,
} from '../data/logical.ts'
import { Schema, STRING_SCHEMA, BOOLEAN_SCHEMA, type SchemaType } from '../data/schema.ts'
import { sameSchema } from '../data/struct.ts'
import { NULL_VALUE, type SchemaAndValue, type Value } from '../data/value.ts'

const DAY_MS = 86_400_000
const MAX_DEPTH = 50
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/
/** From narrow to wide; a list of several has the widest. */
const NUMBER_TYPES: readonly SchemaType[] = [
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FLOAT32',
  'FLOAT64',
]
const FLOAT_MAX = 3.4028234663852886e38
const LONG_LIMIT = 1n << 63n

/**
 * Guesses the type of a text by the rules of Kafka's `Values.parseString`: null, booleans, lists and maps in
 * JSON's signs, dates, then the narrowest number that fits, else the text as it is.
 */
export function parseHeaderText(text: string): SchemaAndValue {
  if (text === '') return { schema: STRING_SCHEMA, value: '' }
  const first = text.trim()[0] ?? ''
  if (first === '[' || first === '{') {
    const reader = new NestedReader(text)
    return reader.readAll() ?? { schema: STRING_SCHEMA, value: text }
  }
  return parseScalar(text) ?? { schema: STRING_SCHEMA, value: text }
}

function parseScalar(text: string): SchemaAndValue | null {
  if (text === 'null') return NULL_VALUE
  if (text === 'true' || text === 'false') return { schema: BOOLEAN_SCHEMA, value: text === 'true' }
  return parseDate(text) ?? (NUMBER.test(text) ? parseNumber(text) : null)
}

function parseDate(text: string): SchemaAndValue | null {
  if (text.length === 10) {
    const dayMs = msOfDate(text)
    return dayMs === null ? null : { schema: dateSchema(), value: new Instant(dayMs) }
  }
  if (text.length === 13) {
    const timeMs = msOfTime(text)
    return timeMs === null ? null : { schema: timeSchema(), value: new Instant(timeMs) }
  }
  if (text.length !== 24 || text[10] !== 'T') return null
  const dayMs = msOfDate(text.slice(0, 10))
  const timeMs = msOfTime(text.slice(11))
  if (dayMs === null || timeMs === null) return null
  return { schema: timestampSchema(), value: new Instant(dayMs + timeMs) }
}

function msOfDate(text: string): number | null {
  const parts = DATE.exec(text)
  if (parts === null) return null
  const days = daysOf(Number(parts[1]), Number(parts[2]), Number(parts[3]))
  return days === null ? null : days * DAY_MS
}

function msOfTime(text: string): number | null {
  const [hours, minutes, seconds, ms] = (TIME.exec(text) ?? []).slice(1).map(Number)
  if (hours === undefined || minutes === undefined || seconds === undefined) return null
  if (hours > 23 || minutes > 59 || seconds > 59) return null
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + (ms ?? 0)
}

/** Whole values are the narrowest integer, also `1.0`; others a float as soon as its range holds them. */
function parseNumber(text: string): SchemaAndValue {
  const decimal = Decimal.parse(text)
  const exact = wholeOf(decimal)
  if (exact !== null && exact >= -LONG_LIMIT && exact < LONG_LIMIT) {
    const type = ([8, 16, 32] as const).find((bits) => BigInt.asIntN(bits, exact) === exact)
    const number = Number(exact)
    const value = Number.isSafeInteger(number) ? number : exact
    return { schema: new Schema(type === undefined ? 'INT64' : `INT${type}`), value }
  }
  const number = Number(text)
  if (Math.abs(number) <= FLOAT_MAX) {
    return { schema: new Schema('FLOAT32'), value: Math.fround(number) }
  }
  if (Number.isFinite(number)) return { schema: new Schema('FLOAT64'), value: number }
  return { schema: decimalSchema(decimal.scale), value: decimal }
}

function wholeOf({ unscaled, scale }: Decimal): bigint | null {
  if (scale < -40 || scale > 400) return null
  if (scale <= 0) return unscaled * 10n ** BigInt(-scale)
  const unit = 10n ** BigInt(scale)
  return unscaled % unit === 0n ? unscaled / unit : null
}

/** Reads lists and maps; any fault makes the whole text a plain string. */
class NestedReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  readAll(): SchemaAndValue | null {
    const result = this.#value(0)
    this.#skipSpace()
    return this.#at === this.#text.length ? result : null
  }

  #value(depth: number): SchemaAndValue | null {
    if (depth > MAX_DEPTH) return null
    this.#skipSpace()
    if (this.#take('[')) return this.#list(depth)
    if (this.#take('{')) return this.#map(depth)
    if (this.#take('"')) return this.#quoted()
    const token = /^[^\s,:\]}{["]+(?::[\d:.]+Z)?/.exec(this.#text.slice(this.#at))?.[0]
    if (token === undefined) return null
    this.#at += token.length
    return parseScalar(token)
  }

  #list(depth: number): SchemaAndValue | null {
    const items: SchemaAndValue[] = []
    if (this.#take(']')) return listOf(items)
    for (;;) {
      const item = this.#value(depth + 1)
      if (item === null) return null
      items.push(item)
      if (this.#take(']')) return listOf(items)
      if (!this.#take(',')) return null
    }
  }

  #map(depth: number): SchemaAndValue | null {
    const entries: (readonly [SchemaAndValue, SchemaAndValue])[] = []
    if (this.#take('}')) return mapOf(entries)
    for (;;) {
      const key = this.#value(depth + 1)
      if (key === null || key.value === null || !this.#take(':')) return null
      const value = this.#value(depth + 1)
      if (value === null) return null
      entries.push([key, value])
      if (this.#take('}')) return mapOf(entries)
      if (!this.#take(',')) return null
    }
  }

  #quoted(): SchemaAndValue | null {
    const quoted = /^((?:[^"\\]|\\.)*)"/s.exec(this.#text.slice(this.#at))
    if (quoted === null) return null
    this.#at += quoted[0].length
    return { schema: STRING_SCHEMA, value: (quoted[1] ?? '').replace(/\\(.)/gs, '$1') }
  }

  #take(sign: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }
}

function listOf(items: readonly SchemaAndValue[]): SchemaAndValue {
  const value: readonly Value[] = items.map((item) => item.value)
  const common = commonSchema(items)
  return { schema: common === null ? null : new Schema('ARRAY', { valueSchema: common }), value }
}

function mapOf(entries: readonly (readonly [SchemaAndValue, SchemaAndValue])[]): SchemaAndValue {
  const value = new Map(entries.map(([key, item]) => [key.value, item.value]))
  const keySchema = commonSchema(entries.map(([key]) => key))
  const valueSchema = commonSchema(entries.map(([, item]) => item))
  if (keySchema === null || valueSchema === null) return { schema: null, value }
  return { schema: new Schema('MAP', { keySchema, valueSchema }), value }
}

/** The schema that all have, the widest one among numbers; null when there is none. */
function commonSchema(items: readonly SchemaAndValue[]): Schema | null {
  let common: Schema | null = null
  for (const { schema } of items) {
    if (schema === null) return null
    if (common === null || sameSchema(common, schema)) common = schema
    else {
      const widest = Math.max(NUMBER_TYPES.indexOf(common.type), NUMBER_TYPES.indexOf(schema.type))
      const areNumbers = [common, schema].every(
        (each) => NUMBER_TYPES.includes(each.type) && each.name === null,
      )
      if (!areNumbers) return null
      common = new Schema(NUMBER_TYPES[widest] ?? 'FLOAT64')
    }
  }
  return common
}
