import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { Reader } from '../../../../src/wire/reader.ts'
import { unsignedVarintBytes, varintBytes, varlongBytes } from '../../../../src/wire/varint.ts'
import { Writer } from '../../../../src/wire/writer.ts'

function written(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  write(writer)
  const { size } = writer
  const bytes = writer.toBuffer()
  expect(bytes.length).toBe(size)
  return bytes
}

function hex(text: string): Reader {
  return new Reader(Buffer.from(text, 'hex'))
}

describe('64-bit integers', () => {
  it('come back as they were, with both infinities', () => {
    const values = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(Infinity, -Infinity))
    const property = fc.property(values, (value) => {
      expect(new Reader(written((writer) => writer.int64(value))).int64()).toBe(value)
      const varlong = written((writer) => writer.varlong(value))
      expect(new Reader(varlong).varlong()).toBe(value)
      expect(varlongBytes(value)).toBe(varlong.length)
    })
    fc.assert(property, { numRuns: 1000 })
  })

  it.each([
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
    [-1, 'ffffffffffffffff'],
    [-4_294_967_296, 'ffffffff00000000'],
    [4_294_967_295, '00000000ffffffff'],
    [Infinity, '7fffffffffffffff'],
    [-Infinity, '8000000000000000'],
  ])('writes %d as two halves', (value, expected) => {
    expect(written((writer) => writer.int64(value)).toString('hex')).toBe(expected)
    expect(hex(expected).int64()).toBe(value)
  })

  it.each(['0020000000000000', 'ffe0000000000000', '7ffffffffffffffe', '8000000000000001'])(
    'refuses %s, which no number can hold',
    (text) => {
      expect(() => hex(text).int64()).toThrow(WireError)
    },
  )

  it('refuses varlongs beyond 2^53 and longer than 10 bytes', () => {
    expect(() => hex('feffffffffffffff7f').varlong()).toThrow(WireError)
    expect(() => hex('ffffffffffffffffffff01').varlong()).toThrow(WireError)
  })
})

describe('varints', () => {
  it('come back as they were and take the bytes that were foretold', () => {
    const property = fc.property(fc.integer(), (value) => {
      const zigzag = written((writer) => writer.varint(value))
      expect(new Reader(zigzag).varint()).toBe(value)
      expect(varintBytes(value)).toBe(zigzag.length)
      const unsigned = written((writer) => writer.unsignedVarint(value >>> 0))
      expect(new Reader(unsigned).unsignedVarint()).toBe(value >>> 0)
      expect(unsignedVarintBytes(value >>> 0)).toBe(unsigned.length)
    })
    fc.assert(property, { numRuns: 1000 })
  })

  it('may not have more than 5 bytes', () => {
    expect(() => hex('808080808001').unsignedVarint()).toThrow(WireError)
  })
})

