import { assert } from '../../src/base/assert.ts'
import type { Offset, ProducerId, TimestampMs } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { BatchHeader } from '../../src/wire/record-batch.ts'
import type { AbortedTransaction } from './aborted-transactions.ts'
import type { EndMarker } from './end-marker.ts'
import type { ProducerSnapshot } from './producer-snapshot.ts'
import {
  VerificationStates,
  type Verification,
  type VerificationGuard,
} from './verification-states.ts'

/** Retries of this many batches are recognised: as many as a producer has in flight (KIP-98). */
const CACHED_BATCHES_MAX = 5
const SEQUENCES = 0x8000_0000
/** From this transaction.version on every transaction ends with a higher epoch than its own (KIP-890). */
const EPOCH_BUMP_TRANSACTION_VERSION = 2

/** A batch that was appended, for the answer to its retry. */
export interface CachedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly lastOffset: Offset
  readonly offsetDelta: number
  readonly timestampMs: TimestampMs
}

/** Why a batch is not to be appended: it is there already, or it must not be. */
export type ProducerVerdict =
  | { readonly kind: 'duplicate'; readonly batch: CachedBatch }
  | { readonly kind: 'refused'; readonly error: ErrorCode; readonly message: string }

/** Who appends a batch, and what was found out about its transaction before. */
export interface ProducerRules {
  /** Duplicates and sequences are looked at: a coordinator's batches carry none, a replica takes what its leader took. */
  readonly isFromClient: boolean
  /** A batch that begins a transaction needs the guard of its verification. */
  readonly needsVerification: boolean
  readonly guard: VerificationGuard | null
  /** transaction.version that the coordinator of an end marker goes by; 0 for batches of data. */
  readonly transactionVersion: number
}

/** What holds for a replica. */
export const REPLICA_RULES: ProducerRules = {
  isFromClient: false,
  needsVerification: false,
  guard: null,
  transactionVersion: 0,
}

interface Producer {
  epoch: number
  coordinatorEpoch: number
  lastTimestampMs: TimestampMs
  /** -1: no transaction is open. */
  txnFirstOffset: Offset
  /** Oldest first, all of `epoch`. */
  batches: CachedBatch[]
}

interface OpenTransaction {
  readonly producerId: ProducerId
  readonly firstOffset: Offset
}

/**
 * What a partition knows of its idempotent and transactional producers: the sequence rules of
 * KIP-98 and the transactions that are open. It is a fold over the batches of the log, `check`
 * changes nothing and `apply` is called for every batch that was appended, live or in replay.
 */
export class ProducerState {
  /** Transactions that are about to begin here. */
  readonly verifications = new VerificationStates()
  readonly #producers = new Map<ProducerId, Producer>()
  /** By rising first offset. */
  #open: OpenTransaction[] = []
  /** Ended, but the marker is not below the high watermark yet. */
  #unreplicated: { readonly firstOffset: Offset; readonly lastOffset: Offset }[] = []

  get isEmpty(): boolean {
    return this.#producers.size === 0 && this.#unreplicated.length === 0
  }

