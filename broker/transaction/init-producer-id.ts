import { ErrorCode } from '../../src/wire/error-codes.ts'
import { identityOf, refused, written, type Decision, type Situation } from './decision.ts'
import { fenceAndAbort } from './end-transaction.ts'
import {
  bumpEpoch,
  isExhausted,
  newTransaction,
  NO_PRODUCER_EPOCH,
  rotateProducerId,
  type ProducerIdentity,
  type Transaction,
} from './transaction.ts'
import { isPrepared } from './transaction-state.ts'

export interface InitProducerId {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** Who the producer believes to be (KIP-360); null for one that begins. */
  readonly expected: ProducerIdentity | null
}

/**
 * Gives a producer its id and epoch and fences all before it. A transaction under way is aborted first: the client
 * gets CONCURRENT_TRANSACTIONS until that is done.
 */
export function decideInitProducerId(request: InitProducerId, situation: Situation): Decision {
  const { transactionalId, timeoutMs, expected } = request
  const { newProducerId, nowMs, isPending } = situation
  if (isPending) return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
  let { transaction } = situation
  if (transaction === null) {
    if (newProducerId === null) return { kind: 'needs-producer-id' }
    transaction = newTransaction(transactionalId, newProducerId, timeoutMs, nowMs)
  }
  if (expected !== null && !isKnown(transaction, expected)) {
    return refused(ErrorCode.PRODUCER_FENCED)
  }
  if (isPrepared(transaction.state)) return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (transaction.state === 'Ongoing') {
    return fenceAndAbort(transaction, situation, ErrorCode.CONCURRENT_TRANSACTIONS)
  }
  const expectedEpoch = expected?.producerEpoch ?? null
  const isOfNow = expectedEpoch === null || expectedEpoch === transaction.producerEpoch
  if (isExhausted(transaction.producerEpoch) && isOfNow) {
    if (newProducerId === null) return { kind: 'needs-producer-id' }
    const keepsLast = expected !== null
    const next = rotateProducerId(transaction, newProducerId, timeoutMs, keepsLast, nowMs)
    return written(next, identityOf(next))
  }
  // Kafka fails here with an error of its own making: an old epoch of an id whose epochs are used up.
  if (isExhausted(transaction.producerEpoch)) return refused(ErrorCode.UNKNOWN_SERVER_ERROR)
  const next = bumpEpoch(transaction, timeoutMs, expectedEpoch, nowMs)
  return next === null ? refused(ErrorCode.PRODUCER_FENCED) : written(next, identityOf(next))
}

/** The producer of now, or one that missed the change of producer ids; an id just made fits any. */
function isKnown(transaction: Transaction, expected: ProducerIdentity): boolean {
  return (
    transaction.producerEpoch === NO_PRODUCER_EPOCH ||
    expected.producerId === transaction.producerId ||
    (expected.producerId === transaction.previousProducerId && isExhausted(expected.producerEpoch))
  )
}
