// Versions: 0.
// Behaviour: removes committed offsets of topics that no member subscribes to (KIP-496).
// Added: nothing since v0.
// Not done: nothing known.
import {
  offsetDeleteApi,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
} from '../../src/wire/messages/47-offset-delete.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const offsetDeleteHandler: ApiHandler<OffsetDeleteRequest, OffsetDeleteResponse> = {
  api: offsetDeleteApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.offsetDelete(apiVersion, request, respond)
  },
}
