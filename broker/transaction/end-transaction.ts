import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  canRecord,
  identityOf,
  NO_IDENTITY,
  refused,
  written,
  type Decision,
  type Situation,
} from './decision.ts'
import {
  completeEnd,
  fenceEpoch,
  isExhausted,
  MAX_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  prepareEnd,
  type ClientVersion,
  type ProducerIdentity,
  type Transaction,
} from './transaction.ts'
import { isPrepared } from './transaction-state.ts'

/** transaction.version from which the coordinator bumps the epoch at each end. */
const EPOCH_BUMP_LEVEL = 2

export interface EndTransaction extends ProducerIdentity {
  readonly transactionalId: string
  readonly isCommit: boolean
}

/** EndTxn of a producer, by the protocol that its version of the request belongs to. */
export function decideEnd(
  request: EndTransaction,
  clientVersion: ClientVersion,
  situation: Situation,
): Decision {
  const { transaction, isPending } = situation
  if (transaction === null) return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (isPending) return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
  return clientVersion === 2
    ? endWithBump(request, transaction, situation)
    : endWithoutBump(request, transaction, situation)
}

/**
 * Aborts a transaction that the coordinator itself ends: it timed out, or a new producer takes over. Its producer is
 * fenced by an epoch that nobody is told. `error` is for the client, if there is one.
 */
export function fenceAndAbort(
  transaction: Transaction,
  { level, newProducerId, nowMs }: Situation,
  error: ErrorCode,
): Decision {
  if (level < EPOCH_BUMP_LEVEL) {
    const plan = planOf(false, 0, NO_PRODUCER_ID)
    return written(prepareEnd(fenceEpoch(transaction), plan, nowMs), NO_IDENTITY, error)
  }
  const mustRotate = isExhausted(transaction.producerEpoch)
  if (mustRotate && newProducerId === null) return { kind: 'needs-producer-id' }
  const plan = planOf(false, 2, mustRotate ? newProducerId : null)
  return written(prepareEnd(transaction, plan, nowMs), NO_IDENTITY, error)
}

/** Protocols 0 and 1: the epoch stays, so a retry looks like the request itself. */
function endWithoutBump(
  request: EndTransaction,
  transaction: Transaction,
  { nowMs }: Situation,
): Decision {
  const { isCommit } = request
  if (transaction.producerId !== request.producerId) {
    return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  }
  if (transaction.producerEpoch !== request.producerEpoch) return refused(ErrorCode.PRODUCER_FENCED)
  const { state } = transaction
  if (state === 'Ongoing') {
    const plan = planOf(isCommit, 0, NO_PRODUCER_ID)
    return written(prepareEnd(transaction, plan, nowMs), NO_IDENTITY)
  }
  if (!endsSame(state, isCommit)) return refused(ErrorCode.INVALID_TXN_STATE)
  return refused(isPrepared(state) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE)
}

/** Protocol 2 (KIP-890): each end bumps the epoch, so a retry is known by the epoch before. */
function endWithBump(
  request: EndTransaction,
  transaction: Transaction,
  situation: Situation,
): Decision {
  const { isCommit } = request
  const { state } = transaction
  const isRetryOverRotation = retriesOverRotation(request, transaction)
  if (transaction.producerId !== request.producerId && !isRetryOverRotation) {
    return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  }
  const isRetryOverBump = transaction.producerEpoch === request.producerEpoch + 1
  const isRetry = isRetryOverBump || isRetryOverRotation
  const isOfNow = transaction.producerEpoch === request.producerEpoch
  if (isPrepared(state)) {
    if (!isRetryOverBump) return refused(ErrorCode.PRODUCER_FENCED)
    const isSame = endsSame(state, isCommit)
    return refused(isSame ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE)
  }
  if (state === 'Ongoing') {
    return isOfNow
      ? prepareBumped(transaction, isCommit, false, situation)
      : refused(ErrorCode.PRODUCER_FENCED)
  }
  if (!isOfNow && (state === 'Empty' || !isRetry)) return refused(ErrorCode.PRODUCER_FENCED)
  if (isRetry && state !== 'Empty') {
    if (!endsSame(state, isCommit)) return refused(ErrorCode.INVALID_TXN_STATE)
    return { kind: 'answered', error: ErrorCode.NONE, identity: identityOf(transaction) }
  }
  // A commit of nothing is a mistake; an abort of nothing may be all that the producer can do.
  if (isCommit) return refused(ErrorCode.INVALID_TXN_STATE)
  return prepareBumped(transaction, false, true, situation)
}

function prepareBumped(
  transaction: Transaction,
  isCommit: boolean,
  isEmpty: boolean,
  { newProducerId, nowMs, level }: Situation,
): Decision {
  if (!canRecord(2, level)) return refused(ErrorCode.UNSUPPORTED_VERSION)
  const mustRotate = isExhausted(transaction.producerEpoch)
  if (mustRotate && newProducerId === null) return { kind: 'needs-producer-id' }
  const plan = { ...planOf(isCommit, 2, mustRotate ? newProducerId : null), isEmpty }
  const next = prepareEnd(transaction, plan, nowMs)
  // The producer goes on as who it will be when the transaction is complete.
  return written(next, identityOf(completeEnd(next, nowMs)))
}

function planOf(isCommit: boolean, clientVersion: ClientVersion, nextProducerId: number | null) {
  return {
    isCommit,
    clientVersion,
    nextProducerId: nextProducerId ?? NO_PRODUCER_ID,
    isEmpty: false,
  }
}

function retriesOverRotation(request: EndTransaction, transaction: Transaction): boolean {
  return (
    transaction.previousProducerId === request.producerId &&
    request.producerEpoch === MAX_PRODUCER_EPOCH - 1 &&
    transaction.producerEpoch === 0
  )
}

/** Whether a transaction in this state ends, or has ended, as the request wants it. */
function endsSame(state: Transaction['state'], isCommit: boolean): boolean {
  return isCommit
    ? state === 'PrepareCommit' || state === 'CompleteCommit'
    : state === 'PrepareAbort' || state === 'CompleteAbort'
}
