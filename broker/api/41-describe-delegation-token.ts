// Versions: 1-3.
// Behaviour: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, as on every listener that is not authenticated (KIP-48).
// Added: v2 flexible; v3 who asked for each token (KIP-373).
// Not done: SASL listeners, and with them the tokens.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeDelegationTokenApi,
  type DescribeDelegationTokenRequest,
  type DescribeDelegationTokenResponse,
} from '../../src/wire/messages/41-describe-delegation-token.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const describeDelegationTokenHandler: ApiHandler<
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse
> = {
  api: describeDelegationTokenApi,
  minVersion: 1,
  maxVersion: 3,
  listeners: ['broker'],
  handle(_context, _request, respond) {
    respond({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, tokens: [] })
  },
}
