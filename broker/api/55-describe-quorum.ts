// Versions: 0-2 (controller listener; a broker listener forwards to the active controller).
// Behaviour: leader, epoch, high watermark and how far each voter and observer has fetched (KIP-595, KIP-836).
// Added: v1 last fetch and caught-up times; v2 directory ids and nodes.
// Not done: nothing known.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeQuorumApi,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from '../../src/wire/messages/55-describe-quorum.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'

export const describeQuorumHandler: ApiHandler<DescribeQuorumRequest, DescribeQuorumResponse> = {
  api: describeQuorumApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      respond(context.services.raft.describe(request, context.apiVersion))
      return
    }
    forwardToController({
      api: describeQuorumApi,
      context,
      request,
      timeoutMs: context.services.config.int('request.timeout.ms'),
      respond,
      failure: (errorCode, errorMessage) => ({
        errorCode: errorCode === ErrorCode.NONE ? ErrorCode.UNKNOWN_SERVER_ERROR : errorCode,
        errorMessage,
      }),
    })
  },
}
