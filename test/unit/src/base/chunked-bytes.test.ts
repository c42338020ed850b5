import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkedBytes } from '../../../../src/base/chunked-bytes.ts'

type Step =
  | { readonly kind: 'append'; readonly sizes: readonly number[] }
  | { readonly kind: 'view'; readonly size: number }
  | { readonly kind: 'truncate'; readonly permille: number }

const size = fc.oneof(fc.nat(40), fc.nat(3000), fc.constantFrom(0, 1024, 256 * 1024 + 1))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), sizes: fc.array(size, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('view' as const), size }),
  fc.record({ kind: fc.constant('truncate' as const), permille: fc.nat(1000) }),
)

describe('chunked bytes', () => {
  it('holds what a plain buffer would, after any steps, and never changes what was read', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(1000), fc.nat(5000), runAndCompare),
      { numRuns: 150 },
    )
  })

  it('reads one append back without a copy', () => {
    const bytes = new ChunkedBytes()
    for (let index = 0; index < 100; index += 1) bytes.append([Buffer.alloc(1000, index)])
    const one = bytes.read(42_000, 1000)
    const two = bytes.read(42_000, 1000)
    expect(one.buffer).toBe(two.buffer)
    expect(one.every((byte) => byte === 42)).toBe(true)
  })

  it('joins neighbouring views into one chunk', () => {
    const source = Buffer.alloc(4000, 'abcd')
    const bytes = new ChunkedBytes()
    for (let at = 0; at < 4000; at += 100) bytes.appendView(source.subarray(at, at + 100))
    expect(bytes.read(0, 4000).buffer).toBe(source.buffer)
    expect(bytes.read(0, 4000).equals(source)).toBe(true)
  })

  it('keeps a clone apart from its original', () => {
    const original = new ChunkedBytes()
    original.append([Buffer.from('abc')])
    const copy = original.clone()
    original.append([Buffer.from('def')])
    copy.append([Buffer.from('xyz')])
    expect(original.read(0, 9).toString()).toBe('abcdef')
    expect(copy.read(0, 9).toString()).toBe('abcxyz')
  })
})

function runAndCompare(steps: readonly Step[], fromPermille: number, length: number): void {
  const bytes = new ChunkedBytes()
  let model = Buffer.alloc(0)
  let fill = 0
  const seen: { view: Buffer; copy: Buffer }[] = []
  for (const one of steps) {
    if (one.kind === 'truncate') {
      const kept = Math.floor((model.length * one.permille) / 1000)
      bytes.truncate(kept)
      model = model.subarray(0, kept)
    } else {
      const sizes = one.kind === 'append' ? one.sizes : [one.size]
      const parts = sizes.map((count) => Buffer.alloc(count, (fill += 1)))
      if (one.kind === 'append') bytes.append(parts)
      else bytes.appendView(parts[0]!)
      model = Buffer.concat([model, ...parts])
    }
    expect(bytes.size).toBe(model.length)
    const from = Math.floor((model.length * fromPermille) / 1000)
    const view = bytes.read(from, length)
    expect(view.equals(model.subarray(from, from + length))).toBe(true)
    seen.push({ view, copy: Buffer.from(view) })
  }
  for (const { view, copy } of seen) expect(view.equals(copy)).toBe(true)
}
