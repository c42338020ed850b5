// Versions: 0-1 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: sets and removes quotas of users, client ids and addresses (KIP-546); they are kept in the metadata.
// Added: v1 flexible.
// Not done: the quotas are stored and described, but not enforced; names of hosts are checked by their form, not looked up.
import {
  alterClientQuotasApi,
  type AlterClientQuotasRequest,
  type AlterClientQuotasResponse,
} from '../../src/wire/messages/49-alter-client-quotas.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const alterClientQuotasHandler: ApiHandler<
  AlterClientQuotasRequest,
  AlterClientQuotasResponse
> = {
  api: alterClientQuotasApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      context.services.controller.alterClientQuotas(context.apiVersion, request, respond)
      return
    }
    forwardToController({
      api: alterClientQuotasApi,
      context,
      request,
      timeoutMs: context.services.config.int('request.timeout.ms'),
      respond,
      failure: (errorCode, errorMessage) => ({
        entries: request.entries.map(({ entity }) => ({ errorCode, errorMessage, entity })),
      }),
    })
  },
}