  /**
   * First offset of the earliest transaction that is open or whose end is not replicated; else
   * Infinity.
   */
  get firstUnstableOffset(): Offset {
    let first = this.#open[0]?.firstOffset ?? Infinity
    for (const ended of this.#unreplicated) first = Math.min(first, ended.firstOffset)
    return first
  }

  /** A transaction of this producer and epoch is open, so its coordinator knows of the partition. */
  hasOngoing(producerId: ProducerId, epoch: number): boolean {
    const producer = this.#producers.get(producerId)
    return producer !== undefined && producer.txnFirstOffset >= 0 && producer.epoch === epoch
  }

  /**
   * Null when the batch may be appended. In Kafka's order: a retry first, then whether the coordinator knows of
   * the transaction, then epoch and sequence.
   */
  check(
    header: BatchHeader,
    marker: EndMarker | null,
    rules: ProducerRules,
  ): ProducerVerdict | null {
    const producer = this.#producers.get(header.producerId)
    if (rules.isFromClient && producer !== undefined) {
      const batch = duplicateOf(header, producer)
      if (batch !== undefined) return { kind: 'duplicate', batch }
    }
    if (rules.needsVerification && !this.#isVerified(header, rules.guard)) {
      const message = 'Record was not part of an ongoing transaction'
      return { kind: 'refused', error: ErrorCode.INVALID_TXN_STATE, message }
    }
    if (header.isControl) {
      return producer === undefined ? null : checkMarker(header, marker, producer, rules)
    }
    if (producer !== undefined && header.producerEpoch < producer.epoch) {
      return oldEpoch(header, producer)
    }
    const verification = rules.isFromClient ? this.verifications.of(header.producerId) : null
    const problem = sequenceProblem(header, verification, producer === undefined)
    if (problem !== null || producer === undefined) return problem
    if (rules.isFromClient && !isInSequence(header, producer)) return outOfOrder(header, producer)
    if (producer.txnFirstOffset >= 0 && !header.isTransactional) {
      const message = `Expected a transactional write from producer ${header.producerId}, its transaction is open since offset ${producer.txnFirstOffset}`
      return { kind: 'refused', error: ErrorCode.INVALID_TXN_STATE, message }
    }
    return null
  }

  /** Takes in a batch of the log. Returns the transaction that it aborted, if it did. */
  apply(header: BatchHeader, marker: EndMarker | null): AbortedTransaction | null {
    if (header.producerId < 0) return null
    if (header.isTransactional) this.verifications.end(header.producerId)
    if (header.isControl) return marker === null ? null : this.#endTransaction(header, marker)
    const producer = this.#producer(header.producerId)
    setEpoch(producer, header.producerEpoch)
    const batch = cachedBatch(header)
    producer.batches = [...producer.batches.slice(1 - CACHED_BATCHES_MAX), batch]
    producer.lastTimestampMs = header.maxTimestamp
    if (header.isTransactional && producer.txnFirstOffset < 0) {
      producer.txnFirstOffset = header.baseOffset
      this.#open.push({ producerId: header.producerId, firstOffset: header.baseOffset })
    }
    return null
  }

  /**
   * Transactions whose marker lies below `highWatermark` no longer hold back the last stable
   * offset.
   */
  onHighWatermark(highWatermark: Offset): void {
    if (this.#unreplicated.length === 0) return
    this.#unreplicated = this.#unreplicated.filter((ended) => ended.lastOffset >= highWatermark)
  }

  /**
   * Forgets producers that were silent for `expirationMs`, unless a transaction of theirs is open.
   */
  expire(nowMs: TimestampMs, expirationMs: number): void {
    for (const [producerId, producer] of this.#producers) {
      const isSilent = nowMs - producer.lastTimestampMs >= expirationMs
      if (isSilent && producer.txnFirstOffset < 0) this.#producers.delete(producerId)
    }
    this.verifications.expire(nowMs, expirationMs)
  }

  clear(): void {
    this.#producers.clear()
    this.#open = []
    this.#unreplicated = []
  }

  /** Starts over from a snapshot. */
  restore(entries: readonly ProducerSnapshot[]): void {
    this.clear()
    for (const entry of entries) {
      this.#producers.set(entry.producerId, {
        epoch: entry.producerEpoch,
        coordinatorEpoch: entry.coordinatorEpoch,
        lastTimestampMs: entry.lastTimestampMs,
        txnFirstOffset: entry.currentTxnFirstOffset,
        batches: entry.lastOffset < 0 ? [] : [restoredBatch(entry)],
      })
      if (entry.currentTxnFirstOffset >= 0) {
        this.#open.push({
          producerId: entry.producerId,
          firstOffset: entry.currentTxnFirstOffset,
        })
      }
    }
    this.#open.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** What a snapshot stores, and what DescribeProducers shows. */
  entries(): readonly ProducerSnapshot[] {
    return [...this.#producers].map(([producerId, producer]) => {
      const last = producer.batches.at(-1)
      return {
        producerId,
        producerEpoch: producer.epoch,
        lastSequence: last?.lastSequence ?? -1,
        lastOffset: last?.lastOffset ?? -1,
        offsetDelta: last?.offsetDelta ?? 0,
        lastTimestampMs: producer.lastTimestampMs,
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTxnFirstOffset: producer.txnFirstOffset,
      }
    })
  }

  /** The batches whose retry would be recognised, oldest first. */
  cachedBatches(producerId: ProducerId): readonly CachedBatch[] {
    return this.#producers.get(producerId)?.batches ?? []
  }

  #endTransaction(header: BatchHeader, marker: EndMarker): AbortedTransaction | null {
    const producer = this.#producer(header.producerId)
    const firstOffset = producer.txnFirstOffset
    setEpoch(producer, header.producerEpoch)
    producer.coordinatorEpoch = marker.coordinatorEpoch
    producer.txnFirstOffset = -1
    producer.lastTimestampMs = header.maxTimestamp
    if (firstOffset < 0) return null
    const isThis = (open: OpenTransaction): boolean => open.firstOffset === firstOffset
    assert(this.#open.some(isThis), `the transaction that began at ${firstOffset} is not open`)
    this.#open = this.#open.filter((open) => !isThis(open))
    const lastOffset = header.baseOffset
    this.#unreplicated.push({ firstOffset, lastOffset })
    if (marker.isCommit) return null
    const lastStableOffset = this.#open[0]?.firstOffset ?? lastOffset + 1
    return { producerId: header.producerId, firstOffset, lastOffset, lastStableOffset }
  }

  #isVerified(header: BatchHeader, guard: VerificationGuard | null): boolean {
    if (header.isControl || !header.isTransactional) return true
    if (this.hasOngoing(header.producerId, header.producerEpoch)) return true
    return guard !== null && this.verifications.of(header.producerId)?.guard === guard
  }

  #producer(producerId: ProducerId): Producer {
    const known = this.#producers.get(producerId)
    if (known !== undefined) return known
    const producer: Producer = {
      epoch: -1,
      coordinatorEpoch: -1,
      lastTimestampMs: -1,
      txnFirstOffset: -1,
      batches: [],
    }
    this.#producers.set(producerId, producer)
    return producer
  }
}

