// Versions: 0-2 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: finalizes levels that every node supports, all of a request or none; validate-only (KIP-584, KIP-778).
// Added: v1 upgrade type and validate-only; v2 no lines for the single features.
// Not done: metadata.version can only stay as it is: no older level is written, so a downgrade is refused as one that loses
//   metadata.
import {
  updateFeaturesApi,
  type UpdateFeaturesRequest,
  type UpdateFeaturesResponse,
} from '../../src/wire/messages/57-update-features.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

/** A client that leaves no time at all is answered all the same. */
const SHORTEST_TIMEOUT_MS = 1000

export const updateFeaturesHandler: ApiHandler<UpdateFeaturesRequest, UpdateFeaturesResponse> = {
  api: updateFeaturesApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.updateFeatures(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: updateFeaturesApi,
      context,
      request,
      // Kafka's controller does not look at the time that is left for this one.
      timeoutMs: Math.max(request.timeoutMs, SHORTEST_TIMEOUT_MS),
      respond,
      failure: (errorCode, errorMessage) => ({ errorCode, errorMessage }),
    })
  },
}
