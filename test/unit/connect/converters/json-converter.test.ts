import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Converter, HeaderConverter } from '../../../../connect/api.ts'
import { jsonConverterPlugin } from '../../../../connect/converters/json-converter.ts'
import { Decimal, decimalSchema } from '../../../../connect/data/logical.ts'
import { INT32_SCHEMA, Schema, STRING_SCHEMA } from '../../../../connect/data/schema.ts'
import { structSchema, optionalSchema } from '../../../../connect/data/schema.ts'
import { sameSchema, sameValue, Struct } from '../../../../connect/data/struct.ts'
import type { Value } from '../../../../connect/data/value.ts'
import { DataError } from '../../../../connect/errors.ts'
import { connectData } from '../../../support/connect-arbitraries.ts'

function converter(settings: Record<string, string> = {}): Converter & HeaderConverter {
  return jsonConverterPlugin.create(settings, 'value')
}

const plain = converter({ 'schemas.enable': 'false' })

function write(it: Converter, schema: Schema | null, value: Value): string | null {
  return it.fromConnectData('t', schema, value)?.toString() ?? null
}

function read(it: Converter, text: string): { schema: Schema | null; value: Value } {
  return it.toConnectData('t', Buffer.from(text))
}

describe('JsonConverter with schemas', () => {
  it('gives back every value with its schema', () => {
    const it = converter()
    fc.assert(
      fc.property(connectData, ({ schema, value }) => {
        const back = it.toConnectData('t', it.fromConnectData('t', schema, value))
        expect(sameSchema(back.schema, schema)).toBe(true)
        expect(sameValue(back.value, value)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('writes the envelope of Apache Kafka, letter by letter', () => {
    const schema = structSchema({ id: INT32_SCHEMA, s: optionalSchema('STRING') }, { name: 'r' })
    expect(write(converter(), schema, new Struct(schema, { id: 1 }))).toBe(
      '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},' +
        '{"type":"string","optional":true,"field":"s"}],"optional":false,"name":"r"},' +
        '"payload":{"id":1,"s":null}}',
    )
    expect(write(converter(), STRING_SCHEMA, 'grün')).toBe(
      '{"schema":{"type":"string","optional":false},"payload":"grün"}',
    )
    expect(write(converter(), null, 'x')).toBe('{"schema":null,"payload":"x"}')
  })

  it('keeps all 64 bits of an integer', () => {
    const schema = new Schema('INT64')
    const text = write(converter(), schema, 9_007_199_254_740_993n)
    expect(text).toContain('"payload":9007199254740993}')
    expect(read(converter(), text!).value).toBe(9_007_199_254_740_993n)
  })

  it('makes a tombstone only of a null without a schema', () => {
    const withDefault = new Schema('STRING', { defaultValue: 'd' })
    expect(write(converter(), null, null)).toBeNull()
    expect(write(converter(), optionalSchema('STRING'), null)).toContain('"payload":null')
    expect(write(converter(), withDefault, null)).toContain('"payload":"d"')
    expect(() => write(converter(), STRING_SCHEMA, null)).toThrow(DataError)
    const keeps = converter({ 'replace.null.with.default': 'false' })
    expect(write(keeps, withDefault, null)).toContain('"payload":null')
    expect(converter().toConnectData('t', null)).toEqual({ schema: null, value: null })
  })

  it('refuses what is no envelope, and says what to do', () => {
    for (const text of [
      '{"a":1}',
      '"text"',
      '{"schema":null}',
      '{"schema":null,"payload":1,"x":1}',
    ]) {
      expect(() => read(converter(), text)).toThrow('schemas.enable=false')
    }
    expect(() => read(converter(), '{"schema":')).toThrow('Not valid JSON')
  })

  it('refuses schemas that say nothing sensible', () => {
    for (const schema of [
      '{}',
      '{"type":"int33"}',
      '{"type":"array"}',
      '{"type":"map","keys":{"type":"string"}}',
      '{"type":"struct"}',
      '{"type":"struct","fields":[{"type":"string"}]}',
      '{"type":"string","parameters":{"a":1}}',
      '{"type":"string","version":"x"}',
      `${'{"type":"array","items":'.repeat(150)}{"type":"string"}${'}'.repeat(150)}`,
    ]) {
      expect(() => read(converter(), `{"schema":${schema},"payload":null}`)).toThrow(DataError)
    }
  })

  it('refuses a payload that does not fit its schema', () => {
    for (const [type, payload] of [
      ['"int32"', '"1"'],
      ['"boolean"', '1'],
      ['"string"', '1'],
      ['"bytes"', '"*"'],
      ['"double"', '"x"'],
      ['"array","items":{"type":"string"}', '{}'],
      ['"map","keys":{"type":"string"},"values":{"type":"string"}', '[]'],
      ['"map","keys":{"type":"int32"},"values":{"type":"string"}', '[[1]]'],
      ['"string"', 'null'],
    ] as const) {
      const text = `{"schema":{"type":${type}},"payload":${payload}}`
      expect(() => read(converter(), text)).toThrow(DataError)
    }
  })

  it('wraps whole numbers that are too large, as Java does', () => {
    expect(read(converter(), '{"schema":{"type":"int8"},"payload":300}').value).toBe(44)
    expect(read(converter(), '{"schema":{"type":"int32"},"payload":4294967297}').value).toBe(1)
  })

  it('writes decimals as base64 or as numbers, and reads both', () => {
    const schema = decimalSchema(2)
    const value = new Decimal(12345n, 2)
    const numeric = converter({ 'decimal.format': 'numeric' })
    expect(write(converter(), schema, value)).toContain('"payload":"MDk="')
    expect(write(numeric, schema, value)).toContain('"payload":123.45}')
    for (const it of [converter(), numeric]) {
      expect(sameValue(read(it, write(numeric, schema, value)!).value, value)).toBe(true)
    }
  })

  it('reads bare payloads by a fixed schema', () => {
    const it = converter({ 'schema.content': '{"type":"int32"}' })
    expect(read(it, '7')).toEqual({ schema: new Schema('INT32'), value: 7 })
  })

  it('refuses a struct of another schema', () => {
    const a = structSchema({ x: INT32_SCHEMA })
    const b = structSchema({ y: INT32_SCHEMA })
    expect(() => write(converter(), a, new Struct(b, { y: 1 }))).toThrow('Mismatching schema')
  })
})

describe('JsonConverter without schemas', () => {
  it('writes the payload alone and reads objects as maps', () => {
    expect(write(plain, STRING_SCHEMA, 'a')).toBe('"a"')
    expect(read(plain, '{"a":[1,null,{"b":true}]}')).toEqual({
      schema: null,
      value: new Map([['a', [1, null, new Map([['b', true]])]]]),
    })
    expect(read(plain, '12345678901234567890').value).toBe(12_345_678_901_234_567_890n)
  })

  it('writes a null that has a schema as the word null', () => {
    expect(write(plain, optionalSchema('STRING'), null)).toBe('null')
    expect(write(plain, null, null)).toBeNull()
  })

  it('writes maps without text keys as pairs', () => {
    expect(write(plain, null, new Map<Value, Value>([[1, 'a']]))).toBe('[[1,"a"]]')
    expect(write(plain, null, new Map([['k', 'a']]))).toBe('{"k":"a"}')
  })

  it('gives back any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { value } = read(plain, text)
        // Null is a tombstone.
        const back = value === null ? 'null' : write(plain, null, value)!
        expect(JSON.parse(back)).toEqual(JSON.parse(text))
      }),
    )
  })
})

describe('the settings of JsonConverter', () => {
  it('are checked', () => {
    expect(() => converter({ 'schemas.enable': 'maybe' })).toThrow('schemas.enable')
    expect(() => converter({ 'decimal.format': 'HEX' })).toThrow('decimal.format')
  })
})
