import { assert } from '../base/assert.ts'
import { uniformBelow } from '../base/uniform-below.ts'
import type { Random } from '../ports/random.ts'

const WARM_UP_DRAWS = 12

/** A seeded stream (sfc32). Integers only, so every platform draws the same. */
export class SimRandom implements Random {
  readonly #seedHigh: number
  readonly #seedLow: number
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** A 64-bit seed as two unsigned 32-bit halves. */
  constructor(seedHigh: number, seedLow: number) {
    this.#seedHigh = seedHigh >>> 0
    this.#seedLow = seedLow >>> 0
    this.#a = this.#seedHigh
    this.#b = this.#seedLow
    this.#c = 0x9e3779b9
    for (let draw = 0; draw < WARM_UP_DRAWS; draw += 1) this.u32()
  }

  /** The stream of a seed that is a safe integer of at least 0. */
  static ofSeed(seed: number): SimRandom {
    assert(Number.isSafeInteger(seed) && seed >= 0, `a seed of ${seed}`)
    return new SimRandom(Math.floor(seed / 2 ** 32), seed % 2 ** 32)
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }

  below(limit: number): number {
    return uniformBelow(limit, () => this.u32())
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    let position = 0
    for (; position + 4 <= count; position += 4) bytes.writeUInt32LE(this.u32(), position)
    for (; position < count; position += 1) bytes[position] = this.u32() & 0xff
    return bytes
  }

  /** Depends on the seed and the label only, not on what was drawn before. */
  fork(label: string): SimRandom {
    return new SimRandom(
      fnv1a(label, this.#seedHigh ^ 0x811c9dc5),
      fnv1a(label, this.#seedLow ^ 0x5bd1e995),
    )
  }

  /** True in `permille` of a thousand draws. */
  chance(permille: number): boolean {
    return this.below(1000) < permille
  }
}

function fnv1a(text: string, basis: number): number {
  let hash = basis
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
