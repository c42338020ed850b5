import type { LeaderEpoch } from '../../src/base/ids.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { PartitionSet } from './partition-set.ts'
import type { Transaction } from './transaction.ts'

export interface MarkerTaskOptions {
  /** In `PrepareCommit` or `PrepareAbort`, committed. */
  readonly transaction: Transaction
  /** In which the coordinator leads the partition of the transaction now. */
  readonly coordinatorEpoch: () => LeaderEpoch
  /** Every partition has its marker, or is gone. */
  readonly onDone: () => void
}

/** The markers that one transaction still needs. */
export class MarkerTask {
  readonly transaction: Transaction
  readonly coordinatorEpoch: () => LeaderEpoch
  readonly #onDone: () => void
  #remaining: PartitionSet
  #isOver = false

  constructor({ transaction, coordinatorEpoch, onDone }: MarkerTaskOptions) {
    this.transaction = transaction
    this.coordinatorEpoch = coordinatorEpoch
    this.#onDone = onDone
    this.#remaining = transaction.partitions
  }

  /** The partitions that have no marker yet. */
  get remaining(): PartitionSet {
    return this.#remaining
  }

  /** Done, or cancelled: what comes back late does not count. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** These partitions need no marker any more. */
  settle(partitions: readonly TopicPartition[]): void {
    if (this.#isOver) return
    this.#remaining = this.#remaining.without(partitions)
    if (this.#remaining.size > 0) return
    this.#isOver = true
    this.#onDone()
  }

  /** Another coordinator, or a newer epoch of the producer, has taken over. */
  cancel(): void {
    this.#isOver = true
  }
}
