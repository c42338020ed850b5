import { present } from '../../base/assert.ts'
import { SimRandom } from '../../sim/sim-random.ts'

/**
 * What one part of a plan is drawn from. Each question has a label and a stream of its own, so that a new
 * question, or one more draw behind an old one, leaves every other answer of the seed as it was.
 */
export class Draw {
  readonly #random: SimRandom

  constructor(random: SimRandom) {
    this.#random = random
  }

  static ofSeed(seed: number): Draw {
    return new Draw(SimRandom.ofSeed(seed))
  }

  /** The questions below a label. */
  part(label: string): Draw {
    return new Draw(this.#random.fork(label))
  }

  /** Yes in `permille` of a thousand seeds. */
  chance(label: string, permille: number): boolean {
    return this.#random.fork(label).chance(permille)
  }

  /** Uniform, both ends included. */
  between(label: string, low: number, high: number): number {
    return low + this.#random.fork(label).below(high - low + 1)
  }

  pick<T>(label: string, values: readonly T[]): T {
    const index = this.#random.fork(label).below(values.length)
    return present(values[index], `${label}: value ${index}`)
  }

  /** As `pick`, each value with its weight. */
  weighted<T>(label: string, values: readonly (readonly [T, number])[]): T {
    const total = values.reduce((sum, [, weight]) => sum + weight, 0)
    let left = this.#random.fork(label).below(total)
    for (const [value, weight] of values) {
      if (left < weight) return value
      left -= weight
    }
    return this.pick(label, values)[0]
  }

  /** `count` of the values, or all, in the order given. */
  some<T>(label: string, values: readonly T[], count: number): readonly T[] {
    const ranked = values.map((value, index) => ({
      value,
      index,
      rank: this.#random.fork(`${label} ${index}`).u32(),
    }))
    return ranked
      .toSorted((a, b) => a.rank - b.rank || a.index - b.index)
      .slice(0, count)
      .toSorted((a, b) => a.index - b.index)
      .map(({ value }) => value)
  }

  /** One stream, for draws whose number is not known beforehand. */
  stream(label: string): SimRandom {
    return this.#random.fork(label)
  }
}
