// Versions: 0-5.
// Behaviour: decides how a transaction ends. The answer leaves when the decision is durable; the markers follow.
// Added: v2 PRODUCER_FENCED, INVALID_PRODUCER_EPOCH before; v3 flexible; v4 TRANSACTION_ABORTABLE, never sent; v5 protocol 2
//   (KIP-890): the epoch is bumped at each end, and the answer says who the producer is from now on.
// Not done: two-phase commit (KIP-939).
import {
  endTxnApi,
  type EndTxnRequest,
  type EndTxnResponse,
} from '../../src/wire/messages/26-end-txn.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { fencedErrorFor } from './transaction-errors.ts'

const FENCED_VERSION = 2
const EPOCH_BUMP_VERSION = 5

export const endTxnHandler: ApiHandler<EndTxnRequest, EndTxnResponse> = {
  api: endTxnApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    const { transactionalId, producerId, producerEpoch, committed } = request
    services.transactions.endTransaction(
      { transactionalId, producerId, producerEpoch, isCommit: committed },
      apiVersion < EPOCH_BUMP_VERSION ? 0 : 2,
      ({ error, ...identity }) => {
        respond({ errorCode: fencedErrorFor(apiVersion, FENCED_VERSION, error), ...identity })
      },
    )
  },
}
