// Versions: 0 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: UNSUPPORTED_VERSION from a leader, for the voters are static: kraft.version is 0 (KIP-853).
// Added: nothing since v0.
// Not done: dynamic quorums (kraft.version 1).
import {
  removeRaftVoterApi,
  type RemoveRaftVoterRequest,
  type RemoveRaftVoterResponse,
} from '../../src/wire/messages/81-remove-raft-voter.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { refusedVoterChange } from '../controller/quorum/voter-changes.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'
import { quorumOf } from './quorum-target.ts'

export const removeRaftVoterHandler: ApiHandler<RemoveRaftVoterRequest, RemoveRaftVoterResponse> = {
  api: removeRaftVoterApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      const { clusterId, voterId, voterDirectoryId } = request
      const isValid = voterId >= 0 && voterDirectoryId !== ZERO_UUID
      const problem = isValid ? null : "Remove voter request didn't include a valid voter"
      const change = { what: 'removing', clusterId, problem } as const
      respond(refusedVoterChange(change, quorumOf(context.services)))
      return
    }
    forwardToController({
      api: removeRaftVoterApi,
      context,
      request,
      timeoutMs: context.services.config.int('request.timeout.ms'),
      respond,
      failure: (errorCode, errorMessage) => ({ errorCode, errorMessage }),
    })
  },
}
