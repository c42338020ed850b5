// Versions: 0-4.
// Behaviour: keeps a member's session; tells it of a rebalance.
// Added: v3 static members.
// Not done: nothing known.
import {
  heartbeatApi,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from '../../src/wire/messages/12-heartbeat.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const heartbeatHandler: ApiHandler<HeartbeatRequest, HeartbeatResponse> = {
  api: heartbeatApi,
  minVersion: 0,
  maxVersion: 4,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.heartbeat(apiVersion, request, respond)
  },
}
