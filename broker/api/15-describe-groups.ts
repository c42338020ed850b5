// Versions: 0-6.
// Behaviour: state, protocol and members; an unknown group is Dead, or (v6) GROUP_ID_NOT_FOUND.
// Added: v3 authorised operations; v4 static members; v6 error message.
// Not done: authorised operations are always "not requested".
import {
  describeGroupsApi,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from '../../src/wire/messages/15-describe-groups.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const describeGroupsHandler: ApiHandler<DescribeGroupsRequest, DescribeGroupsResponse> = {
  api: describeGroupsApi,
  minVersion: 0,
  maxVersion: 6,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.describeGroups(apiVersion, request, respond)
  },
}
