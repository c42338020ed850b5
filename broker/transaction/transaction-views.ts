import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { TransactionState as DescribedTransaction } from '../../src/wire/messages/65-describe-transactions.ts'
import type { ListTransactionsResponse } from '../../src/wire/messages/66-list-transactions.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { PartitionSet } from './partition-set.ts'
import type { Transaction } from './transaction.ts'
import { stateNamed } from './transaction-state.ts'

/** Which transactions ListTransactions is to show; empty and null show all. */
export interface ListFilter {
  /** As the client wrote them; names that are no state are told back. */
  readonly stateNames: readonly string[]
  readonly producerIds: readonly number[]
  /** Only those open for longer; negative for all. */
  readonly durationMs: number
  /** Matches the whole transactional id. */
  readonly pattern: RegExp | null
}

export function describeTransaction(
  transaction: Transaction,
  partitions: PartitionSet,
): Input<DescribedTransaction> {
  return {
    errorCode: ErrorCode.NONE,
    transactionalId: transaction.transactionalId,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startMs,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: partitions
      .byTopic()
      .map(({ topic, partitions: numbers }) => ({ topic, partitions: [...numbers] })),
  }
}

export function listTransactions(
  transactions: readonly Transaction[],
  filter: ListFilter,
  nowMs: number,
): Input<ListTransactionsResponse> {
  const { stateNames, producerIds, durationMs, pattern } = filter
  const isShown = ({ transactionalId, producerId, state, startMs }: Transaction): boolean =>
    (producerIds.length === 0 || producerIds.includes(producerId)) &&
    (stateNames.length === 0 || stateNames.includes(state)) &&
    (durationMs < 0 || nowMs - startMs > durationMs) &&
    (pattern === null || pattern.test(transactionalId))
  return {
    errorCode: ErrorCode.NONE,
    unknownStateFilters: stateNames.filter((name) => stateNamed(name) === null),
    transactionStates: transactions
      .filter(isShown)
      .map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state,
      })),
  }
}
