import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarOf, daysOf } from '../../../../connect/data/calendar.ts'
import { javaText } from '../../../../connect/data/java-text.ts'
import { Decimal, decimalSchema, Instant, logicalTypeOf } from '../../../../connect/data/logical.ts'
import { dateSchema, timeSchema, timestampSchema } from '../../../../connect/data/logical.ts'
import { Schema, structSchema } from '../../../../connect/data/schema.ts'
import { INT32_SCHEMA, STRING_SCHEMA } from '../../../../connect/data/schema.ts'
import { sameSchema, sameValue, Struct, validateValue } from '../../../../connect/data/struct.ts'
import { DataError } from '../../../../connect/errors.ts'
import { connectData } from '../../../support/connect-arbitraries.ts'

const PERSON = structSchema(
  {
    id: INT32_SCHEMA,
    name: new Schema('STRING', { optional: true }),
    city: new Schema('STRING', { defaultValue: 'Bern' }),
  },
  { name: 'person' },
)

describe('a struct', () => {
  it('gives the default of a field that is null, unless asked without', () => {
    const person = new Struct(PERSON, { id: 1 })
    expect(person.get('city')).toBe('Bern')
    expect(person.getWithoutDefault('city')).toBeNull()
    expect(person.get('name')).toBeNull()
  })

  it('refuses values of the wrong type, unknown fields and null in a required field', () => {
    const person = new Struct(PERSON)
    expect(() => person.put('id', 'one')).toThrow('Field "id" is a string, expected INT32')
    expect(() => person.put('id', 2 ** 31)).toThrow(DataError)
    expect(() => person.put('id', null)).toThrow('is not optional')
    expect(() => person.put('age', 1)).toThrow('age is not a valid field name')
    expect(() => person.validate()).toThrow('Field "id"')
    expect(() => new Struct(STRING_SCHEMA)).toThrow(DataError)
  })

  it('prints as in Java, without its null fields', () => {
    expect(javaText(new Struct(PERSON, { id: 1, name: 'Ann' }))).toBe('Struct{id=1,name=Ann}')
  })
})

describe('schemas', () => {
  it('are equal only when every attribute is', () => {
    expect(sameSchema(PERSON, PERSON.with({}))).toBe(true)
    for (const change of [
      { optional: true },
      { name: 'other' },
      { version: 1 },
      { doc: 'x' },
      { parameters: { a: 'b' } },
    ]) {
      expect(sameSchema(PERSON, PERSON.with(change))).toBe(false)
    }
    expect(sameSchema(PERSON, null)).toBe(false)
  })

  it('refuse elements without a schema and two fields of one name', () => {
    const field = { name: 'a', schema: STRING_SCHEMA }
    expect(() => new Schema('ARRAY')).toThrow(DataError)
    expect(() => new Schema('MAP', { keySchema: STRING_SCHEMA })).toThrow(DataError)
    expect(() => new Schema('STRUCT', { fields: [field, field] })).toThrow('two fields')
    expect(() => STRING_SCHEMA.valueSchema).toThrow(DataError)
  })

  it('accept every value that is made for them', () => {
    fc.assert(
      fc.property(connectData, ({ schema, value }) => {
        validateValue(schema!, value)
        expect(sameValue(value, value)).toBe(true)
      }),
    )
  })

  it('check the items of lists and maps', () => {
    const list = new Schema('ARRAY', { valueSchema: INT32_SCHEMA })
    const map = new Schema('MAP', { keySchema: STRING_SCHEMA, valueSchema: INT32_SCHEMA })
    expect(() => validateValue(list, [1, 'two'])).toThrow('The value[1]')
    expect(() => validateValue(map, new Map([['a', 'b']]))).toThrow(DataError)
    expect(() => validateValue(map, new Map([[1, 1]]))).toThrow('A key of')
  })

  it('know the ranges of the integers', () => {
    for (const [type, bits] of [
      ['INT8', 8],
      ['INT16', 16],
      ['INT32', 32],
    ] as const) {
      const limit = 2 ** (bits - 1)
      const schema = new Schema(type)
      validateValue(schema, -limit)
      validateValue(schema, limit - 1)
      expect(() => validateValue(schema, limit)).toThrow(DataError)
      expect(() => validateValue(schema, -limit - 1)).toThrow(DataError)
      expect(() => validateValue(schema, 1.5)).toThrow(DataError)
    }
    validateValue(new Schema('INT64'), (1n << 63n) - 1n)
    expect(() => validateValue(new Schema('INT64'), 1n << 63n)).toThrow(DataError)
    expect(() => validateValue(new Schema('INT64'), 2 ** 60)).toThrow(DataError)
  })
})

