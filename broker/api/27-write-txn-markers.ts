// Versions: 1-2.
// Behaviour: ends transactions on the partitions led here with a control batch each, as acks=all; of
//   `__consumer_offsets` the group coordinator writes it and counts or drops the offsets that were pending.
// Added: v2 the transaction version, by which a marker's epoch is judged (KIP-1228).
// Not done: nothing known.
import { topicPartitionKey, type TopicPartition } from '../../src/base/topic-partition.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { endTxnMarkerRecord } from '../../src/wire/control-record.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  writeTxnMarkersApi,
  type WritableTxnMarker,
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponse,
} from '../../src/wire/messages/27-write-txn-markers.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

/** Errors by `topic-partition`. */
type Results = Map<string, number>

export const writeTxnMarkersHandler: ApiHandler<WriteTxnMarkersRequest, WriteTxnMarkersResponse> = {
  api: writeTxnMarkersApi,
  minVersion: 1,
  maxVersion: 2,
  listeners: ['broker'],
  handle(context, request, respond) {
    const results: Results[] = request.markers.map(() => new Map())
    let left = 1
    const landed = (): void => {
      left -= 1
      if (left === 0) respond({ markers: request.markers.map(answerOf) })
    }
    const answerOf = (marker: WritableTxnMarker, index: number) => ({
      producerId: marker.producerId,
      topics: marker.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          errorCode: results[index]?.get(topicPartitionKey(name, partitionIndex)) ?? ErrorCode.NONE,
        })),
      })),
    })
    for (const [index, marker] of request.markers.entries()) {
      const own = results[index] ?? new Map()
      left += 2
      endOffsets(context, marker, own, landed)
      endRecords(context, marker, own, landed)
    }
    landed()
  },
}

function partitionsOf({ topics }: WritableTxnMarker, isOffsets: boolean): TopicPartition[] {
  return topics
    .filter(({ name }) => (name === OFFSETS_TOPIC) === isOffsets)
    .flatMap(({ name, partitionIndexes }) =>
      partitionIndexes.map((partition) => ({ topic: name, partition })),
    )
}

/** Notes that a partition that is not hosted here is unknown, and says whether it is hosted. */
function isHosted(
  { services }: RequestContext,
  { topic, partition }: TopicPartition,
  results: Results,
): boolean {
  if (services.replicas.partition(topic, partition) !== null) return true
  results.set(topicPartitionKey(topic, partition), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  return false
}

function endOffsets(
  context: RequestContext,
  marker: WritableTxnMarker,
  results: Results,
  done: () => void,
): void {
  const hosted = partitionsOf(marker, true).filter((each) => isHosted(context, each, results))
  let left = hosted.length + 1
  const landed = (): void => {
    left -= 1
    if (left === 0) done()
  }
  for (const { topic, partition } of hosted) {
    context.services.groups.endTransaction(partition, endOf(marker), (error) => {
      results.set(topicPartitionKey(topic, partition), shownError(error))
      landed()
    })
  }
  landed()
}

/** The transaction coordinator expects the errors of a leader, and tries again with the next one. */
function shownError(error: ErrorCode): ErrorCode {
  switch (error) {
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    default:
      return error
  }
}

function endOf(marker: WritableTxnMarker) {
  return {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isCommit: marker.transactionResult,
    coordinatorEpoch: marker.coordinatorEpoch,
    transactionVersion: marker.transactionVersion,
  }
}

function endRecords(
  context: RequestContext,
  marker: WritableTxnMarker,
  results: Results,
  done: () => void,
): void {
  const hosted = partitionsOf(marker, false).filter((each) => isHosted(context, each, results))
  const { replicas, config, clock } = context.services
  const { producerId, producerEpoch, transactionResult, coordinatorEpoch } = marker
  replicas.append({
    requiredAcks: -1,
    timeoutMs: config.int('request.timeout.ms'),
    origin: 'coordinator',
    transactionVersion: marker.transactionVersion,
    entries: hosted.map(({ topic, partition }) => ({
      topic,
      topicId: ZERO_UUID,
      partition,
      records: writeBatch({
        records: [endTxnMarkerRecord(transactionResult, coordinatorEpoch)],
        timestampMs: clock.wallMs(),
        producerId,
        producerEpoch,
        isTransactional: true,
        isControl: true,
      }),
    })),
    respond: (answers) => {
      for (const { topic, partition, error } of answers) {
        results.set(topicPartitionKey(topic, partition), error)
      }
      done()
    },
  })
}
