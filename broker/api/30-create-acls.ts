// Versions: 1-3.
// Behaviour: SECURITY_DISABLED for each ACL, as a node without an authorizer, which all are (KIP-140).
// Added: v2 flexible; v3 resource type USER.
// Not done: an authorizer.
import {
  createAclsApi,
  type CreateAclsRequest,
  type CreateAclsResponse,
} from '../../src/wire/messages/30-create-acls.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { hasUnknownCode, NO_AUTHORIZER } from './acl-request.ts'

export const createAclsHandler: ApiHandler<CreateAclsRequest, CreateAclsResponse> = {
  api: createAclsApi,
  minVersion: 1,
  maxVersion: 3,
  listeners: ['broker', 'controller'],
  handle(_context, { creations }, respond) {
    const isUnknown = creations.some((creation) =>
      hasUnknownCode({ ...creation, patternType: creation.resourcePatternType }),
    )
    respond(isUnknown ? 'close' : { results: creations.map(() => NO_AUTHORIZER) })
  },
}
