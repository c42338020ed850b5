// Versions: 1-2.
// Behaviour: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, as on every listener that is not authenticated (KIP-48).
// Added: v2 flexible.
// Not done: SASL listeners, and with them the tokens.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  renewDelegationTokenApi,
  type RenewDelegationTokenRequest,
  type RenewDelegationTokenResponse,
} from '../../src/wire/messages/39-renew-delegation-token.ts'
import type { ApiHandler } from '../server/request-context.ts'

const NO_TIME = -1

export const renewDelegationTokenHandler: ApiHandler<
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse
> = {
  api: renewDelegationTokenApi,
  minVersion: 1,
  maxVersion: 2,
  listeners: ['broker'],
  handle(_context, _request, respond) {
    respond({
      errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
      expiryTimestampMs: NO_TIME,
    })
  },
}
