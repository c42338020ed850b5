import { assert } from '../../src/base/assert.ts'
import type { ProducerId } from '../../src/base/ids.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { PartitionSet } from './partition-set.ts'
import { mayFollow, type TransactionState } from './transaction-state.ts'

export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
/** The last epoch is kept for markers, so that a producer can always be fenced. */
export const MAX_PRODUCER_EPOCH = 32_767
const NO_START = -1

/** The protocol of a transaction's client: 0 without an epoch bump at each end, 2 with it (KIP-890). */
export type ClientVersion = 0 | 2

/** Who may write: the producer id with its epoch. */
export interface ProducerIdentity {
  readonly producerId: ProducerId
  readonly producerEpoch: number
}

/** A transactional id with its newest transaction. Immutable: each step makes a new value. */
export interface Transaction extends ProducerIdentity {
  readonly transactionalId: string
  /** The producer id before the newest step; it names a producer that retries over a change of ids. */
  readonly previousProducerId: ProducerId
  /** The id that takes over when the transaction is complete, because the epochs of this one are used up. */
  readonly nextProducerId: ProducerId
  /** The epoch before the newest bump, by which a retry of the bump is known. Memory only: -1 after a load. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: PartitionSet
  /** Wall clock; -1 when nothing has begun since the last InitProducerId. */
  readonly startMs: number
  /** Wall clock. */
  readonly lastUpdateMs: number
  readonly clientVersion: number
}

/** Whether the epochs of a producer id are used up. */
export function isExhausted(epoch: number): boolean {
  return epoch >= MAX_PRODUCER_EPOCH - 1
}

/** A transactional id that nobody has used; its first InitProducerId makes its epoch 0. */
export function newTransaction(
  transactionalId: string,
  producerId: ProducerId,
  timeoutMs: number,
  nowMs: number,
): Transaction {
  return {
    transactionalId,
    producerId,
    producerEpoch: NO_PRODUCER_EPOCH,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs,
    state: 'Empty',
    partitions: PartitionSet.EMPTY,
    startMs: NO_START,
    lastUpdateMs: nowMs,
    clientVersion: 0,
  }
}

/**
 * InitProducerId of a transactional id at rest. `expectedEpoch` is what the producer believes to have (KIP-360): the
 * epoch of now is bumped, the epoch before is a retry, for any other the producer is fenced (null).
 */
export function bumpEpoch(
  before: Transaction,
  timeoutMs: number,
  expectedEpoch: number | null,
  nowMs: number,
): Transaction | null {
  assert(!isExhausted(before.producerEpoch), `no epoch is left of producer ${before.producerId}`)
  const epochs = nextEpochs(before, expectedEpoch)
  if (epochs === null) return null
  return step(before, 'Empty', nowMs, {
    ...epochs,
    timeoutMs,
    partitions: PartitionSet.EMPTY,
    startMs: NO_START,
  })
}

function nextEpochs(
  { producerEpoch, lastProducerEpoch }: Transaction,
  expectedEpoch: number | null,
): Pick<Transaction, 'producerEpoch' | 'lastProducerEpoch'> | null {
  const bumped = producerEpoch + 1
  if (expectedEpoch === null) {
    return { producerEpoch: bumped, lastProducerEpoch: NO_PRODUCER_EPOCH }
  }
  if (producerEpoch === NO_PRODUCER_EPOCH || expectedEpoch === producerEpoch) {
    return { producerEpoch: bumped, lastProducerEpoch: producerEpoch }
  }
  return expectedEpoch === lastProducerEpoch ? { producerEpoch, lastProducerEpoch } : null
}

/** InitProducerId when the epochs are used up: a new producer id begins at epoch 0. */
export function rotateProducerId(
  before: Transaction,
  producerId: ProducerId,
  timeoutMs: number,
  keepsLastEpoch: boolean,
  nowMs: number,
): Transaction {
  return step(before, 'Empty', nowMs, {
    producerId,
    producerEpoch: 0,
    lastProducerEpoch: keepsLastEpoch ? before.producerEpoch : NO_PRODUCER_EPOCH,
    timeoutMs,
    partitions: PartitionSet.EMPTY,
    startMs: NO_START,
  })
}

export function addPartitions(
  before: Transaction,
  added: readonly TopicPartition[],
  clientVersion: ClientVersion,
  nowMs: number,
): Transaction {
  return step(before, 'Ongoing', nowMs, {
    partitions: before.partitions.with(added),
    startMs: before.state === 'Ongoing' ? before.startMs : nowMs,
    clientVersion,
  })
}

/** How a transaction is to end. */
export interface EndPlan {
  readonly isCommit: boolean
  readonly clientVersion: ClientVersion
  /** Who takes over; -1 when the epochs last. */
  readonly nextProducerId: ProducerId
  /** Nothing was begun: the end of such a transaction is its start too. */
  readonly isEmpty: boolean
}

/** The end is decided. Protocol 2 bumps the epoch here, so that late writes of this transaction are fenced. */
export function prepareEnd(before: Transaction, plan: EndPlan, nowMs: number): Transaction {
  const { isCommit, clientVersion, nextProducerId, isEmpty } = plan
  const state = isCommit ? 'PrepareCommit' : 'PrepareAbort'
  const bumps = clientVersion === 2
  // A producer id whose last epoch is in use already can at least be aborted.
  const isStuck = before.producerEpoch === MAX_PRODUCER_EPOCH && !isCommit
  return step(before, state, nowMs, {
    producerEpoch: before.producerEpoch + (bumps && !isStuck ? 1 : 0),
    lastProducerEpoch: bumps ? before.producerEpoch : before.lastProducerEpoch,
    nextProducerId,
    startMs: isEmpty ? nowMs : before.startMs,
    clientVersion,
  })
}

/** Protocol 0 aborts of the coordinator's own: the producer gets an epoch that nobody is told. */
export function fenceEpoch(before: Transaction): Transaction {
  return {
    ...before,
    producerEpoch: Math.min(before.producerEpoch + 1, MAX_PRODUCER_EPOCH),
    lastProducerEpoch: NO_PRODUCER_EPOCH,
  }
}

/** All markers are written. */
export function completeEnd(before: Transaction, nowMs: number): Transaction {
  const isRotated = before.clientVersion === 2 && before.nextProducerId !== NO_PRODUCER_ID
  return step(
    before,
    before.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    nowMs,
    {
      producerId: isRotated ? before.nextProducerId : before.producerId,
      producerEpoch: isRotated ? 0 : before.producerEpoch,
      nextProducerId: NO_PRODUCER_ID,
      partitions: PartitionSet.EMPTY,
    },
  )
}

function step(
  before: Transaction,
  state: TransactionState,
  lastUpdateMs: number,
  changes: Partial<Transaction>,
): Transaction {
  assert(mayFollow(before.state, state), `${before.state} is not followed by ${state}`)
  return { ...before, previousProducerId: before.producerId, state, lastUpdateMs, ...changes }
}
