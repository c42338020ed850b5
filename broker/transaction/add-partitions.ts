import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  canRecord,
  NO_IDENTITY,
  refused,
  written,
  type Decision,
  type Situation,
} from './decision.ts'
import {
  addPartitions,
  type ClientVersion,
  type ProducerIdentity,
  type Transaction,
} from './transaction.ts'
import { isPrepared } from './transaction-state.ts'

/** Partitions that a producer is to write to in its transaction. */
export interface AddPartitions extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: readonly TopicPartition[]
}

/** Adds partitions to the transaction, which begins with the first. */
export function decideAddPartitions(
  request: AddPartitions,
  clientVersion: ClientVersion,
  { transaction, isPending, nowMs, level }: Situation,
): Decision {
  if (transaction === null) return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  // First of all: the pending step may be the change to the very producer id that the client has.
  if (isPending) return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
  const error = problemWith(transaction, request)
  if (error !== ErrorCode.NONE) return refused(error)
  const { partitions } = request
  if (transaction.state === 'Ongoing' && transaction.partitions.hasAll(partitions)) {
    return refused(ErrorCode.NONE)
  }
  if (!canRecord(clientVersion, level)) return refused(ErrorCode.UNSUPPORTED_VERSION)
  return written(addPartitions(transaction, partitions, clientVersion, nowMs), NO_IDENTITY)
}

/**
 * Whether a leader may take the transaction's records (KIP-890), by partition. A step that is pending does not
 * matter: the leader checks once more when it appends.
 */
export function verifyPartitions(
  request: AddPartitions,
  transaction: Transaction | null,
): ReadonlyMap<TopicPartition, ErrorCode> {
  const error =
    transaction === null ? ErrorCode.INVALID_PRODUCER_ID_MAPPING : problemWith(transaction, request)
  return new Map(
    request.partitions.map((partition) => {
      if (error !== ErrorCode.NONE) return [partition, error]
      const isIn = transaction?.partitions.has(partition) ?? false
      return [partition, isIn ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE]
    }),
  )
}

function problemWith(
  { producerId, producerEpoch, state }: Transaction,
  request: ProducerIdentity,
): ErrorCode {
  if (producerId !== request.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  if (producerEpoch !== request.producerEpoch) return ErrorCode.PRODUCER_FENCED
  return isPrepared(state) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE
}