/** The cached batch of the same epoch and the same sequences. */
function duplicateOf(header: BatchHeader, producer: Producer): CachedBatch | undefined {
  if (header.producerEpoch !== producer.epoch) return undefined
  return producer.batches.find(
    (batch) =>
      batch.firstSequence === header.baseSequence && batch.lastSequence === header.lastSequence,
  )
}

/** A new epoch starts at 0; within an epoch each batch follows the one before. */
function isInSequence(header: BatchHeader, producer: Producer): boolean {
  if (header.producerEpoch !== producer.epoch) return header.baseSequence === 0
  const last = producer.batches.at(-1)?.lastSequence ?? -1
  return header.baseSequence === (last + 1) % SEQUENCES
}

function outOfOrder(header: BatchHeader, producer: Producer): ProducerVerdict {
  const last = producer.batches.at(-1)?.lastSequence ?? -1
  const message =
    header.producerEpoch === producer.epoch
      ? `Out of order sequence number for producer ${header.producerId}: ${header.baseSequence} (incoming), ${last} (current end)`
      : `Invalid sequence number for new epoch ${header.producerEpoch} of producer ${header.producerId}: ${header.baseSequence} (incoming), expected 0`
  return { kind: 'refused', error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, message }
}

/** What came while the coordinator was asked was not in the order in which it was sent. */
function sequenceProblem(
  header: BatchHeader,
  verification: Verification | null,
  isUnknown: boolean,
): ProducerVerdict | null {
  if (verification === null) return null
  const { producerId, baseSequence } = header
  const error = ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
  if (baseSequence > verification.lowestSequence) {
    const message = `Out of order sequence number for producer ${producerId}: ${baseSequence} (incoming), ${verification.lowestSequence} (earliest seen)`
    return { kind: 'refused', error, message }
  }
  if (!verification.supportsEpochBump || !isUnknown || baseSequence === 0) return null
  const message = `Invalid sequence number for producer ${producerId}: ${baseSequence} (incoming), expected 0 from a producer that is not known here`
  return { kind: 'refused', error, message }
}

/**
 * With protocol 2 a marker has a higher epoch than the transaction it ends, so that what is left of the transaction
 * cannot come after it; an equal one is the repeated request of a coordinator that has its answer lost.
 */
function checkMarker(
  header: BatchHeader,
  marker: EndMarker | null,
  producer: Producer,
  { transactionVersion }: ProducerRules,
): ProducerVerdict | null {
  const isBumped = transactionVersion >= EPOCH_BUMP_TRANSACTION_VERSION
  const isForLater = isBumped && producer.txnFirstOffset >= 0
  const leastEpoch = isForLater ? producer.epoch + 1 : producer.epoch
  if (header.producerEpoch < leastEpoch) return oldEpoch(header, producer)
  if (marker === null || marker.coordinatorEpoch >= producer.coordinatorEpoch) return null
  const message = `Coordinator epoch ${marker.coordinatorEpoch} for producer ${header.producerId} is older than ${producer.coordinatorEpoch}`
  return { kind: 'refused', error: ErrorCode.TRANSACTION_COORDINATOR_FENCED, message }
}

function oldEpoch(header: BatchHeader, producer: Producer): ProducerVerdict {
  const message = `Epoch ${header.producerEpoch} of producer ${header.producerId} is smaller than the last seen epoch ${producer.epoch}`
  return { kind: 'refused', error: ErrorCode.INVALID_PRODUCER_EPOCH, message }
}

/** Another epoch, also (in replicas) a smaller one, ends what is cached of the one before. */
function setEpoch(producer: Producer, epoch: number): void {
  if (producer.epoch === epoch) return
  producer.epoch = epoch
  producer.batches = []
}

function cachedBatch(header: BatchHeader): CachedBatch {
  return {
    firstSequence: header.baseSequence,
    lastSequence: header.lastSequence,
    lastOffset: header.lastOffset,
    offsetDelta: header.lastOffsetDelta,
    timestampMs: header.maxTimestamp,
  }
}

function restoredBatch(entry: ProducerSnapshot): CachedBatch {
  const { lastSequence, offsetDelta } = entry
  return {
    firstSequence: (lastSequence - offsetDelta + SEQUENCES) % SEQUENCES,
    lastSequence,
    lastOffset: entry.lastOffset,
    offsetDelta,
    timestampMs: entry.lastTimestampMs,
  }
}
