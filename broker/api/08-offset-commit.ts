// Versions: 2-10.
// Behaviour: offsets of a group, or of a consumer outside any, become records of
//   `__consumer_offsets`; answered when committed.
// Added: v6 leader epochs; v7 static members; v8 flexible; v9 member epochs; v10 topic ids.
// Not done: KIP-848 groups (v9 stale member epochs).
import {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../../src/wire/messages/08-offset-commit.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const offsetCommitHandler: ApiHandler<OffsetCommitRequest, OffsetCommitResponse> = {
  api: offsetCommitApi,
  minVersion: 2,
  maxVersion: 10,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.offsetCommit(apiVersion, request, respond)
  },
}
