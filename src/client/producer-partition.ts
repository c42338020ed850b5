import { assert } from '../base/assert.ts'
import type { BrokerId } from '../base/ids.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerIdAndEpoch, ProducerIds } from './producer-identity.ts'
import type { PreparedRecord } from './producer-record.ts'

const SEQUENCE_LIMIT = 2 ** 31
/** As many as a broker remembers per producer and partition. */
const MAX_IDEMPOTENT_IN_FLIGHT = 5

/** What to do with a batch that was refused. */
export type Verdict = 'retry' | 'fail'

/**
 * The batches of one partition: open or waiting ones in `#queue`, sent ones in `#inFlight`, refused ones that are
 * tried again in `#retry`, each in order.
 *
 * Order is kept by never sending a new batch while one is to be tried again, and those one at a time.
 * With idempotence every batch has a sequence number. A batch that failed for good leaves a gap, and a broker may have
 * lost what it had: those behind are then refused as out of order, which also says that they were not stored, so they
 * may be sent under the next epoch from sequence 0 without a duplicate (KIP-360).
 */
export class ProducerPartition {
  readonly topic: string
  readonly partition: number
  readonly #identity: ProducerIds | null
  #queue: ProducerBatch[] = []
  #retry: ProducerBatch[] = []
  #inFlight: ProducerBatch[] = []
  #id: ProducerIdAndEpoch | null = null
  #nextSequence = 0
  #nextOrdinal = 0
  /** A stamped batch ended without being known as stored. */
  #hasGap = false
  /** The batches in `#retry` need new stamps: the broker misses what was before them. */
  #needsNewStamps = false

  /** Without an identity there are no sequences. */
  constructor(topic: string, partition: number, identity: ProducerIds | null) {
    this.topic = topic
    this.partition = partition
    this.#identity = identity
  }

  get isEmpty(): boolean {
    return this.#queue.length + this.#retry.length + this.#inFlight.length === 0
  }

