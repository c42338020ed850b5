// Versions: 0-5.
// Behaviour: offsets of a group as part of a producer's transaction: they are pending until its marker comes.
// Added: v2 leader epochs; v3 member, generation and static members (KIP-447), flexible; v4 TRANSACTION_ABORTABLE; v5 adds
//   the group's partition to the transaction implicitly (KIP-890).
// Not done: v6 (topic ids, Kafka 4.4).
import {
  txnOffsetCommitApi,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '../../src/wire/messages/28-txn-offset-commit.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { commitExisting, type RespondCommit } from './committed-partitions.ts'

export const txnOffsetCommitHandler: ApiHandler<TxnOffsetCommitRequest, TxnOffsetCommitResponse> = {
  api: txnOffsetCommitApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle(context, request, respond) {
    const { services, apiVersion } = context
    const commit = (topics: TxnOffsetCommitRequest['topics'], done: RespondCommit): void =>
      services.groups.txnOffsetCommit(apiVersion, { ...request, topics }, done)
    commitExisting(context, request.topics, commit, respond)
  },
}
