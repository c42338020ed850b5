import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import { envelopeApi } from '../../src/wire/messages/58-envelope.ts'
import { decodeResponse, encodeRequest } from '../../src/wire/request.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import type { RequestContext, Respond } from '../server/request-context.ts'

const ENVELOPE_VERSION = 0
const SIZE_PREFIX_BYTES = 4

export interface Forwarding<Req, Res> {
  readonly api: Api<Req, Res>
  readonly context: RequestContext
  readonly request: Req
  readonly timeoutMs: number
  readonly respond: Respond<Res>
  /** The answer when no controller could carry the request out. */
  readonly failure: (errorCode: number, message: string | null) => Input<Res>
}

/** Sends a client's request to the active controller inside an Envelope and passes its answer on (KIP-590). */
export function forwardToController<Req, Res>(forwarding: Forwarding<Req, Res>): void {
  const { api, context, request, timeoutMs, respond, failure } = forwarding
  const { apiVersion, clientId, client, services } = context
  const frame = Buffer.concat(encodeRequest(api, apiVersion, 0, clientId, request as Input<Req>))
  const envelope = {
    requestData: frame.subarray(SIZE_PREFIX_BYTES),
    requestPrincipal: null,
    clientHostAddress: Buffer.from(client.host),
  }
  services.controllerChannel.send(
    envelopeApi,
    ENVELOPE_VERSION,
    envelope,
    timeoutMs,
    (error, response) => {
      if (error !== null || response === null) {
        // As in Kafka the code says it all.
        respond(failure(ErrorCode.REQUEST_TIMED_OUT, null))
      } else if (response.errorCode !== ErrorCode.NONE || response.responseData === null) {
        respond(failure(response.errorCode, errorMessage(response.errorCode)))
      } else {
        respond(decodeResponse(api, apiVersion, response.responseData).body as Input<Res>)
      }
    },
  )
}
