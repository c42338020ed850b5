// What a node without an authorizer and without SASL says. The expected answers were compared with those of Apache
// Kafka 4.3.1.
import { describe, expect, it } from 'vitest'
import { saslHandshakeHandler } from '../../../../broker/api/17-sasl-handshake.ts'
import { describeAclsHandler } from '../../../../broker/api/29-describe-acls.ts'
import { createAclsHandler } from '../../../../broker/api/30-create-acls.ts'
import { deleteAclsHandler } from '../../../../broker/api/31-delete-acls.ts'
import { saslAuthenticateHandler } from '../../../../broker/api/36-sasl-authenticate.ts'
import { createDelegationTokenHandler } from '../../../../broker/api/38-create-delegation-token.ts'
import { renewDelegationTokenHandler } from '../../../../broker/api/39-renew-delegation-token.ts'
import { expireDelegationTokenHandler } from '../../../../broker/api/40-expire-delegation-token.ts'
import { describeDelegationTokenHandler } from '../../../../broker/api/41-describe-delegation-token.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld } from '../../../support/api-world.ts'

const CODES = { resourceType: 2, resourcePatternType: 3, operation: 3, permissionType: 3 }
const ACL = { ...CODES, resourceName: 't', principal: 'User:a', host: '*' }
const FILTER = {
  resourceTypeFilter: 2,
  resourceNameFilter: 't',
  patternTypeFilter: 3,
  principalFilter: null,
  hostFilter: null,
  operation: 3,
  permissionType: 3,
}
const HMAC = Buffer.from('token')

describe('SASL on a plain listener', () => {
  it('is out of place', () => {
    const world = new ApiWorld()
    const { ILLEGAL_SASL_STATE: illegal } = ErrorCode
    const handshake = world.ask(saslHandshakeHandler, 1, { mechanism: 'PLAIN' })
    expect(handshake).toMatchObject({ errorCode: illegal, mechanisms: [] })
    const authenticate = world.ask(saslAuthenticateHandler, 2, { authBytes: HMAC })
    expect(authenticate).toMatchObject({ errorCode: illegal, sessionLifetimeMs: 0 })
  })
})

describe('ACLs without an authorizer', () => {
  const { SECURITY_DISABLED: errorCode } = ErrorCode

  it.each([1, 2, 3])('v%i are disabled', (version) => {
    const world = new ApiWorld()
    expect(world.ask(describeAclsHandler, version, FILTER)).toMatchObject({
      errorCode,
      errorMessage: 'No Authorizer is configured on the broker',
    })
    expect(world.ask(createAclsHandler, version, { creations: [ACL, ACL] }).results).toEqual(
      [1, 2].map(() => ({ errorCode, errorMessage: 'No Authorizer is configured.' })),
    )
    expect(world.ask(deleteAclsHandler, version, { filters: [FILTER] })).toMatchObject({
      filterResults: [{ errorCode, matchingAcls: [] }],
    })
  })

  it('end the connection when a code is that of the unknown', () => {
    const world = new ApiWorld()
    const creations = [{ ...ACL, resourceType: 0 }]
    const filters = [{ ...FILTER, permissionType: 0 }]
    expect(() => world.ask(describeAclsHandler, 3, { ...FILTER, operation: 0 })).toThrow(/close/)
    expect(() => world.ask(createAclsHandler, 3, { creations })).toThrow(/close/)
    expect(() => world.ask(deleteAclsHandler, 3, { filters })).toThrow(/close/)
  })
})

describe('delegation tokens on a listener without authentication', () => {
  const { DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: errorCode } = ErrorCode

  it('are not given, renewed, expired or told of', () => {
    const world = new ApiWorld()
    const asked = { renewers: [], maxLifetimeMs: 1000 }
    expect(world.ask(createDelegationTokenHandler, 1, asked)).toMatchObject({
      errorCode,
      principalName: 'ANONYMOUS',
      expiryTimestampMs: -1,
    })
    const owner = { ownerPrincipalType: 'User', ownerPrincipalName: 'carol' }
    expect(world.ask(createDelegationTokenHandler, 3, { ...asked, ...owner })).toMatchObject({
      errorCode,
      principalName: 'carol',
      tokenRequesterPrincipalName: 'ANONYMOUS',
    })
    const none = { errorCode, expiryTimestampMs: -1 }
    const renewal = { hmac: HMAC, renewPeriodMs: 1 }
    expect(world.ask(renewDelegationTokenHandler, 2, renewal)).toMatchObject(none)
    const expiry = { hmac: HMAC, expiryTimePeriodMs: 1 }
    expect(world.ask(expireDelegationTokenHandler, 2, expiry)).toMatchObject(none)
    expect(world.ask(describeDelegationTokenHandler, 3, { owners: null })).toMatchObject({
      errorCode,
      tokens: [],
    })
  })
})