describe('logical types', () => {
  it('are stored as their base types and come back', () => {
    for (const [schema, value, base] of [
      [dateSchema(), new Instant(86_400_000 * 3), 3],
      [timeSchema(), new Instant(1234), 1234],
      [timestampSchema(), new Instant(-5), -5],
      [decimalSchema(2), new Decimal(-129n, 2), Buffer.from([0xff, 0x7f])],
      [decimalSchema(0), new Decimal(128n, 0), Buffer.from([0, 0x80])],
    ] as const) {
      const type = logicalTypeOf(schema)!
      expect(type.toBase(schema, value)).toEqual(base)
      expect(sameValue(type.fromBase(schema, base), value)).toBe(true)
    }
  })

  it('refuse a date with a time of day, a time outside the day and another scale', () => {
    const refuse = (schema: Schema, value: Instant | Decimal): void => {
      expect(() => logicalTypeOf(schema)!.toBase(schema, value)).toThrow(DataError)
    }
    refuse(dateSchema(), new Instant(1))
    refuse(timeSchema(), new Instant(86_400_001))
    refuse(timeSchema(), new Instant(-1))
    refuse(decimalSchema(2), new Decimal(1n, 3))
  })

  it('read and print decimals exactly', () => {
    for (const [text, printed] of [
      ['12', '12'],
      ['-0.05', '-0.05'],
      ['1.50', '1.50'],
      ['2e3', '2000'],
      ['12345678901234567890.123', '12345678901234567890.123'],
    ] as const) {
      expect(Decimal.parse(text).toString()).toBe(printed)
    }
    expect(() => Decimal.parse('.')).toThrow(DataError)
  })
})

describe('the calendar', () => {
  it('agrees with the machine about every day', () => {
    const days = fc.integer({ min: -700_000, max: 2_900_000 })
    fc.assert(
      fc.property(days, fc.nat(86_399_999), (day, ofDay) => {
        const ms = day * 86_400_000 + ofDay
        const iso = new Date(ms).toISOString()
        expect(calendarOf(ms).timestamp).toBe(iso)
        const [year, month, date] = iso.slice(0, 10).split('-').map(Number)
        expect(daysOf(year!, month!, date!)).toBe(day)
      }),
    )
    expect(daysOf(2023, 2, 29)).toBeNull()
    expect(daysOf(2024, 13, 1)).toBeNull()
    expect(calendarOf(0).javaDate).toBe('Thu Jan 01 00:00:00 UTC 1970')
  })
})

describe('the text of values', () => {
  it('is that of Java', () => {
    const float = new Schema('FLOAT64')
    expect(javaText([1, null, 'a'])).toBe('[1, null, a]')
    expect(javaText(new Map([['a', new Map([['b', true]])]]))).toBe('{a={b=true}}')
    expect(javaText(1, float)).toBe('1.0')
    expect(javaText(1.5e10, float)).toBe('1.5E10')
    expect(javaText(1e-5, float)).toBe('1.0E-5')
    expect(javaText(Math.fround(0.1), new Schema('FLOAT32'))).toBe('0.1')
    expect(javaText(1n << 62n)).toBe('4611686018427387904')
    expect(javaText(null)).toBe('null')
  })
})
