// Versions: 0-1 (controller listener).
// Behaviour: keeps the broker's session, fences and unfences it, leads it through a controlled shutdown (KIP-631).
// Added: v1 offline log directories: replicas in them lose leaderships and ISR memberships (KIP-858).
// Not done: v2 (cordoned log directories, KIP-1066).
import {
  brokerHeartbeatApi,
  type BrokerHeartbeatRequest,
  type BrokerHeartbeatResponse,
} from '../../src/wire/messages/63-broker-heartbeat.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const brokerHeartbeatHandler: ApiHandler<BrokerHeartbeatRequest, BrokerHeartbeatResponse> = {
  api: brokerHeartbeatApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.controller.heartbeat(request, respond)
  },
}
