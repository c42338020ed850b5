// Versions: 0-5.
// Behaviour: without a transactional id, a new producer id with epoch 0 (idempotence). With one, the transaction
//   coordinator bumps the epoch and so fences all earlier producers; an open transaction is aborted first.
// Added: v3 the producer's current id and epoch (KIP-360); v4 PRODUCER_FENCED, INVALID_PRODUCER_EPOCH before;
//   v5 TRANSACTION_ABORTABLE, never sent.
// Not done: v6 (two-phase commit, KIP-939), which Kafka does not serve either unless unstable versions are enabled.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../../src/wire/messages/22-init-producer-id.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { fencedErrorFor } from './transaction-errors.ts'

const FENCED_VERSION = 4

export const initProducerIdHandler: ApiHandler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerIdApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
    if ((producerId === -1) !== (producerEpoch === -1)) {
      respond({ errorCode: ErrorCode.INVALID_REQUEST, producerId: -1, producerEpoch: -1 })
      return
    }
    if (transactionalId === null) {
      services.producerIds.next((errorCode, newId) => {
        const epoch = errorCode === ErrorCode.NONE ? 0 : -1
        respond({ errorCode, producerId: newId, producerEpoch: epoch })
      })
      return
    }
    const expected = producerId === -1 ? null : { producerId, producerEpoch }
    services.transactions.initProducerId(
      { transactionalId, timeoutMs: transactionTimeoutMs, expected },
      ({ error, ...identity }) => {
        respond({ errorCode: fencedErrorFor(apiVersion, FENCED_VERSION, error), ...identity })
      },
    )
  },
}
