import { assert } from '../base/assert.ts'

const NORMAL_PERMILLE = 1000
/** A drift of the nominal rate is a thousand parts; microseconds to milliseconds another thousand. */
const RATE_DIVISOR = 1_000_000

/**
 * The monotonic clock of a machine: the world's time at a rate of its own. It never goes back, also when
 * the rate changes.
 */
export class SimTime {
  #ratePermille = NORMAL_PERMILLE
  #baseUs = 0
  #baseMonoMs = 0

  get ratePermille(): number {
    return this.#ratePermille
  }

  setRate(ratePermille: number, nowUs: number): void {
    assert(ratePermille > 0 && ratePermille < Infinity, `a clock rate of ${ratePermille} permille`)
    this.#baseMonoMs = this.monoMs(nowUs)
    this.#baseUs = nowUs
    this.#ratePermille = ratePermille
  }

  monoMs(nowUs: number): number {
    return this.#baseMonoMs + ((nowUs - this.#baseUs) * this.#ratePermille) / RATE_DIVISOR
  }

  /** Microseconds of the world in which this clock goes on by `ms`. */
  worldUs(ms: number): number {
    return this.#ratePermille === NORMAL_PERMILLE
      ? ms * 1000
      : (ms * RATE_DIVISOR) / this.#ratePermille
  }
}
