// Versions: 0-4 (controller listener).
// Behaviour: gives the broker its epoch (the offset of its record); it starts fenced. A second live incarnation of an
//   id is refused with DUPLICATE_BROKER_REGISTRATION (KIP-631).
// Added: v2 log directories; v4 previous broker epoch (KIP-966).
// Not done: ZooKeeper migration (v1) is ignored.
import {
  brokerRegistrationApi,
  type BrokerRegistrationRequest,
  type BrokerRegistrationResponse,
} from '../../src/wire/messages/62-broker-registration.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const brokerRegistrationHandler: ApiHandler<
  BrokerRegistrationRequest,
  BrokerRegistrationResponse
> = {
  api: brokerRegistrationApi,
  minVersion: 0,
  maxVersion: 4,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.controller.registerBroker(request, respond)
  },
}
