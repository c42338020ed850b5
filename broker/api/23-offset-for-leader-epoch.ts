// Versions: 2-4.
// Behaviour: where a leader epoch ends in the leader's log (KIP-101, KIP-279, KIP-320).
// Added: v3 replica id; v4 flexible.
// Not done: nothing known.
import {
  offsetForLeaderEpochApi,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from '../../src/wire/messages/23-offset-for-leader-epoch.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const offsetForLeaderEpochHandler: ApiHandler<
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse
> = {
  api: offsetForLeaderEpochApi,
  minVersion: 2,
  maxVersion: 4,
  listeners: ['broker'],
  handle(context, request, respond) {
    respond({
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: context.services.replicas
          .offsetForLeaderEpoch(partitions.map((partition) => ({ topic, ...partition })))
          .map(({ partition, error, leaderEpoch, endOffset }) => ({
            partition,
            errorCode: error,
            leaderEpoch,
            endOffset,
          })),
      })),
    })
  },
}
