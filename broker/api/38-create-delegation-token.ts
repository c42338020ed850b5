// Versions: 1-3.
// Behaviour: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, as on every listener that is not authenticated (KIP-48).
// Added: v2 flexible; v3 an owner other than the one who asks (KIP-373).
// Not done: SASL listeners, and with them the tokens.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  createDelegationTokenApi,
  type CreateDelegationTokenRequest,
  type CreateDelegationTokenResponse,
} from '../../src/wire/messages/38-create-delegation-token.ts'
import type { ApiHandler } from '../server/request-context.ts'

const ANONYMOUS = { principalType: 'User', principalName: 'ANONYMOUS' }
const REQUESTER = {
  tokenRequesterPrincipalType: ANONYMOUS.principalType,
  tokenRequesterPrincipalName: ANONYMOUS.principalName,
}
const REQUESTER_VERSION = 3
const NO_TIME = -1

export const createDelegationTokenHandler: ApiHandler<
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse
> = {
  api: createDelegationTokenApi,
  minVersion: 1,
  maxVersion: 3,
  listeners: ['broker'],
  handle({ apiVersion }, { ownerPrincipalType, ownerPrincipalName }, respond) {
    const isAnother = ownerPrincipalType !== null && (ownerPrincipalName ?? '') !== ''
    respond({
      errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
      principalType: isAnother ? ownerPrincipalType : ANONYMOUS.principalType,
      principalName: isAnother ? (ownerPrincipalName ?? '') : ANONYMOUS.principalName,
      ...(apiVersion >= REQUESTER_VERSION ? REQUESTER : {}),
      issueTimestampMs: NO_TIME,
      expiryTimestampMs: NO_TIME,
      maxTimestampMs: NO_TIME,
      tokenId: '',
      hmac: Buffer.alloc(0),
    })
  },
}
