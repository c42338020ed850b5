import type { Scene } from '../case.ts'

// Neither node has an authorizer, nor a listener that authenticates.

const HMAC = Buffer.from('token')

export const SASL_HANDSHAKE_SCENES: readonly Scene[] = [
  { name: 'on a plain listener', body: { mechanism: 'PLAIN' } },
  {
    name: 'to a controller',
    listener: 'controller',
    body: { mechanism: 'PLAIN' },
    isVaried: false,
  },
]

export const SASL_AUTHENTICATE_SCENES: readonly Scene[] = [
  { name: 'on a plain listener', body: { authBytes: Buffer.from('\0user\0password') } },
]

const FILTER = {
  resourceTypeFilter: 2,
  resourceNameFilter: 'wide',
  patternTypeFilter: 3,
  principalFilter: 'User:alice',
  hostFilter: '*',
  operation: 3,
  permissionType: 3,
}

export const DESCRIBE_ACLS_SCENES: readonly Scene[] = [
  { name: 'of a topic', body: FILTER },
  { name: 'at a controller', listener: 'controller', body: FILTER, isVaried: false },
]

export const CREATE_ACLS_SCENES: readonly Scene[] = [
  {
    name: 'of a topic',
    body: {
      creations: [
        {
          resourceType: 2,
          resourceName: 'wide',
          resourcePatternType: 3,
          principal: 'User:alice',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
      ],
    },
  },
  { name: 'none', body: { creations: [] }, isVaried: false },
]

export const DELETE_ACLS_SCENES: readonly Scene[] = [
  { name: 'of a topic', body: { filters: [FILTER] } },
  { name: 'none', body: { filters: [] }, isVaried: false },
]

export const CREATE_TOKEN_SCENES: readonly Scene[] = [
  {
    name: 'for oneself',
    body: {
      ownerPrincipalType: null,
      ownerPrincipalName: null,
      renewers: [{ principalType: 'User', principalName: 'bob' }],
      maxLifetimeMs: 1000,
    },
  },
  {
    name: 'for another',
    body: {
      ownerPrincipalType: 'User',
      ownerPrincipalName: 'carol',
      renewers: [],
      maxLifetimeMs: -1,
    },
    isVaried: false,
  },
]

export const RENEW_TOKEN_SCENES: readonly Scene[] = [
  { name: 'unknown', body: { hmac: HMAC, renewPeriodMs: 1000 } },
]

export const EXPIRE_TOKEN_SCENES: readonly Scene[] = [
  { name: 'unknown', body: { hmac: HMAC, expiryTimePeriodMs: 1000 } },
]

export const DESCRIBE_TOKEN_SCENES: readonly Scene[] = [
  { name: 'all', body: { owners: null } },
  {
    name: 'of one owner',
    body: { owners: [{ principalType: 'User', principalName: 'bob' }] },
    isVaried: false,
  },
]
