import { assert } from '../../../src/base/assert.ts'
import type { BrokerId } from '../../../src/base/ids.ts'
import type { VoterSet } from './voter-set.ts'

/** The answers to one round of votes or pre-votes. A voter may change a refusal, never a grant. */
export class VoteTally {
  readonly #voters: VoterSet
  readonly #answers = new Map<BrokerId, boolean>()

  constructor(voters: VoterSet) {
    this.#voters = voters
  }

  record(voterId: BrokerId, isGranted: boolean): void {
    assert(this.#voters.has(voterId), `${voterId} is no voter`)
    if (this.#answers.get(voterId) === true) return
    this.#answers.set(voterId, isGranted)
  }

  has(voterId: BrokerId): boolean {
    return this.#answers.has(voterId)
  }

  get isGranted(): boolean {
    return this.granting().length >= this.#voters.majority
  }

  /** No majority can be reached any more. */
  get isRejected(): boolean {
    const refused = this.#answers.size - this.granting().length
    return this.#voters.size - refused < this.#voters.majority
  }

  /** Voters that granted, ascending. */
  granting(): readonly BrokerId[] {
    return this.#voters.ids.filter((id) => this.#answers.get(id) === true)
  }

  /** Voters that have not answered, ascending. */
  unanswered(): readonly BrokerId[] {
    return this.#voters.ids.filter((id) => !this.#answers.has(id))
  }
}
