// Versions: 0-3.
// Behaviour: removes empty groups with their offsets: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND.
// Added: v2 flexible; v3 error message.
// Not done: nothing known.
import {
  deleteGroupsApi,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
} from '../../src/wire/messages/42-delete-groups.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const deleteGroupsHandler: ApiHandler<DeleteGroupsRequest, DeleteGroupsResponse> = {
  api: deleteGroupsApi,
  minVersion: 0,
  maxVersion: 3,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    services.groups.deleteGroups(apiVersion, request, respond)
  },
}
