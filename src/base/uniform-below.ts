import { assert } from './assert.ts'

/**
 * A uniform integer in [0, limit), `limit` from 1 to 2^32, out of uniform 32-bit draws. Draws that would favour the
 * small numbers are thrown away.
 */
export function uniformBelow(limit: number, u32: () => number): number {
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 2 ** 32))
    assert(false, `a limit of ${limit}`)
  const usable = 2 ** 32 - (2 ** 32 % limit)
  for (;;) {
    const drawn = u32()
    if (drawn < usable) return drawn % limit
  }
}