  /** Puts the record into the open batch; `newBatch` makes one when there is none with room. Returns a new batch. */
  append(
    record: PreparedRecord,
    limitBytes: number,
    newBatch: (ordinal: number) => ProducerBatch,
  ): ProducerBatch | null {
    const last = this.#queue.at(-1)
    if (last?.tryAppend(record, limitBytes) === true) return null
    last?.close()
    const batch = newBatch(this.#nextOrdinal)
    this.#nextOrdinal += 1
    const isTaken = batch.tryAppend(record, limitBytes)
    assert(isTaken, 'an empty batch takes any record')
    this.#queue.push(batch)
    return batch
  }

  /** The batch that may be sent now. `isDue` decides about an open one. */
  sendable(nowMs: number, isDue: (batch: ProducerBatch) => boolean): ProducerBatch | null {
    const retry = this.#retry[0]
    if (retry !== undefined) {
      return this.#inFlight.length === 0 && retry.retryAtMs <= nowMs ? retry : null
    }
    const head = this.#queue[0]
    if (head === undefined || (head.isOpen && this.#queue.length === 1 && !isDue(head))) return null
    if (this.#identity === null) return head
    if (this.#inFlight.length >= MAX_IDEMPOTENT_IN_FLIGHT) return null
    return this.#hasGap && this.#inFlight.length > 0 ? null : head
  }

  /**
   * Whether a batch may go to this broker now. A new leader that has never heard of the producer takes any sequence:
   * were it sent a batch while an older one is still on its way to the leader before, it would refuse that one for
   * ever.
   */
  mayGoTo(broker: BrokerId): boolean {
    return this.#identity === null || this.#inFlight.every(({ sentTo }) => sentTo === broker)
  }

  /** When a batch that is waiting only for time can be sent; `Infinity` when none is. */
  nextDueMs(lingerMs: number): number {
    const retry = this.#retry[0]
    if (retry !== undefined) return this.#inFlight.length === 0 ? retry.retryAtMs : Infinity
    const head = this.#queue[0]
    return head === undefined ? Infinity : head.createdAtMs + lingerMs
  }

  /** The earliest deadline of its batches. */
  nextDeadlineMs(): number {
    let earliest = Infinity
    for (const batch of [this.#queue[0], ...this.#retry, ...this.#inFlight]) {
      if (batch !== undefined && !batch.isEnded) earliest = Math.min(earliest, batch.deadlineMs)
    }
    return earliest
  }

  /** Moves what `sendable` gave into flight. False when it must wait for a producer id. */
  take(batch: ProducerBatch, broker: BrokerId): boolean {
    if (batch === this.#retry[0]) {
      if (this.#needsNewStamps && !this.#restampRetries()) return false
      this.#retry.shift()
    } else {
      assert(batch === this.#queue[0], 'the head is sent first')
      if (this.#identity !== null && !this.#prepareId()) return false
      batch.close()
      if (this.#identity !== null) this.#stamp(batch)
      this.#queue.shift()
    }
    batch.attempts += 1
    batch.sentTo = broker
    this.#inFlight.push(batch)
    return true
  }

  /** It was stored (even if it had been given up meanwhile). */
  onStored(batch: ProducerBatch): void {
    this.#land(batch)
  }

  /** It was refused, or its fate is unknown. Ended batches are only taken off. */
  judge(batch: ProducerBatch, errorCode: number, isRetriable: boolean): Verdict {
    if (batch.isEnded || batch.stamp === null) return isRetriable ? 'retry' : 'fail'
    const isFirst = this.#isFirst(batch)
    const isOutOfOrder = errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    // A transaction cannot go on with a gap, nor in another epoch.
    if (isFirst && isOutOfOrder && this.#identity?.isTransactional === true) return 'fail'
    if (isFirst && (isOutOfOrder || errorCode === ErrorCode.UNKNOWN_PRODUCER_ID)) {
      // Behind a gap, or the broker has lost what was before it: no wait would mend that.
      this.#needsNewStamps = true
      return 'retry'
    }
    return isRetriable || isOutOfOrder ? 'retry' : 'fail'
  }

  /** Puts a refused batch back, in front of all that came later. */
  retryAt(batch: ProducerBatch, atMs: number): void {
    this.#land(batch)
    if (batch.isEnded) {
      this.#noteGap(batch)
      return
    }
    batch.retryAtMs = atMs
    const later = this.#retry.findIndex((each) => batch.ordinal < each.ordinal)
    if (later < 0) this.#retry.push(batch)
    else this.#retry.splice(later, 0, batch)
  }

  /** It ends for good without being known as stored. */
  drop(batch: ProducerBatch): void {
    this.#land(batch)
    this.#noteGap(batch)
  }

  /** Takes out what has passed its deadline, oldest first. What is in flight stays until it is answered. */
  expire(nowMs: number): readonly ProducerBatch[] {
    const isOver = (batch: ProducerBatch): boolean => batch.deadlineMs <= nowMs && !batch.isEnded
    const retries = this.#retry.filter(isOver)
    for (const batch of retries) this.#noteGap(batch)
    const expired = [...this.#inFlight.filter(isOver), ...retries, ...this.#queue.filter(isOver)]
    this.#retry = this.#retry.filter((batch) => !isOver(batch))
    this.#queue = this.#queue.filter((batch) => !isOver(batch))
    return expired
  }

  /** Takes out what was never sent. */
  takeUnsent(): readonly ProducerBatch[] {
    const unsent = this.#queue
    this.#queue = []
    return unsent
  }

  /** Takes out everything. */
  clear(): readonly ProducerBatch[] {
    const all = [...this.#inFlight, ...this.#retry, ...this.#queue]
    this.#inFlight = []
    this.#retry = []
    this.#queue = []
    return all.filter((batch) => !batch.isEnded)
  }

  #land(batch: ProducerBatch): void {
    const index = this.#inFlight.indexOf(batch)
    if (index >= 0) this.#inFlight.splice(index, 1)
  }

  #noteGap(batch: ProducerBatch): void {
    if (batch.stamp !== null) this.#hasGap = true
  }

  /** Nothing that comes before it is still open. */
  #isFirst(batch: ProducerBatch): boolean {
    const others = [...this.#inFlight, ...this.#retry].filter((each) => each !== batch)
    return others.every((each) => batch.ordinal < each.ordinal)
  }

  /** The id for the next new batch; moves to a new epoch when the sequence is broken. */
  #prepareId(): boolean {
    assert(this.#identity !== null, 'only idempotent producers have an id')
    const isIdle = this.#inFlight.length === 0 && this.#retry.length === 0
    if (this.#identity.isTransactional) return this.#followCoordinator(isIdle)
    if (this.#id !== null && this.#hasGap && isIdle) return this.#moveOn()
    const current = this.#identity.acquire()
    if (current === null) return this.#id !== null
    if (this.#id === null) this.#use(current)
    return true
  }

  /** A new epoch comes with a new transaction, when nothing of the last one is left. A gap stays until then. */
  #followCoordinator(isIdle: boolean): boolean {
    const current = this.#identity?.acquire() ?? null
    if (current === null) return false
    const isSame = this.#id?.producerId === current.producerId && this.#id.epoch === current.epoch
    if (!isSame && isIdle) this.#use(current)
    return (isSame || isIdle) && !this.#hasGap
  }

  #moveOn(): boolean {
    assert(this.#identity !== null && this.#id !== null, 'there is an id to move on from')
    const next = this.#identity.next(this.#id)
    if (next === null) return false
    this.#use(next)
    return true
  }

  #use(id: ProducerIdAndEpoch): void {
    this.#id = id
    this.#nextSequence = 0
    this.#hasGap = false
    this.#needsNewStamps = false
  }

  #restampRetries(): boolean {
    assert(this.#inFlight.length === 0, 'stamps change only when nothing is in flight')
    if (!this.#moveOn()) return false
    for (const batch of this.#retry) this.#stamp(batch)
    return true
  }

  #stamp(batch: ProducerBatch): void {
    assert(this.#id !== null, 'an idempotent batch has a producer id')
    const { producerId, epoch } = this.#id
    batch.setStamp({ producerId, epoch, baseSequence: this.#nextSequence })
    this.#nextSequence = (this.#nextSequence + batch.recordCount) % SEQUENCE_LIMIT
  }
}
