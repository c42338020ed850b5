import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Converter } from '../../../../connect/api.ts'
import { binaryConverterPlugins } from '../../../../connect/converters/binary-converters.ts'
import { parseHeaderText } from '../../../../connect/converters/header-text.ts'
import { simpleHeaderConverterPlugin } from '../../../../connect/converters/simple-header-converter.ts'
import { stringConverterPlugin } from '../../../../connect/converters/string-converter.ts'
import { Instant } from '../../../../connect/data/logical.ts'
import { INT32_SCHEMA, STRING_SCHEMA, type Schema } from '../../../../connect/data/schema.ts'
import type { Value } from '../../../../connect/data/value.ts'

function binary(name: string): Converter {
  return binaryConverterPlugins
    .find(({ className }) => className.endsWith(`.${name}`))!
    .create({}, 'value')
}

describe('StringConverter', () => {
  it('gives back any text, and null', () => {
    const it = stringConverterPlugin.create({}, 'value')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(it.toConnectData('t', it.fromConnectData('t', STRING_SCHEMA, text)).value).toBe(text)
      }),
    )
    expect(it.fromConnectData('t', null, null)).toBeNull()
    expect(it.toConnectData('t', null).schema).toMatchObject({ type: 'STRING', isOptional: true })
  })

  it('writes other values as Java prints them', () => {
    const it = stringConverterPlugin.create({}, 'value')
    expect(it.fromConnectData('t', null, [1, true])!.toString()).toBe('[1, true]')
  })

  it('takes other encodings and refuses unknown ones', () => {
    const latin = stringConverterPlugin.create({ 'converter.encoding': 'ISO-8859-1' }, 'value')
    expect(latin.fromConnectData('t', null, 'ü')).toEqual(Buffer.from([0xfc]))
    expect(() => stringConverterPlugin.create({ 'converter.encoding': 'EBCDIC' }, 'value')).toThrow(
      'converter.encoding is "EBCDIC"',
    )
  })
})

describe('converters of one type', () => {
  it('write big-endian and read back', () => {
    for (const [name, value, hex] of [
      ['ByteArrayConverter', Buffer.from('ab'), '6162'],
      ['BooleanConverter', true, '01'],
      ['ShortConverter', -2, 'fffe'],
      ['IntegerConverter', 258, '00000102'],
      ['LongConverter', -1, 'ffffffffffffffff'],
      ['LongConverter', (1n << 62n) + 1n, '4000000000000001'],
      ['FloatConverter', 1.5, '3fc00000'],
      ['DoubleConverter', 1.5, '3ff8000000000000'],
    ] as const) {
      const it = binary(name)
      const bytes = it.fromConnectData('t', null, value)!
      expect(bytes.toString('hex')).toBe(hex)
      expect(it.toConnectData('t', bytes).value).toEqual(value)
      expect(it.fromConnectData('t', null, null)).toBeNull()
      expect(it.toConnectData('t', null).value).toBeNull()
    }
  })

  it('refuse the wrong type, range, length or schema', () => {
    for (const [name, value] of [
      ['ByteArrayConverter', 'text'],
      ['BooleanConverter', 1],
      ['ShortConverter', 40_000],
      ['IntegerConverter', 1.5],
      ['LongConverter', '1'],
      ['DoubleConverter', 1n],
    ] as const) {
      expect(() => binary(name).fromConnectData('t', null, value)).toThrow('Expected')
    }
    expect(() => binary('IntegerConverter').toConnectData('t', Buffer.alloc(3))).toThrow('4 bytes')
    expect(() => binary('BooleanConverter').toConnectData('t', Buffer.from([2]))).toThrow('0 or 1')
    expect(() =>
      binary('ByteArrayConverter').fromConnectData('t', INT32_SCHEMA, Buffer.alloc(1)),
    ).toThrow('Invalid schema type')
  })
})

describe('SimpleHeaderConverter', () => {
  const it_ = simpleHeaderConverterPlugin.create({})
  const written = (value: Value, schema: Schema | null = null): string | undefined =>
    it_.fromConnectHeader('t', 'h', schema, value)?.toString()

  it('guesses the type of a text by the rules of Kafka', () => {
    for (const [text, type, value] of [
      ['', 'STRING', ''],
      ['null', undefined, null],
      ['true', 'BOOLEAN', true],
      ['True', 'STRING', 'True'],
      ['42', 'INT8', 42],
      ['007', 'INT8', 7],
      ['-129', 'INT16', -129],
      ['70000', 'INT32', 70_000],
      ['5000000000', 'INT64', 5_000_000_000],
      ['1.0', 'INT8', 1],
      ['1.5', 'FLOAT32', 1.5],
      ['1e300', 'FLOAT64', 1e300],
      ['hello', 'STRING', 'hello'],
      ['12 apples', 'STRING', '12 apples'],
      ['2024-02-30', 'STRING', '2024-02-30'],
      ['{"a":}', 'STRING', '{"a":}'],
      ['[1,2,]', 'STRING', '[1,2,]'],
      ['[1,2', 'STRING', '[1,2'],
    ] as const) {
      const guessed = parseHeaderText(text)
      expect([text, guessed.schema?.type, guessed.value]).toEqual([text, type, value])
    }
  })

  it('reads dates, times and timestamps', () => {
    expect(parseHeaderText('1970-01-02').value).toEqual(new Instant(86_400_000))
    expect(parseHeaderText('00:00:01.500Z').value).toEqual(new Instant(1500))
    const stamp = parseHeaderText('2024-05-06T07:08:09.123Z')
    expect(stamp.value).toEqual(new Instant(Date.UTC(2024, 4, 6, 7, 8, 9, 123)))
    expect(stamp.schema!.name).toBe('org.apache.kafka.connect.data.Timestamp')
  })

  it('reads lists and maps with the type that their items share', () => {
    expect(parseHeaderText('[1, 300]').schema!.valueSchema.type).toBe('INT16')
    expect(parseHeaderText('["a","b"]').value).toEqual(['a', 'b'])
    expect(parseHeaderText('[1,"b"]')).toEqual({ schema: null, value: [1, 'b'] })
    const map = parseHeaderText('{"a":1,"b":2}')
    expect(map.value).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    )
    expect(map.schema!.keySchema.type).toBe('STRING')
  })

  it('writes texts bare, and quoted inside of lists and maps', () => {
    expect(written('a"b')).toBe('a"b')
    expect(written(['a"b', 1, null])).toBe('["a\\"b",1,null]')
    expect(written(new Map([['k', [true]]]))).toBe('{"k":[true]}')
    expect(written(Buffer.from('hi'))).toBe('aGk=')
    expect(written(new Instant(86_400_000))).toBe('1970-01-02')
    expect(written(null)).toBeUndefined()
  })

  it('never fails on what it reads, and keeps bytes that are no text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        it_.toConnectHeader('t', 'h', Buffer.from(text))
      }),
    )
    const bytes = Buffer.from([0xff, 0xfe])
    expect(it_.toConnectHeader('t', 'h', bytes)).toMatchObject({ value: bytes })
  })
})
