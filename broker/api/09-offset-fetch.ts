// Versions: 1-10.
// Behaviour: committed offsets; -1 for a partition that has none. Who asks for stable ones is refused those that an open
//   transaction may change.
// Added: v2 all topics; v5 leader epochs; v7 require stable; v8 several groups; v10 topic ids.
// Not done: nothing known.
import {
  offsetFetchApi,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '../../src/wire/messages/09-offset-fetch.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const offsetFetchHandler: ApiHandler<OffsetFetchRequest, OffsetFetchResponse> = {
  api: offsetFetchApi,
  minVersion: 1,
  maxVersion: 10,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.offsetFetch(apiVersion, request, respond)
  },
}
