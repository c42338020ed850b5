import type { InvariantId } from '../invariants.ts'
import type { CheckOutcome, Violation } from './history-check.ts'

/** A broken invariant tends to be broken often; more of it explains nothing. */
const VIOLATIONS_MAX = 20

/** What one rule finds out, gathered while it looks. */
export class Finding {
  readonly invariant: InvariantId
  readonly #violations: Violation[] = []
  #evaluated = 0
  #isUnknown = false

  constructor(invariant: InvariantId) {
    this.invariant = invariant
  }

  /** The invariant was looked at with something to find (X2). */
  look(times = 1): void {
    this.#evaluated += times
  }

  violated(atMs: number, message: string): void {
    if (this.#violations.length >= VIOLATIONS_MAX) return
    this.#violations.push({ invariant: this.invariant, message, atMs })
  }

  /** Something that had to be looked at could not be: without a violation the answer is no `valid`. */
  unknown(): void {
    this.#isUnknown = true
  }

  outcome(): CheckOutcome {
    const verdict = this.#violations.length > 0 ? 'invalid' : this.#isUnknown ? 'unknown' : 'valid'
    return {
      invariant: this.invariant,
      verdict,
      evaluated: this.#evaluated,
      violations: this.#violations,
    }
  }
}
