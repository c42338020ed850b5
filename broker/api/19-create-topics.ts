// Versions: 2-7 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: every check of Kafka's ReplicationControlManager; the answer waits until the records are committed.
// Added: v4 broker defaults by -1; v5 partitions, replication factor and settings in the answer; v7 topic ids.
// Not done: mutation quotas (v6), create.topic.policy.class.name.
import {
  createTopicsApi,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from '../../src/wire/messages/19-create-topics.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const createTopicsHandler: ApiHandler<CreateTopicsRequest, CreateTopicsResponse> = {
  api: createTopicsApi,
  minVersion: 2,
  maxVersion: 7,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.createTopics(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: createTopicsApi,
      context,
      request,
      timeoutMs: request.timeoutMs,
      respond,
      failure: (errorCode, errorMessage) => ({
        topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
      }),
    })
  },
}
