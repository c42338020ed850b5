import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wholeBatches } from '../../../../broker/replica/batches.ts'
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
