// Versions: 1-6 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: by name or topic id; TOPIC_DELETION_DISABLED when delete.topic.enable is false.
// Added: v5 error messages; v6 topic ids.
// Not done: mutation quotas (v5).
import {
  deleteTopicsApi,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from '../../src/wire/messages/20-delete-topics.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const deleteTopicsHandler: ApiHandler<DeleteTopicsRequest, DeleteTopicsResponse> = {
  api: deleteTopicsApi,
  minVersion: 1,
  maxVersion: 6,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.deleteTopics(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: deleteTopicsApi,
      context,
      request,
      timeoutMs: request.timeoutMs,
      respond,
      failure: (errorCode, errorMessage) => ({
        responses: askedTopics(request).map((topic) => ({ ...topic, errorCode, errorMessage })),
      }),
    })
  },
}

function askedTopics(request: DeleteTopicsRequest): { name: string | null; topicId?: string }[] {
  if (request.topicNames.length > 0) return request.topicNames.map((name) => ({ name }))
  return request.topics.map(({ name, topicId }) => ({ name, topicId }))
}
