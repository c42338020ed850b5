// Versions: 0-3 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: a topic may only grow; new partitions are placed like those of a new topic.
// Added: v2 flexible; v3 quota errors.
// Not done: mutation quotas (v3).
import {
  createPartitionsApi,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from '../../src/wire/messages/37-create-partitions.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const createPartitionsHandler: ApiHandler<
  CreatePartitionsRequest,
  CreatePartitionsResponse
> = {
  api: createPartitionsApi,
  minVersion: 0,
  maxVersion: 3,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.createPartitions(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: createPartitionsApi,
      context,
      request,
      timeoutMs: request.timeoutMs,
      respond,
      failure: (errorCode, errorMessage) => ({
        results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
      }),
    })
  },
}
