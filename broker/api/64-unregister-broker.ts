// Versions: 0 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: forgets a broker that will not come back (KIP-631).
// Added: nothing since v0.
// Not done: nothing known.
import {
  unregisterBrokerApi,
  type UnregisterBrokerRequest,
  type UnregisterBrokerResponse,
} from '../../src/wire/messages/64-unregister-broker.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const unregisterBrokerHandler: ApiHandler<
  UnregisterBrokerRequest,
  UnregisterBrokerResponse
> = {
  api: unregisterBrokerApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.unregisterBroker(request, respond)
      return
    }
    forwardToController({
      api: unregisterBrokerApi,
      context,
      request,
      timeoutMs: context.services.config.int('request.timeout.ms'),
      respond,
      failure: (errorCode, errorMessage) => ({ errorCode, errorMessage }),
    })
  },
}
