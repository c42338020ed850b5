// Goal: sizes that are filled in afterwards give the same bytes as sizes that are known before. Method: random trees of
// parts, with big buffers kept by reference, written both ways from first chunks of any size.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRequestHeader, encodeRequest } from '../../../../src/wire/request.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { Reader } from '../../../../src/wire/reader.ts'
import { shortText } from '../../../../src/wire/short-text.ts'
import { readUuid, writeUuid } from '../../../../src/wire/uuid-bytes.ts'
import { Writer } from '../../../../src/wire/writer.ts'

/** Bytes, or parts in a part with its size before it. */
type Part = number | readonly Part[]

const { part } = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(0, 1, 5, 60, 126, 127, 128, 129, 300, 1023, 1024, 20_000),
    },
    { weight: 2, arbitrary: fc.array(tie('part'), { maxLength: 4 }) },
  ),
}))

function bytesOf(each: Part): Buffer {
  if (typeof each === 'number') return Buffer.alloc(each, each & 0xff)
  const inner = Buffer.concat(each.map(bytesOf))
  const size = new Writer()
  size.unsignedVarint(inner.length)
  return Buffer.concat([size.toBuffer(), inner])
}

function write(writer: Writer, each: Part): void {
  if (typeof each === 'number') return writer.bytes(bytesOf(each))
  const mark = writer.beginSized()
  for (const inner of each) write(writer, inner)
  writer.endSized(mark)
}

describe('sized parts', () => {
  it('are the same whether their size is written before or after', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.integer({ min: 1, max: 400 }),
        (parts, hint) => {
          const writer = new Writer(hint)
          for (const each of parts) write(writer, each)
          const expected = Buffer.concat(parts.map(bytesOf))
          expect(writer.size).toBe(expected.length)
          expect(Buffer.concat(writer.toBuffers()).equals(expected)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('do not disturb the size of the frame around them', () => {
    const writer = new Writer(6)
    writer.beginFrame()
    write(writer, [[300], 20_000])
    const frame = Buffer.concat(writer.toFrame())
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    expect(frame.subarray(4).equals(bytesOf([[300], 20_000]))).toBe(true)
  })

  it('make a frame of one piece for a small request', () => {
    const chunks = encodeRequest(heartbeatApi, 4, 9, 'me', { groupId: 'g' })
    expect(chunks).toHaveLength(1)
    expect(decodeRequestHeader(chunks[0]!.subarray(4))).toMatchObject({ correlationId: 9 })
  })
})

describe('what is read often', () => {
  it('is the text of its bytes, whatever was read before', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 12, unit: 'binary' })), (texts) => {
        for (const text of texts) {
          const bytes = Buffer.from(`<${text}>`)
          const count = bytes.length - 2
          expect(shortText(bytes, 1, count)).toBe(bytes.toString('utf8', 1, 1 + count))
          expect(new Reader(bytes, 1).text(count)).toBe(bytes.toString('utf8', 1, 1 + count))
        }
      }),
    )
    // Bytes that are no UTF-8 must not be taken for the text they turned into.
    for (const bytes of [
      Buffer.from([0xc3]),
      Buffer.from([0x41, 0x80]),
      Buffer.from([0xff, 0xfe]),
    ]) {
      for (let time = 0; time < 2; time += 1) {
        expect(shortText(bytes, 0, bytes.length)).toBe(bytes.toString('utf8'))
      }
    }
  })

  it('is the uuid of its bytes, and back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 })), (all) => {
        for (const bytes of [...all, ...all]) {
          const buffer = Buffer.from([9, ...bytes, 9])
          const text = readUuid(buffer, 1)
          expect(text).toBe(Buffer.from(bytes).toString('base64url'))
          const again = Buffer.alloc(18, 9)
          expect(writeUuid(again, 1, text)).toBe(true)
          expect(again.equals(buffer)).toBe(true)
        }
      }),
    )
    expect(readUuid(Buffer.alloc(16), 0)).toBe('AAAAAAAAAAAAAAAAAAAAAA')
    expect(writeUuid(Buffer.alloc(16), 0, '!'.repeat(22))).toBe(false)
    expect(writeUuid(Buffer.alloc(16), 0, '\u{e4}'.repeat(22))).toBe(false)
  })
})
