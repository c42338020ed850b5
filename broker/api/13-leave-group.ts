// Versions: 0-5.
// Behaviour: removes one or (v3) several members, with an error each.
// Added: v3 several members; v5 reason.
// Not done: nothing known.
import {
  leaveGroupApi,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
} from '../../src/wire/messages/13-leave-group.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const leaveGroupHandler: ApiHandler<LeaveGroupRequest, LeaveGroupResponse> = {
  api: leaveGroupApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.leaveGroup(apiVersion, request, respond)
  },
}