describe('strings', () => {
  it('come back as they were in every form', () => {
    const texts = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 100 }))
    const property = fc.property(texts, (text) => {
      const bytes = written((writer) => {
        writer.string(text)
        writer.compactString(text)
        writer.nullableString(text)
        writer.compactNullableString(text)
      })
      const reader = new Reader(bytes)
      expect(reader.string()).toBe(text)
      expect(reader.compactString()).toBe(text)
      expect(reader.nullableString()).toBe(text)
      expect(reader.compactNullableString()).toBe(text)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('may have 32767 bytes and not one more', () => {
    const longest = 'é'.repeat(16_383) + 'a'
    expect(new Reader(written((writer) => writer.string(longest))).string()).toBe(longest)
    expect(() => written((writer) => writer.string(`${longest}b`))).toThrow(WireError)
    expect(() => written((writer) => writer.compactString(`${longest}b`))).toThrow(WireError)
    const tooLong = Buffer.concat([Buffer.from('818002', 'hex'), Buffer.alloc(0x8000)])
    expect(() => new Reader(tooLong).compactString()).toThrow(WireError)
  })

  it('must not be null where null has no meaning', () => {
    expect(() => hex('ffff').string()).toThrow(WireError)
    expect(() => hex('00').compactString()).toThrow(WireError)
    expect(() => hex('fffe').nullableString()).toThrow(WireError)
    expect(hex('ffff').nullableString()).toBeNull()
  })
})

describe('a writer', () => {
  it.each([
    ['int8', 128],
    ['int16', -32_769],
    ['uint16', -1],
    ['int32', 2 ** 31],
    ['uint32', -1],
    ['int64', 2 ** 53],
    ['int64', NaN],
    ['int32', 1.5],
    ['int32', NaN],
  ] as const)('refuses to write the %s %d', (verb, value) => {
    expect(() => new Writer()[verb](value)).toThrow(WireError)
  })

  it.each(['', 'AAAAAAAAAAAAAAAAAAAAA', '!!!!!!!!!!!!!!!!!!!!!!'])(
    'refuses the uuid "%s"',
    (text) => {
      expect(() => new Writer().uuid(text)).toThrow(WireError)
    },
  )

  it('writes the zero uuid as zeros', () => {
    expect(written((writer) => writer.uuid(ZERO_UUID))).toEqual(Buffer.alloc(16))
  })

  it('keeps big buffers by reference and small ones by copy', () => {
    const big = Buffer.alloc(100_000, 1)
    const small = Buffer.alloc(10, 2)
    const writer = new Writer()
    writer.int8(7)
    writer.bytes(big)
    writer.bytes(small)
    const chunks = writer.toBuffers()
    expect(chunks.includes(big)).toBe(true)
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([Buffer.from([7]), big, small]))
  })

  it('gives the same bytes whatever its first chunk was', () => {
    const property = fc.property(
      fc.nat(40),
      fc.array(fc.string({ maxLength: 80 })),
      (hint, texts) => {
        const [one, other] = [new Writer(hint), new Writer(10_000)]
        for (const writer of [one, other]) {
          for (const text of texts) {
            writer.compactString(text)
            writer.int64(text.length)
          }
        }
        expect(one.toBuffer().equals(other.toBuffer())).toBe(true)
      },
    )
    fc.assert(property)
  })
})

describe('a reader', () => {
  it('never reads beyond its end', () => {
    const reader = new Reader(Buffer.alloc(20), 4, 6)
    expect(() => reader.int32()).toThrow(WireError)
    expect(reader.int16()).toBe(0)
    expect(reader.remaining).toBe(0)
    expect(() => reader.uint8()).toThrow(WireError)
    expect(() => new Reader(Buffer.alloc(4), 2, 5)).toThrow(WireError)
    expect(() => new Reader(Buffer.alloc(4), 5)).toThrow(WireError)
  })

  it('refuses lengths and counts that cannot follow', () => {
    expect(() => hex('7fffffff00').sizedBytes()).toThrow(WireError)
    expect(() => hex('ffffffff').sizedBytes()).toThrow(WireError)
    expect(() => hex('fffffffe').nullableBytes()).toThrow(WireError)
    expect(() => hex('7fffffff00').arrayLength(1)).toThrow(WireError)
    expect(() => hex('fffffffe').arrayLength(1)).toThrow(WireError)
    expect(() => hex('ffffffff0f').compactArrayLength(1)).toThrow(WireError)
    expect(hex('ffffffff').arrayLength(1)).toBe(-1)
    expect(hex('00').compactArrayLength(1)).toBe(-1)
  })

  it('skips a tag section of unknown tags', () => {
    const reader = hex('020001ff0502aabb77')
    reader.skipTags()
    expect(reader.uint8()).toBe(0x77)
    expect(() => hex('0100ff01').skipTags()).toThrow(WireError)
  })

  it('reads floats, unsigned integers and booleans', () => {
    const bytes = written((writer) => {
      writer.float64(-0.25)
      writer.uint32(0xffff_ffff)
      writer.uint16(0xfffe)
      writer.boolean(true)
      writer.nullableBytes(null)
      writer.compactNullableBytes(null)
    })
    const reader = new Reader(bytes)
    expect(reader.float64()).toBe(-0.25)
    expect(reader.uint32()).toBe(0xffff_ffff)
    expect(reader.uint16()).toBe(0xfffe)
    expect(reader.boolean()).toBe(true)
    expect(reader.nullableBytes()).toBeNull()
    expect(reader.compactNullableBytes()).toBeNull()
  })
})
