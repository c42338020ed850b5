// Versions: 0-5.
// Behaviour: 0-3 come from clients and name one transaction; 4 and above come from leaders (KIP-890), name several, and
//   either ask whether partitions belong to a transaction (verify only) or add them for a client of protocol 2. One bad
//   partition keeps all of its transaction from being added.
// Added: v2 PRODUCER_FENCED, INVALID_PRODUCER_EPOCH before; v4 several transactions; v5 TRANSACTION_ABORTABLE.
// Not done: nothing known. As in Kafka, a partition that is not in the transaction is TRANSACTION_ABORTABLE at v4 too; what the client is
//   told is the leader's to choose.
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  type AddPartitionsToTxnTransaction,
} from '../../src/wire/messages/24-add-partitions-to-txn.ts'
import type { Input } from '../../src/wire/schema.ts'
import { isInternalTopic } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { fencedErrorFor } from './transaction-errors.ts'

const FENCED_VERSION = 2
const BATCHED_VERSION = 4

type Transaction = Omit<AddPartitionsToTxnTransaction, 'topics'> & {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[]
}
type TopicResults = NonNullable<Input<AddPartitionsToTxnResponse>['resultsByTopicV3AndBelow']>
type ErrorOf = (partition: TopicPartition) => ErrorCode

export const addPartitionsToTxnHandler: ApiHandler<
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse
> = {
  api: addPartitionsToTxnApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle(context, request, respond) {
    if (context.apiVersion < BATCHED_VERSION) {
      const transaction = {
        transactionalId: request.v3AndBelowTransactionalId,
        producerId: request.v3AndBelowProducerId,
        producerEpoch: request.v3AndBelowProducerEpoch,
        verifyOnly: false,
        topics: request.v3AndBelowTopics,
      }
      handleOne(context, transaction, (resultsByTopicV3AndBelow) => {
        respond({ resultsByTopicV3AndBelow })
      })
      return
    }
    const { transactions } = request
    const results = new Map<string, TopicResults>()
    const answer = (): void => {
      // Kafka answers as a whole what it cannot write at its transaction.version.
      const isUnsupported = [...results.values()].some(saysUnsupported)
      respond(
        isUnsupported
          ? { errorCode: ErrorCode.UNSUPPORTED_VERSION, resultsByTransaction: [] }
          : {
              resultsByTransaction: transactions.map(({ transactionalId }) => ({
                transactionalId,
                topicResults: results.get(transactionalId) ?? [],
              })),
            },
      )
    }
    let missing = transactions.length
    if (missing === 0) answer()
    for (const transaction of transactions) {
      handleOne(context, transaction, (topicResults) => {
        results.set(transaction.transactionalId, topicResults)
        missing -= 1
        if (missing === 0) answer()
      })
    }
  },
}

function handleOne(
  context: RequestContext,
  transaction: Transaction,
  respond: (results: TopicResults) => void,
): void {
  const { services, apiVersion } = context
  const { transactionalId, producerId, producerEpoch, topics, verifyOnly } = transaction
  const partitions = topics.flatMap(({ name, partitions: numbers }) =>
    numbers.map((partition) => ({ topic: name, partition })),
  )
  const refusals = new Map(
    partitions.map((partition) => [partition, refusalOf(context, partition)]),
  )
  if ([...refusals.values()].some((error) => error !== ErrorCode.NONE)) {
    respond(resultsOf(partitions, (partition) => refusalAmong(refusals.get(partition))))
    return
  }
  const request = { transactionalId, producerId, producerEpoch, partitions }
  if (verifyOnly) {
    services.transactions.verifyPartitions(request, (errors) => {
      respond(
        resultsOf(
          partitions,
          (partition) => errors.get(partition) ?? ErrorCode.UNKNOWN_SERVER_ERROR,
        ),
      )
    })
    return
  }
  const clientVersion = apiVersion < BATCHED_VERSION ? 0 : 2
  services.transactions.addPartitions(request, clientVersion, (error) => {
    const told = fencedErrorFor(apiVersion, FENCED_VERSION, error)
    respond(resultsOf(partitions, () => told))
  })
}

function saysUnsupported(results: TopicResults): boolean {
  return results.some(({ resultsByPartition = [] }) =>
    resultsByPartition.some(
      ({ partitionErrorCode }) => partitionErrorCode === ErrorCode.UNSUPPORTED_VERSION,
    ),
  )
}

/** Why a partition cannot be part of a transaction. Clients may not name internal topics; leaders may. */
function refusalOf(
  { services, apiVersion }: RequestContext,
  { topic, partition }: TopicPartition,
): ErrorCode {
  if (apiVersion < BATCHED_VERSION && isInternalTopic(topic)) {
    return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  }
  return services.image().partition(topic, partition) === null
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NONE
}

/** A partition that is in order was not added because of the others. */
function refusalAmong(error: ErrorCode = ErrorCode.NONE): ErrorCode {
  return error === ErrorCode.NONE ? ErrorCode.OPERATION_NOT_ATTEMPTED : error
}

function resultsOf(partitions: readonly TopicPartition[], errorOf: ErrorOf): TopicResults {
  const byTopic = new Map<string, { partitionIndex: number; partitionErrorCode: ErrorCode }[]>()
  for (const partition of partitions) {
    const results = byTopic.get(partition.topic) ?? []
    byTopic.set(partition.topic, results)
    results.push({
      partitionIndex: partition.partition,
      partitionErrorCode: errorOf(partition),
    })
  }
  return [...byTopic].map(([name, resultsByPartition]) => ({ name, resultsByPartition }))
}
