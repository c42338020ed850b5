// Versions: 0.
// Behaviour: the producers that a partition knows, with the start of their open transaction, of any replica: leader or
//   follower (KIP-664).
// Added: nothing since v0.
// Not done: nothing known.
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import {
  describeProducersApi,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
} from '../../src/wire/messages/61-describe-producers.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

export const describeProducersHandler: ApiHandler<
  DescribeProducersRequest,
  DescribeProducersResponse
> = {
  api: describeProducersApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker'],
  handle(context, request, respond) {
    respond({
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((index) => describe(context, name, index)),
      })),
    })
  },
}

function describe({ services }: RequestContext, topic: string, partitionIndex: number) {
  const partition = services.replicas.partition(topic, partitionIndex)
  if (!services.image().topicsByName.has(topic)) {
    const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    // Kafka has a text for topics only.
    return { partitionIndex, errorCode, errorMessage: errorMessage(errorCode) }
  }
  if (partition === null) {
    return { partitionIndex, errorCode: services.replicas.absenceOf(topic, partitionIndex) }
  }
  const activeProducers = partition.log.producerEntries().map((each) => ({
    producerId: each.producerId,
    producerEpoch: each.producerEpoch,
    lastSequence: each.lastSequence,
    lastTimestamp: each.lastTimestampMs,
    coordinatorEpoch: each.coordinatorEpoch,
    currentTxnStartOffset: each.currentTxnFirstOffset,
  }))
  return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers }
}
