import { randomBytes, randomFillSync } from 'node:crypto'
import { uniformBelow } from '../base/uniform-below.ts'
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
    return uniformBelow(limit, () => this.u32())
  }

  bytes(count: number): Buffer {
    return randomBytes(count)
  }

  fork(_label: string): Random {
    return new NodeRandom()
  }
}
