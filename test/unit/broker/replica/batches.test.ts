import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { offsetAfter, wholeBatches } from '../../../../broker/replica/batches.ts'
import { batchOf } from '../../../support/replica-cluster.ts'

describe('wholeBatches', () => {
  const batches = ['a', 'bb', 'ccc'].map(batchOf)
  const all = Buffer.concat(batches)

  it('is the same buffer when nothing is cut', () => {
    expect(wholeBatches(all)).toBe(all)
  })

  it('leaves out what is cut, wherever the cut is', () => {
    fc.assert(
      fc.property(fc.nat(all.length), (end) => {
        let whole = 0
        for (const batch of batches) {
          if (whole + batch.length > end) break
          whole += batch.length
        }
        expect(wholeBatches(all.subarray(0, end)).length).toBe(whole)
      }),
    )
  })

  it('stops at a length that cannot be', () => {
    const broken = Buffer.from(all)
    broken.writeInt32BE(-5, batches[0]!.length + 8)
    expect(wholeBatches(broken).length).toBe(batches[0]!.length)
  })
})

describe('offsetAfter', () => {
  const all = Buffer.concat(['a', 'bb', 'ccc'].map(batchOf))

  it('is the offset after the last batch', () => {
    const last = Buffer.from(batchOf('z'))
    last.writeBigInt64BE(41n)
    expect(offsetAfter(Buffer.concat([all, last]))).toBe(42)
  })

  it('is not known of zeros, of cut batches and of any other damage, and no read goes astray', () => {
    for (const bytes of [1, 11, 68, 126, 140]) expect(offsetAfter(Buffer.alloc(bytes))).toBeNull()
    fc.assert(
      fc.property(fc.nat(all.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(all)
        damaged[at] = byte
        offsetAfter(damaged)
        const cut = all.subarray(0, at)
        const isWhole = at > 0 && wholeBatches(cut).length === at
        expect(offsetAfter(cut) === null).toBe(!isWhole)
      }),
    )
  })
})
