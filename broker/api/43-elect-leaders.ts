// Versions: 0-2 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: preferred or unclean election of the named partitions, or of all (KIP-183, KIP-460).
// Added: v1 election type and top-level error.
// Not done: nothing known.
import {
  electLeadersApi,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from '../../src/wire/messages/43-elect-leaders.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const electLeadersHandler: ApiHandler<ElectLeadersRequest, ElectLeadersResponse> = {
  api: electLeadersApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.electLeaders(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: electLeadersApi,
      context,
      request,
      timeoutMs: request.timeoutMs,
      respond,
      failure: (errorCode, errorMessage) => ({
        ...(context.apiVersion >= 1 ? { errorCode } : {}),
        replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map((partitionId) => ({
            partitionId,
            errorCode,
            errorMessage,
          })),
        })),
      }),
    })
  },
}
