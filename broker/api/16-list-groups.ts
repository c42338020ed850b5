// Versions: 0-5.
// Behaviour: the groups whose coordinator this broker is.
// Added: v4 filter by state; v5 filter by type.
// Not done: nothing known.
import {
  listGroupsApi,
  type ListGroupsRequest,
  type ListGroupsResponse,
} from '../../src/wire/messages/16-list-groups.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const listGroupsHandler: ApiHandler<ListGroupsRequest, ListGroupsResponse> = {
  api: listGroupsApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.listGroups(apiVersion, request, respond)
  },
}
