// Versions: 1-3.
// Behaviour: SECURITY_DISABLED for each filter, as a node without an authorizer, which all are (KIP-140).
// Added: v2 flexible; v3 resource type USER.
// Not done: an authorizer.
import {
  deleteAclsApi,
  type DeleteAclsRequest,
  type DeleteAclsResponse,
} from '../../src/wire/messages/31-delete-acls.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { hasUnknownCode, NO_AUTHORIZER } from './acl-request.ts'

export const deleteAclsHandler: ApiHandler<DeleteAclsRequest, DeleteAclsResponse> = {
  api: deleteAclsApi,
  minVersion: 1,
  maxVersion: 3,
  listeners: ['broker', 'controller'],
  handle(_context, { filters }, respond) {
    const isUnknown = filters.some((filter) => {
      const { resourceTypeFilter: resourceType, patternTypeFilter: patternType } = filter
      return hasUnknownCode({ ...filter, resourceType, patternType })
    })
    const filterResults = filters.map(() => ({ ...NO_AUTHORIZER, matchingAcls: [] }))
    respond(isUnknown ? 'close' : { filterResults })
  },
}
