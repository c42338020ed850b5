// Versions: 0 (controller listener).
// Behaviour: the next block of producer ids for a broker of this epoch (KIP-730).
// Added: nothing since v0.
// Not done: nothing known.
import {
  allocateProducerIdsApi,
  type AllocateProducerIdsRequest,
  type AllocateProducerIdsResponse,
} from '../../src/wire/messages/67-allocate-producer-ids.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const allocateProducerIdsHandler: ApiHandler<
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse
> = {
  api: allocateProducerIdsApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.controller.allocateProducerIds(request, respond)
  },
}
