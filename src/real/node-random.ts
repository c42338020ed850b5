import { randomBytes, randomFillSync } from 'node:crypto'
import { assert } from '../base/assert.ts'
import type { Random } from '../ports/random.ts'

const POOL_WORDS = 1024

/** The machine's randomness. */
export class NodeRandom implements Random {
  readonly #pool = new Uint32Array(POOL_WORDS)
  #used = POOL_WORDS

  u32(): number {
    if (this.#used === POOL_WORDS) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    return this.#pool[this.#used++] ?? 0
  }

  below(limit: number): number {
    assert(Number.isInteger(limit) && limit >= 1 && limit <= 2 ** 32, `a limit of ${limit}`)
    const usable = 2 ** 32 - (2 ** 32 % limit)
    for (;;) {
      const drawn = this.u32()
      if (drawn < usable) return drawn % limit
    }
  }

  bytes(count: number): Buffer {
    return randomBytes(count)
  }

  fork(_label: string): Random {
    return new NodeRandom()
  }
}
