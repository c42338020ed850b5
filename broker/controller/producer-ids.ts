import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../../src/wire/messages/67-allocate-producer-ids.ts'
import { isCurrentBroker } from './broker-heartbeat.ts'
import type { ControlContext } from './control-context.ts'
import type { Outcome } from './outcome.ts'

/** How many producer ids a broker gets at a time. */
export const PRODUCER_ID_BLOCK_SIZE = 1000

/** Answers AllocateProducerIds: the next block, which no other broker ever gets. */
export function allocateProducerIds(
  context: ControlContext,
  request: AllocateProducerIdsRequest,
): Outcome<AllocateProducerIdsResponse> {
  const { brokerId, brokerEpoch } = request
  if (!isCurrentBroker(context, brokerId, brokerEpoch)) {
    return { records: [], response: { errorCode: ErrorCode.STALE_BROKER_EPOCH } }
  }
  const start = context.image.nextProducerId
  const nextProducerId = start + PRODUCER_ID_BLOCK_SIZE
  if (nextProducerId > Number.MAX_SAFE_INTEGER) {
    return { records: [], response: { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR } }
  }
  return {
    records: [metadataRecord('ProducerIdsRecord', { brokerId, brokerEpoch, nextProducerId })],
    response: {
      errorCode: ErrorCode.NONE,
      producerIdStart: start,
      producerIdLen: PRODUCER_ID_BLOCK_SIZE,
    },
  }
}
