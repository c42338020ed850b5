// Versions: 0-4.
// Behaviour: adds the partition of `__consumer_offsets` that holds the group to the producer's transaction.
// Added: v2 PRODUCER_FENCED, INVALID_PRODUCER_EPOCH before; v3 flexible; v4 TRANSACTION_ABORTABLE, never sent.
// Not done: nothing known.
import {
  addOffsetsToTxnApi,
  type AddOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
} from '../../src/wire/messages/25-add-offsets-to-txn.ts'
import { coordinatorPartition } from '../../src/wire/java-hash.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { fencedErrorFor } from './transaction-errors.ts'

const FENCED_VERSION = 2

export const addOffsetsToTxnHandler: ApiHandler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> = {
  api: addOffsetsToTxnApi,
  minVersion: 0,
  maxVersion: 4,
  listeners: ['broker'],
  handle(context, request, respond) {
    const { transactionalId, producerId, producerEpoch, groupId } = request
    const partitions = [{ topic: OFFSETS_TOPIC, partition: offsetsPartition(context, groupId) }]
    // A client of protocol 2 sends TxnOffsetCommit only, and the group's leader adds the partition.
    context.services.transactions.addPartitions(
      { transactionalId, producerId, producerEpoch, partitions },
      0,
      (error) => {
        respond({ errorCode: fencedErrorFor(context.apiVersion, FENCED_VERSION, error) })
      },
    )
  },
}

/** As long as the topic is not there, by the number of partitions that it will have. */
function offsetsPartition({ services }: RequestContext, groupId: string): number {
  const partition = services.groups.partitionFor(groupId)
  if (partition >= 0) return partition
  return coordinatorPartition(groupId, services.config.int('offsets.topic.num.partitions'))
}
