// Versions: 0-2.
// Behaviour: refused with ILLEGAL_SASL_STATE, as on a listener without SASL, which all are (KIP-152).
// Added: v1 session lifetime (KIP-368); v2 flexible.
// Not done: SASL listeners; a broker that is told to have one does not start.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  saslAuthenticateApi,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../../src/wire/messages/36-sasl-authenticate.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const saslAuthenticateHandler: ApiHandler<
  SaslAuthenticateRequest,
  SaslAuthenticateResponse
> = {
  api: saslAuthenticateApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker', 'controller'],
  handle(_context, _request, respond) {
    respond({
      errorCode: ErrorCode.ILLEGAL_SASL_STATE,
      errorMessage: 'SaslAuthenticate request received after successful authentication',
      authBytes: Buffer.alloc(0),
      sessionLifetimeMs: 0,
    })
  },
}
