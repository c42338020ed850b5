import type { CodecId } from '../../../../src/wire/record-batch.ts'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { compressSync as snappyBlock } from 'snappy'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../../../src/base/errors.ts'
import { compress, decompress } from '../../../../src/wire/compression/index.ts'
import { xxhash32 } from '../../../../src/wire/compression/xxhash32.ts'
import { valueOrWireError } from '../../../support/wire-arbitraries.ts'

const CODECS: readonly CodecId[] = [1, 2, 3, 4]
const GZIP = 1
const SNAPPY = 2
const LZ4 = 3
const ZSTD = 4

/** Repeats a short pattern, so that it compresses well, to `size` bytes. */
function compressible(size: number): Buffer {
  return Buffer.alloc(size, 'kafkette and its brokers, ')
}

/** An LZ4 frame put together by hand; blocks are stored as they are. */
function lz4Frame(
  blocks: readonly Buffer[],
  options: { flags?: number; descriptor?: number; extra?: Buffer; checksums?: boolean } = {},
): Buffer {
  const { flags = 0x60, descriptor = 0x40, extra = Buffer.alloc(0) } = options
  const header = Buffer.concat([Buffer.from([flags, descriptor]), extra])
  const parts: Buffer[] = [Buffer.from('04224d18', 'hex'), header]
  parts.push(Buffer.from([(xxhash32(header) >>> 8) & 0xff]))
  for (const block of blocks) {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(block.length + 0x8000_0000)
    parts.push(size, block)
    if (options.checksums === true) {
      const checksum = Buffer.alloc(4)
      checksum.writeUInt32LE(xxhash32(block))
      parts.push(checksum)
    }
  }
  parts.push(Buffer.alloc(4))
  return Buffer.concat(parts)
}

