// Versions: 0-1 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: set, delete, append and subtract on topic and broker settings (KIP-339); topic settings take effect as the
//   metadata reaches the brokers.
// Added: v1 flexible.
// Not done: broker settings are stored and shown by the controller, but a running broker keeps those it started with.
import {
  incrementalAlterConfigsApi,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from '../../src/wire/messages/44-incremental-alter-configs.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const incrementalAlterConfigsHandler: ApiHandler<
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse
> = {
  api: incrementalAlterConfigsApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.incrementalAlterConfigs(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: incrementalAlterConfigsApi,
      context,
      request,
      timeoutMs: context.services.config.int('request.timeout.ms'),
      respond,
      failure: (errorCode, errorMessage) => ({
        responses: request.resources.map(({ resourceType, resourceName }) => ({
          resourceType,
          resourceName,
          errorCode,
          errorMessage,
        })),
      }),
    })
  },
}
