import { WireError } from '../../src/base/errors.ts'
import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../src/wire/coordinator-record.ts'
import {
  transactionLogKey,
  transactionLogValue,
  type TransactionLogValue,
} from '../../src/wire/records/transaction-coordinator.ts'
import type { CoordinatorRecord } from '../coordinator/outcome.ts'
import { PartitionSet } from './partition-set.ts'
import { NO_PRODUCER_EPOCH, type Transaction } from './transaction.ts'
import { stateId, stateOfId } from './transaction-state.ts'

const CLASSIC_VERSION = 0
const FLEXIBLE_VERSION = 1
/** transaction.version from which tagged fields are written (KIP-890). */
const FIRST_FLEXIBLE_LEVEL = 1
const VERSION_BYTES = 2

/** A record of `__transaction_state`; a null transaction is a tombstone. */
export type TransactionRecord =
  | {
      readonly kind: 'transaction'
      readonly transactionalId: string
      readonly transaction: Transaction | null
    }
  /** A key that this coordinator does not know; Kafka skips those too. */
  | { readonly kind: 'unknown'; readonly type: number }

/** The record of a transaction under a finalized transaction.version. */
export function transactionRecord(transaction: Transaction, level: number): CoordinatorRecord {
  const { transactionalId, state, partitions } = transaction
  const isFlexible = level >= FIRST_FLEXIBLE_LEVEL
  const value = {
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: stateId(state),
    transactionPartitions:
      state === 'Empty'
        ? null
        : partitions.byTopic().map(({ topic, partitions: numbers }) => ({
            topic,
            partitionIds: [...numbers],
          })),
    transactionLastUpdateTimestampMs: transaction.lastUpdateMs,
    transactionStartTimestampMs: transaction.startMs,
    ...(isFlexible && {
      previousProducerId: transaction.previousProducerId,
      nextProducerId: transaction.nextProducerId,
      clientTransactionVersion: transaction.clientVersion,
    }),
  }
  const version = isFlexible ? FLEXIBLE_VERSION : CLASSIC_VERSION
  return {
    key: encodeCoordinatorKey(transactionLogKey, { transactionalId }),
    value: encodeCoordinatorValue(transactionLogValue, version, value),
  }
}

export function transactionTombstone(transactionalId: string): CoordinatorRecord {
  return { key: encodeCoordinatorKey(transactionLogKey, { transactionalId }), value: null }
}

/** Throws `WireError` when key or value is not what its type says. */
export function decodeTransactionRecord({ key, value }: CoordinatorRecord): TransactionRecord {
  const type = coordinatorKeyType(key)
  if (type !== transactionLogKey.apiKey) return { kind: 'unknown', type }
  const { transactionalId } = decodeCoordinatorKey(transactionLogKey, key)
  const decoded = value === null ? null : decodeCoordinatorValue(transactionLogValue, value)
  return {
    kind: 'transaction',
    transactionalId,
    transaction: decoded === null ? null : transactionOf(transactionalId, decoded),
  }
}

/** Whether a value has the fields that only the flexible version can carry. */
export function isFlexibleValue(value: Buffer): boolean {
  return value.length >= VERSION_BYTES && value.readInt16BE(0) >= FLEXIBLE_VERSION
}

function transactionOf(transactionalId: string, value: TransactionLogValue): Transaction {
  const state = stateOfId(value.transactionStatus)
  if (state === null) {
    throw new WireError(`${value.transactionStatus} is no state of a transaction`)
  }
  const partitions = (value.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map((partition) => ({ topic, partition })),
  )
  return {
    transactionalId,
    producerId: value.producerId,
    producerEpoch: value.producerEpoch,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions: PartitionSet.of(state === 'Empty' ? [] : partitions),
    startMs: value.transactionStartTimestampMs,
    lastUpdateMs: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  }
}
