// Versions: 0-5.
// Behaviour: without a transactional id, a new producer id with epoch 0 (idempotence).
// Added: v3 the producer's current id and epoch (KIP-360): a new id is given; v4 fencing errors; v5 TRANSACTION_ABORTABLE,
//   never sent.
// Not done: transactional ids, until the transaction coordinator exists: COORDINATOR_NOT_AVAILABLE.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../../src/wire/messages/22-init-producer-id.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const initProducerIdHandler: ApiHandler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerIdApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle(context, request, respond) {
    if ((request.producerId === -1) !== (request.producerEpoch === -1)) {
      respond({ errorCode: ErrorCode.INVALID_REQUEST, producerId: -1, producerEpoch: -1 })
      return
    }
    if (request.transactionalId !== null) {
      const errorCode =
        request.transactionalId === ''
          ? ErrorCode.INVALID_REQUEST
          : ErrorCode.COORDINATOR_NOT_AVAILABLE
      respond({ errorCode, producerId: -1, producerEpoch: -1 })
      return
    }
    context.services.producerIds.next((errorCode, producerId) => {
      respond({ errorCode, producerId, producerEpoch: errorCode === ErrorCode.NONE ? 0 : -1 })
    })
  },
}
