// Versions: 1-3.
// Behaviour: SECURITY_DISABLED, as a node without an authorizer, which all are (KIP-140).
// Added: v2 flexible; v3 resource type USER.
// Not done: an authorizer.
import {
  describeAclsApi,
  type DescribeAclsRequest,
  type DescribeAclsResponse,
} from '../../src/wire/messages/29-describe-acls.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { hasUnknownCode, NO_AUTHORIZER } from './acl-request.ts'

export const describeAclsHandler: ApiHandler<DescribeAclsRequest, DescribeAclsResponse> = {
  api: describeAclsApi,
  minVersion: 1,
  maxVersion: 3,
  listeners: ['broker', 'controller'],
  handle(_context, request, respond) {
    const { resourceTypeFilter: resourceType, patternTypeFilter: patternType } = request
    if (hasUnknownCode({ ...request, resourceType, patternType })) {
      respond('close')
      return
    }
    const errorMessage = 'No Authorizer is configured on the broker'
    respond({ ...NO_AUTHORIZER, errorMessage, resources: [] })
  },
}
