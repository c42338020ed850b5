import { assert } from '../../src/base/assert.ts'
import type { BrokerId } from '../../src/base/ids.ts'

/** A change of the in-sync set that the controller has been asked for (AlterPartition). */
export interface IsrProposal {
  readonly kind: 'expand' | 'shrink'
  readonly isr: readonly BrokerId[]
  /** The proposed members with the broker epochs the leader knows them by; -1 when unknown (KIP-903). */
  readonly members: readonly { readonly brokerId: BrokerId; readonly brokerEpoch: number }[]
  readonly leaderEpoch: number
  /** The partition epoch the change is based on: the controller compares and sets. */
  readonly partitionEpoch: number
}

/**
 * The in-sync replicas as a leader sees them. `committed` is what the controller is known to have
 * recorded and rules the min.insync.replicas check before an append. `maximal` adds the members of a
 * proposal whose fate is unknown: the high watermark has to wait for all of them, because the controller
 * may already elect any of them (KIP-497, invariant R9).
 */
export class InSyncSet {
  #committed: ReadonlySet<BrokerId>
  #maximal: ReadonlySet<BrokerId>
  #proposal: IsrProposal | null = null

  constructor(isr: readonly BrokerId[]) {
    this.#committed = new Set(isr)
    this.#maximal = this.#committed
  }

  get committed(): ReadonlySet<BrokerId> {
    return this.#committed
  }

  get maximal(): ReadonlySet<BrokerId> {
    return this.#maximal
  }

  /** The proposal in flight; one at a time. */
  get proposal(): IsrProposal | null {
    return this.#proposal
  }

  propose(proposal: IsrProposal): void {
    assert(this.#proposal === null, 'one change of the in-sync set is in flight at a time')
    this.#proposal = proposal
    this.#maximal = new Set([...this.#committed, ...proposal.isr])
  }

  /** The controller's word, from an answer or from metadata; ends a proposal. */
  commit(isr: readonly BrokerId[]): void {
    this.#committed = new Set(isr)
    this.#maximal = this.#committed
    this.#proposal = null
  }

  /** The proposal is known never to have been applied. */
  rollBack(): void {
    assert(this.#proposal !== null, 'only a proposal can be rolled back')
    this.#maximal = this.#committed
    this.#proposal = null
  }
}
