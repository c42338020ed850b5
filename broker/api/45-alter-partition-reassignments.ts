// Versions: 0-1 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: gives partitions other replicas, or with null stops a move (KIP-455): those to come are added, and when all
//   that stay are in the ISR those to go are removed.
// Added: v1 a move may be forbidden to change the replication factor (KIP-860).
// Not done: nothing known.
import {
  alterPartitionReassignmentsApi,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
} from '../../src/wire/messages/45-alter-partition-reassignments.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const alterPartitionReassignmentsHandler: ApiHandler<
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse
> = {
  api: alterPartitionReassignmentsApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.alterPartitionReassignments(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: alterPartitionReassignmentsApi,
      context,
      request,
      timeoutMs: request.timeoutMs,
      respond,
      failure: (errorCode, errorMessage) => ({
        errorCode,
        errorMessage,
        responses: request.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode,
            errorMessage,
          })),
        })),
      }),
    })
  },
}
