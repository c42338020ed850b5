// Versions: 0-1.
// Behaviour: refused with ILLEGAL_SASL_STATE, as on a listener without SASL, which all are (KIP-152).
// Added: v1 SaslAuthenticate requests follow, instead of bare tokens.
// Not done: SASL listeners; a broker that is told to have one does not start.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  saslHandshakeApi,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from '../../src/wire/messages/17-sasl-handshake.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const saslHandshakeHandler: ApiHandler<SaslHandshakeRequest, SaslHandshakeResponse> = {
  api: saslHandshakeApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(_context, _request, respond) {
    respond({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] })
  },
}
