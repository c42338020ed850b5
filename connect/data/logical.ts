import { DataError } from '../errors.ts'
import { Schema, type SchemaOptions } from './schema.ts'
import type { Value } from './value.ts'

const PREFIX = 'org.apache.kafka.connect.data.'
const DAY_MS = 86_400_000

export const DATE_NAME = `${PREFIX}Date`
export const TIME_NAME = `${PREFIX}Time`
export const TIMESTAMP_NAME = `${PREFIX}Timestamp`
export const DECIMAL_NAME = `${PREFIX}Decimal`

/** A point in time: the value of the logical types Date (midnight), Time (on 1970-01-01) and Timestamp. UTC. */
export class Instant {
  readonly epochMs: number

  constructor(epochMs: number) {
    if (!Number.isSafeInteger(epochMs)) throw new DataError(`${epochMs} is no time in milliseconds`)
    this.epochMs = epochMs
  }
}

/** `unscaled` / 10^`scale` (Java's BigDecimal). */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /** Reads `12`, `-1.50`, `2e-3`. Throws `DataError`. */
  static parse(text: string): Decimal {
    const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text)
    const digits = `${parts?.[2] ?? ''}${parts?.[3] ?? ''}`
    if (parts === null || digits === '') throw new DataError(`"${text}" is no decimal number`)
    const unscaled = BigInt(digits) * (parts[1] === '-' ? -1n : 1n)
    return new Decimal(unscaled, (parts[3] ?? '').length - Number(parts[4] ?? 0))
  }

  equals(other: Decimal): boolean {
    return this.unscaled === other.unscaled && this.scale === other.scale
  }

  /** Plain notation, never with an exponent. */
  toString(): string {
    const sign = this.unscaled < 0n ? '-' : ''
    const digits = String(this.unscaled < 0n ? -this.unscaled : this.unscaled)
    if (this.scale <= 0) return `${sign}${digits}${'0'.repeat(digits === '0' ? 0 : -this.scale)}`
    const padded = digits.padStart(this.scale + 1, '0')
    const point = padded.length - this.scale
    return `${sign}${padded.slice(0, point)}.${padded.slice(point)}`
  }
}

/** How the values of a logical type look in memory and as their base type. */
export interface LogicalType {
  isInstance(schema: Schema, value: Value): boolean
  /** Throws `DataError`. */
  toBase(schema: Schema, value: Value): Value
  fromBase(schema: Schema, value: Value): Value
}

/** The logical type that a schema's name stands for, or null. */
export function logicalTypeOf(schema: Schema): LogicalType | null {
  return schema.name === null ? null : (LOGICAL_TYPES[schema.name] ?? null)
}

export function dateSchema(options: SchemaOptions = {}): Schema {
  return new Schema('INT32', { ...options, name: DATE_NAME, version: 1 })
}

export function timeSchema(options: SchemaOptions = {}): Schema {
  return new Schema('INT32', { ...options, name: TIME_NAME, version: 1 })
}

export function timestampSchema(options: SchemaOptions = {}): Schema {
  return new Schema('INT64', { ...options, name: TIMESTAMP_NAME, version: 1 })
}

export function decimalSchema(scale: number, options: SchemaOptions = {}): Schema {
  const parameters = { ...options.parameters, scale: String(scale) }
  return new Schema('BYTES', { ...options, name: DECIMAL_NAME, version: 1, parameters })
}

/** The scale of a Decimal schema. Throws `DataError` when it has none. */
export function scaleOf(schema: Schema): number {
  const text = schema.parameters?.scale ?? ''
  if (!/^-?\d{1,9}$/.test(text)) {
    throw new DataError(
      `Invalid Decimal schema: the parameter scale is "${text}", expected a number`,
    )
  }
  return Number(text)
}

const LOGICAL_TYPES: Readonly<Record<string, LogicalType>> = {
  [DATE_NAME]: {
    isInstance: (_schema, value) => value instanceof Instant,
    toBase: (_schema, value) => {
      const { epochMs } = instant(value, 'Date')
      if (epochMs % DAY_MS !== 0) throw new DataError('A Date must not have a time of day')
      return epochMs / DAY_MS
    },
    fromBase: (_schema, value) => new Instant(integer(value, 'Date') * DAY_MS),
  },
  [TIME_NAME]: {
    isInstance: (_schema, value) => value instanceof Instant,
    toBase: (_schema, value) => {
      const { epochMs } = instant(value, 'Time')
      if (epochMs < 0 || epochMs > DAY_MS) throw new DataError('A Time must lie within one day')
      return epochMs
    },
    fromBase: (_schema, value) => new Instant(integer(value, 'Time')),
  },
  [TIMESTAMP_NAME]: {
    isInstance: (_schema, value) => value instanceof Instant,
    toBase: (_schema, value) => instant(value, 'Timestamp').epochMs,
    fromBase: (_schema, value) => new Instant(integer(value, 'Timestamp')),
  },
  [DECIMAL_NAME]: {
    isInstance: (_schema, value) => value instanceof Decimal,
    toBase: (schema, value) => {
      if (!(value instanceof Decimal)) throw new DataError('A Decimal value must be a Decimal')
      const scale = scaleOf(schema)
      if (value.scale !== scale) {
        throw new DataError(`The decimal has scale ${value.scale}, its schema ${scale}`)
      }
      return bytesOfInteger(value.unscaled)
    },
    fromBase: (schema, value) => {
      if (!Buffer.isBuffer(value)) throw new DataError('A Decimal must be stored as bytes')
      return new Decimal(integerOfBytes(value), scaleOf(schema))
    },
  },
}

/** Two's complement, big-endian, as few bytes as possible. */
function bytesOfInteger(value: bigint): Buffer {
  let count = 1
  while (BigInt.asIntN(count * 8, value) !== value) count += 1
  const bytes = Buffer.alloc(count)
  let rest = BigInt.asUintN(count * 8, value)
  for (let at = count - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

function integerOfBytes(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

function instant(value: Value, name: string): Instant {
  if (value instanceof Instant) return value
  throw new DataError(`A ${name} value must be an Instant`)
}

function integer(value: Value, name: string): number {
  const number = Number(value)
  if (typeof value === 'boolean' || !Number.isSafeInteger(number) || typeof value === 'string') {
    throw new DataError(`A ${name} must be stored as a whole number, found ${typeof value}`)
  }
  return number
}
