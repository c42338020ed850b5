import type { Offset, ProducerId } from '../../src/base/ids.ts'
import type { BatchHeader } from '../../src/wire/record-batch.ts'
import type { AbortedTransaction } from './aborted-transactions.ts'
import type { EndMarker } from './end-marker.ts'

interface OngoingAbort {
  readonly transaction: AbortedTransaction
  /** A batch of it was met, so its marker must stay for this time. */
  hasBatches: boolean
}

/**
 * What a pass over a log from its beginning knows of the transactions there (Kafka's CleanedTransactionMetadata):
 * data of aborted ones goes, and a marker may go once no batch of its transaction is left before it. To be told
 * of every batch in order.
 */
export class CleanedTransactions {
  /** Not begun yet, by first offset. */
  #pending: AbortedTransaction[] = []
  readonly #aborting = new Map<ProducerId, OngoingAbort>()
  readonly #committing = new Set<ProducerId>()
  readonly #onAbortKept: (transaction: AbortedTransaction) => void

  /** `onAbortKept`: the marker of an aborted transaction stays, so the transaction has to stay in the index too. */
  constructor(onAbortKept: (transaction: AbortedTransaction) => void = () => undefined) {
    this.#onAbortKept = onAbortKept
  }

  /** The aborted transactions of the stretch that comes next. */
  add(transactions: readonly AbortedTransaction[]): void {
    const known = new Set(this.#pending.map(({ firstOffset }) => firstOffset))
    const fresh = transactions.filter(({ firstOffset }) => !known.has(firstOffset))
    this.#pending = [...this.#pending, ...fresh].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** True when all records of the batch belong to an aborted transaction. */
  onBatch(header: BatchHeader): boolean {
    this.#beginUpTo(header.lastOffset)
    if (!header.isTransactional) return false
    const aborting = this.#aborting.get(header.producerId)
    if (aborting === undefined) {
      this.#committing.add(header.producerId)
      return false
    }
    aborting.hasBatches = true
    return true
  }

  /** True when nothing of the transaction that the marker ends is left. `marker` is null when it was emptied before. */
  onMarker(header: BatchHeader, marker: EndMarker | null): boolean {
    this.#beginUpTo(header.lastOffset)
    if (header.recordCount === 0) return true
    // Control records of other kinds are not for the cleaner to judge.
    if (marker === null) return false
    const { producerId } = header
    if (marker.isCommit) return !this.#committing.delete(producerId)
    const aborting = this.#aborting.get(producerId)
    this.#aborting.delete(producerId)
    if (aborting?.hasBatches !== true) return true
    this.#onAbortKept(aborting.transaction)
    return false
  }

  #beginUpTo(offset: Offset): void {
    for (;;) {
      const [first] = this.#pending
      if (first === undefined || first.firstOffset > offset) return
      this.#pending.shift()
      if (this.#aborting.has(first.producerId)) continue
      this.#aborting.set(first.producerId, { transaction: first, hasBatches: false })
    }
  }
}
