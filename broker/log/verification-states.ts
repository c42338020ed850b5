import type { ProducerId, TimestampMs } from '../../src/base/ids.ts'

/** Stands for one verification: a batch may be the first of a transaction only with the guard that was given for it. */
export type VerificationGuard = object

export interface Verification {
  readonly guard: VerificationGuard
  epoch: number
  /** The smallest first sequence that was seen while the coordinator was asked. */
  lowestSequence: number
  /** The producer speaks transaction protocol 2, where the epoch rises with every transaction (KIP-890). */
  readonly supportsEpochBump: boolean
  readonly startedAtMs: TimestampMs
}

/** What the leader is told of a batch before it asks the transaction coordinator. */
export interface VerificationRequest {
  readonly producerId: ProducerId
  readonly producerEpoch: number
  /** -1 for the batches of coordinators, which have no sequences. */
  readonly sequence: number
  readonly supportsEpochBump: boolean
}

/**
 * Producers whose transaction on this partition is being verified with the transaction coordinator (KIP-890, part 1).
 * Memory of the leader alone. It ends with the first batch or the end marker: a batch that was verified before a
 * marker has come in does not begin a transaction after it.
 */
export class VerificationStates {
  readonly #byProducer = new Map<ProducerId, Verification>()

  get size(): number {
    return this.#byProducer.size
  }

  of(producerId: ProducerId): Verification | null {
    return this.#byProducer.get(producerId) ?? null
  }

  /** Begins a verification or joins the one that is under way. */
  begin(request: VerificationRequest, nowMs: TimestampMs): VerificationGuard {
    const { producerId, producerEpoch, sequence, supportsEpochBump } = request
    const known = this.#byProducer.get(producerId)
    if (known === undefined) {
      const guard: VerificationGuard = { producerId }
      const own = { epoch: producerEpoch, lowestSequence: sequence, startedAtMs: nowMs }
      this.#byProducer.set(producerId, { guard, supportsEpochBump, ...own })
      return guard
    }
    if (producerEpoch > known.epoch) {
      known.epoch = producerEpoch
      known.lowestSequence = sequence
    } else if (producerEpoch === known.epoch) {
      known.lowestSequence = Math.min(known.lowestSequence, sequence)
    }
    return known.guard
  }

  end(producerId: ProducerId): void {
    this.#byProducer.delete(producerId)
  }

  /** Forgets those that led to nothing for `expirationMs`. */
  expire(nowMs: TimestampMs, expirationMs: number): void {
    for (const [producerId, { startedAtMs }] of this.#byProducer) {
      if (nowMs - startedAtMs >= expirationMs) this.#byProducer.delete(producerId)
    }
  }

  clear(): void {
    this.#byProducer.clear()
  }
}
