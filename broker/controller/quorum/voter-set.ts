import { assert, present } from '../../../src/base/assert.ts'
import type { BrokerId } from '../../../src/base/ids.ts'

export interface Voter {
  readonly nodeId: BrokerId
  readonly host: string
  readonly port: number
}

/** The voters of `controller.quorum.voters`: fixed for the life of the node (kraft.version 0). */
export class VoterSet {
  /** Ascending. */
  readonly ids: readonly BrokerId[]
  readonly #voters: ReadonlyMap<BrokerId, Voter>

  constructor(voters: readonly Voter[]) {
    assert(voters.length > 0, 'a quorum has at least one voter')
    this.#voters = new Map(voters.map((voter) => [voter.nodeId, voter]))
    assert(this.#voters.size === voters.length, 'each voter is listed once')
    this.ids = [...this.#voters.keys()].sort((a, b) => a - b)
  }

  get size(): number {
    return this.ids.length
  }

  /** Votes (fetches) that decide. */
  get majority(): number {
    return Math.floor(this.size / 2) + 1
  }

  get lowestId(): BrokerId {
    return present(this.ids[0], 'the lowest voter')
  }

  has(id: BrokerId): boolean {
    return this.#voters.has(id)
  }

  get(id: BrokerId): Voter | null {
    return this.#voters.get(id) ?? null
  }

  /** All ids but one, ascending. */
  othersThan(id: BrokerId): readonly BrokerId[] {
    return this.ids.filter((other) => other !== id)
  }
}