describe.each(CODECS)('codec %i', (codec) => {
  it('gives back what was compressed', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 2000 }), (array) => {
      const bytes = Buffer.from(array)
      expect(decompress(codec, compress(codec, bytes)).equals(bytes)).toBe(true)
    })
    fc.assert(property, { numRuns: 100 })
  })

  it.each([32_767, 32_768, 65_536, 300_000, 5_000_000])('gives back %i bytes', (size) => {
    const bytes = compressible(size)
    const compressed = compress(codec, bytes)
    expect(compressed.length).toBeLessThan(size)
    expect(decompress(codec, compressed).equals(bytes)).toBe(true)
  })

  it('refuses to grow beyond its limit', () => {
    const compressed = compress(codec, compressible(100_000))
    expect(decompress(codec, compressed, 100_000)).toHaveLength(100_000)
    expect(() => decompress(codec, compressed, 99_999)).toThrow(WireError)
  })

  it('answers cut, changed and random bytes with bytes or a WireError', () => {
    const random = fc.uint8Array({ maxLength: 100 })
    const property = fc.property(random, fc.nat(), fc.nat(255), (array, at, byte) => {
      const bytes = compress(codec, Buffer.concat([array, compressible(200)]))
      valueOrWireError(() => decompress(codec, bytes.subarray(0, at % bytes.length)))
      const changed = Buffer.from(bytes)
      changed[at % changed.length] = byte
      valueOrWireError(() => decompress(codec, changed))
      valueOrWireError(() => decompress(codec, Buffer.from(array)))
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('refuses nothing at all', () => {
    expect(() => decompress(codec, Buffer.alloc(0))).toThrow(WireError)
  })
})

describe('no codec and an unknown codec', () => {
  it('leave the bytes alone or are refused', () => {
    const bytes = Buffer.from('abc')
    expect(compress(0, bytes)).toBe(bytes)
    expect(decompress(0, bytes)).toBe(bytes)
    expect(() => decompress(5, bytes)).toThrow(WireError)
  })
})

describe('snappy', () => {
  it('reads one raw block, as librdkafka and franz-go send it', () => {
    const bytes = compressible(100_000)
    expect(decompress(SNAPPY, snappyBlock(bytes)).equals(bytes)).toBe(true)
  })

  it('writes the stream of snappy-java', () => {
    const compressed = compress(SNAPPY, compressible(100))
    expect(compressed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    expect(compressed.readInt32BE(16)).toBe(compressed.length - 20)
  })

  it('reads streams that were put one after another', () => {
    const joined = Buffer.concat([
      compress(SNAPPY, Buffer.from('a')),
      compress(SNAPPY, Buffer.from('b')),
    ])
    expect(decompress(SNAPPY, joined).toString()).toBe('ab')
  })

  it('does not allocate for a size that cannot be', () => {
    expect(() => decompress(SNAPPY, Buffer.from('ffffffff0f00', 'hex'))).toThrow(WireError)
    expect(() => decompress(SNAPPY, Buffer.from('8080801000', 'hex'))).toThrow(WireError)
  })
})

describe('lz4', () => {
  const block = Buffer.from('stored as it is')

  it('writes the header that Java writes', () => {
    const compressed = compress(LZ4, compressible(1000))
    expect(compressed.subarray(0, 7).toString('hex')).toBe('04224d18604082')
    expect(compressed.readUInt32LE(compressed.length - 4)).toBe(0)
  })

  it.each([0x40, 0x50, 0x60, 0x70])('reads frames of block descriptor %i', (descriptor) => {
    expect(decompress(LZ4, lz4Frame([block, block], { descriptor })).toString()).toBe(
      block.toString().repeat(2),
    )
  })

  it('reads block checksums and refuses wrong ones', () => {
    const frame = lz4Frame([block], { flags: 0x70, checksums: true })
    expect(decompress(LZ4, frame)).toEqual(block)
    frame[frame.length - 5]! ^= 1
    expect(() => decompress(LZ4, frame)).toThrow(/checksum/)
  })

  it('reads over a content size and a content checksum', () => {
    const frame = lz4Frame([block], { flags: 0x6c, extra: Buffer.alloc(8, 9) })
    expect(decompress(LZ4, Buffer.concat([frame, Buffer.from('abcd')]))).toEqual(block)
  })

  it.each([
    ['blocks that depend on each other', 0x40, 0x40],
    ['a dictionary', 0x61, 0x40],
    ['another version', 0xa0, 0x40],
    ['block size id 3', 0x60, 0x30],
    ['reserved bits', 0x60, 0x41],
  ])('refuses %s', (_, flags, descriptor) => {
    expect(() => decompress(LZ4, lz4Frame([block], { flags, descriptor }))).toThrow(WireError)
  })

  it('refuses a wrong header checksum and a block above the limit of its frame', () => {
    const frame = lz4Frame([block])
    frame[6]! ^= 1
    expect(() => decompress(LZ4, frame)).toThrow(/header/)
    expect(() => decompress(LZ4, lz4Frame([Buffer.alloc(65_537)]))).toThrow(/65537/)
  })

  it('computes the known values of xxHash', () => {
    expect(xxhash32(Buffer.alloc(0))).toBe(0x02cc_5d05)
    expect(xxhash32(Buffer.from('a'))).toBe(0x550d_7456)
    expect(xxhash32(Buffer.from('abc'))).toBe(0x32d1_53ff)
    expect(xxhash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe229_3b2f)
  })
})

describe('zstd', () => {
  it('reads several frames and passes over skippable ones', () => {
    const skippable = Buffer.from('552a4d1803000000aabbcc', 'hex')
    const joined = Buffer.concat([
      zstdCompressSync(Buffer.from('one ')),
      skippable,
      zstdCompressSync(compressible(200_000)),
      zstdCompressSync(Buffer.from(' two')),
    ])
    const expected = Buffer.concat([
      Buffer.from('one '),
      compressible(200_000),
      Buffer.from(' two'),
    ])
    expect(decompress(ZSTD, joined).equals(expected)).toBe(true)
    expect(() => decompress(ZSTD, joined, 200_007)).toThrow(WireError)
  })

  it('refuses bytes after the last frame', () => {
    const joined = Buffer.concat([zstdCompressSync(Buffer.from('x')), Buffer.from('garbage')])
    expect(() => decompress(ZSTD, joined)).toThrow(WireError)
  })
})

describe('gzip', () => {
  it('does not inflate a small bomb', () => {
    const bomb = compress(GZIP, Buffer.alloc(20_000_000))
    expect(() => decompress(GZIP, bomb, 1_000_000)).toThrow(WireError)
  })
})
