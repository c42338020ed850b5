// Versions: 2-10.
// Behaviour: offsets of a group, or of a consumer outside any, become records of
//   `__consumer_offsets`; answered when committed. A partition that does not exist is refused alone.
// Added: v6 leader epochs; v7 static members; v8 flexible; v9 member epochs; v10 topic ids.
// Not done: KIP-848 groups (v9 stale member epochs).
import {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../../src/wire/messages/08-offset-commit.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { commitExisting, type RespondCommit } from './committed-partitions.ts'

export const offsetCommitHandler: ApiHandler<OffsetCommitRequest, OffsetCommitResponse> = {
  api: offsetCommitApi,
  minVersion: 2,
  maxVersion: 10,
  listeners: ['broker'],
  handle(context, request, respond) {
    const { services, apiVersion } = context
    const commit = (topics: OffsetCommitRequest['topics'], done: RespondCommit): void =>
      services.groups.offsetCommit(apiVersion, { ...request, topics }, done)
    commitExisting(context, request.topics, commit, respond)
  },
}
