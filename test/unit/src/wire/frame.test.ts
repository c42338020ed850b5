import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../../../src/base/errors.ts'
import { FrameCutter } from '../../../../src/wire/frame.ts'

function framed(bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      return [size, body]
    }),
  )
}

/** Pushes `stream` cut at `cuts` and returns copies of the frames, made after the last push. */
function cutAll(stream: Buffer, cuts: readonly number[], maxFrameBytes = 1000): string[] {
  const frames: Buffer[] = []
  const cutter = new FrameCutter(maxFrameBytes, (frame) => frames.push(frame))
  const places = cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b)
  const bounds = [0, ...places, stream.length]
  for (let index = 1; index < bounds.length; index += 1) {
    cutter.push(Buffer.from(stream.subarray(bounds[index - 1], bounds[index])))
  }
  return frames.map((frame) => frame.toString('hex'))
}

describe('a frame cutter', () => {
  it('gives the same frames for any way the stream is cut into chunks', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 })
    const property = fc.property(bodies, fc.array(fc.nat(), { maxLength: 40 }), (list, cuts) => {
      const expected = list.map((body) => Buffer.from(body).toString('hex'))
      expect(cutAll(framed(list), cuts)).toEqual(expected)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('puts a frame together that comes byte by byte', () => {
    const stream = framed([Buffer.from('hello'), Buffer.alloc(0), Buffer.from('x')])
    const cuts = Array.from({ length: stream.length }, (_, index) => index)
    expect(cutAll(stream, cuts)).toEqual(['68656c6c6f', '', '78'])
  })

  it('puts a frame together that is larger than the room it makes at once', () => {
    const body = Buffer.alloc(5_000_000, 7)
    const stream = framed([body, Buffer.from('next')])
    const frames: Buffer[] = []
    const cutter = new FrameCutter(10_000_000, (frame) => frames.push(frame))
    for (let at = 0; at < stream.length; at += 65_536) cutter.push(stream.subarray(at, at + 65_536))
    expect(frames.map((frame) => frame.length)).toEqual([5_000_000, 4])
    expect(frames[0]!.equals(body)).toBe(true)
  })

  it.each([[-1], [1001], [0x7fff_ffff]])(
    'refuses the size %i in one chunk or in pieces',
    (size) => {
      const stream = Buffer.alloc(8)
      stream.writeInt32BE(size)
      expect(() => cutAll(stream, [])).toThrow(WireError)
      expect(() => cutAll(stream, [1, 2, 3])).toThrow(WireError)
    },
  )

  it('takes a frame of exactly the limit', () => {
    expect(cutAll(framed([Buffer.alloc(1000)]), [])).toHaveLength(1)
  })

  it('keeps an unfinished frame to itself', () => {
    expect(cutAll(framed([Buffer.from('abc')]).subarray(0, 6), [2])).toEqual([])
  })
})
