// Versions: 0 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: the partitions that are being moved, of those asked for or of all (KIP-455).
// Added: nothing since v0.
// Not done: nothing known.
import {
  listPartitionReassignmentsApi,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from '../../src/wire/messages/46-list-partition-reassignments.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

/** A client that leaves no time at all is answered all the same. */
const SHORTEST_TIMEOUT_MS = 1000

export const listPartitionReassignmentsHandler: ApiHandler<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
> = {
  api: listPartitionReassignmentsApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.listPartitionReassignments(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: listPartitionReassignmentsApi,
      context,
      request,
      // Kafka's controller does not look at the time that is left for this one.
      timeoutMs: Math.max(request.timeoutMs, SHORTEST_TIMEOUT_MS),
      respond,
      failure: (errorCode, errorMessage) => ({ errorCode, errorMessage }),
    })
  },
}
