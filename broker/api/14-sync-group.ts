// Versions: 0-5.
// Behaviour: the leader's assignment is stored, then every member gets its part.
// Added: v3 static members; v5 protocol type and name.
// Not done: nothing known.
import {
  syncGroupApi,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from '../../src/wire/messages/14-sync-group.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const syncGroupHandler: ApiHandler<SyncGroupRequest, SyncGroupResponse> = {
  api: syncGroupApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.syncGroup(apiVersion, request, respond)
  },
}
