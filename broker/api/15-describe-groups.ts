// Versions: 0-6.
// Behaviour: state, protocol and members; an unknown group is Dead, or (v6) GROUP_ID_NOT_FOUND.
// Added: v3 authorised operations; v4 static members; v6 error message.
// Not done: ACLs: everybody may do every operation.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeGroupsApi,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from '../../src/wire/messages/15-describe-groups.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { GROUP_OPERATIONS } from './authorized-operations.ts'

type Groups = NonNullable<Input<DescribeGroupsResponse>['groups']>

export const describeGroupsHandler: ApiHandler<DescribeGroupsRequest, DescribeGroupsResponse> = {
  api: describeGroupsApi,
  minVersion: 0,
  maxVersion: 6,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.describeGroups(apiVersion, request, (response) => {
      const isTold = request.includeAuthorizedOperations
      respond(isTold ? { ...response, groups: withOperations(response.groups ?? []) } : response)
    })
  },
}

function withOperations(groups: Groups): Groups {
  return groups.map((group) =>
    group.errorCode === ErrorCode.NONE
      ? { ...group, authorizedOperations: GROUP_OPERATIONS }
      : group,
  )
}
