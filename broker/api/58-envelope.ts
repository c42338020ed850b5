// Versions: 0 (controller listener).
// Behaviour: a request that a broker forwards for its client (KIP-590): the inner frame is handled as if it had come
//   to this listener, and its answer travels back inside. An answer of NOT_CONTROLLER is the envelope's own, so that the
//   broker asks the next controller.
// Added: nothing since v0.
// Not done: the principal is carried but nobody is refused by it (there are no ACLs yet).
import { WireError } from '../../src/base/errors.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  envelopeApi,
  type EnvelopeRequest,
  type EnvelopeResponse,
} from '../../src/wire/messages/58-envelope.ts'
import { apiByKey } from '../../src/wire/messages/index.ts'
import { decodeRequestHeader, decodeResponse } from '../../src/wire/request.ts'
import { saysNotController } from '../../src/wire/not-controller.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const envelopeHandler: ApiHandler<EnvelopeRequest, EnvelopeResponse> = {
  api: envelopeApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['controller'],
  handle(context, request, respond) {
    const { services, listenerName, client } = context
    if (!services.controller.isActive) {
      respond({ errorCode: ErrorCode.NOT_CONTROLLER })
      return
    }
    try {
      services.handleForwarded(request.requestData, { listenerName, client }, (responseData) => {
        const isStale =
          responseData === null || isFromNoController(request.requestData, responseData)
        respond(
          isStale
            ? { errorCode: ErrorCode.NOT_CONTROLLER }
            : { errorCode: ErrorCode.NONE, responseData },
        )
      })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      respond({ errorCode: ErrorCode.INVALID_REQUEST })
    }
  },
}

function isFromNoController(request: Buffer, response: Buffer): boolean {
  const { apiKey, apiVersion } = decodeRequestHeader(request)
  const api = apiByKey(apiKey)
  return api !== undefined && saysNotController(decodeResponse(api, apiVersion, response).body)
}
