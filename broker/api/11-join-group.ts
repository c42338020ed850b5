// Versions: 0-9.
// Behaviour: a member joins or rejoins; answered when the rebalance completes. New members of v4+ first get an
//   id with MEMBER_ID_REQUIRED (KIP-394).
// Added: v1 rebalance time-out; v5 static members (KIP-345); v7 protocol type; v8 reason; v9 skip assignment (KIP-814).
// Not done: nothing known.
import {
  joinGroupApi,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '../../src/wire/messages/11-join-group.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const joinGroupHandler: ApiHandler<JoinGroupRequest, JoinGroupResponse> = {
  api: joinGroupApi,
  minVersion: 0,
  maxVersion: 9,
  listeners: ['broker'],
  handle({ services, apiVersion, clientId, client }, request, respond) {
    const origin = { clientId: clientId ?? '', clientHost: `/${client.host}` }
    services.groups.joinGroup(apiVersion, origin, request, respond)
  },
}
