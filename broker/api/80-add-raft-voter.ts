// Versions: 0-1 (broker listener: forwarded to the active controller; controller listener: carried out).
// Behaviour: UNSUPPORTED_VERSION from a leader, for the voters are static: kraft.version is 0 (KIP-853).
// Added: v1 an answer before the change is committed.
// Not done: dynamic quorums (kraft.version 1).
import {
  addRaftVoterApi,
  type AddRaftVoterRequest,
  type AddRaftVoterResponse,
} from '../../src/wire/messages/80-add-raft-voter.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { refusedVoterChange } from '../controller/quorum/voter-changes.ts'
import type { ApiHandler } from '../server/request-context.ts'
import { forwardToController } from './forwarding.ts'
import { quorumOf } from './quorum-target.ts'

export const addRaftVoterHandler: ApiHandler<AddRaftVoterRequest, AddRaftVoterResponse> = {
  api: addRaftVoterApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.listener === 'controller') {
      const { clusterId } = request
      const change = { what: 'adding', clusterId, problem: problemWith(request, context) } as const
      respond(refusedVoterChange(change, quorumOf(context.services)))
      return
    }
    forwardToController({
      api: addRaftVoterApi,
      context,
      request,
      timeoutMs: context.services.config.int('request.timeout.ms'),
      respond,
      failure: (errorCode, errorMessage) => ({ errorCode, errorMessage }),
    })
  },
}

function problemWith(
  { voterId, voterDirectoryId, listeners }: AddRaftVoterRequest,
  { listenerName }: { readonly listenerName: string },
): string | null {
  if (voterId < 0 || voterDirectoryId === ZERO_UUID) {
    return "Add voter request didn't include a valid voter"
  }
  if (listeners.some(({ name }) => name === listenerName)) return null
  const given = listeners.map(({ name, host, port }) => `ListenerName(${name})=${host}:${port}`)
  return (
    `Add voter request didn't include the endpoint (Endpoints(endpoints={${given.join(', ')}})) ` +
    `for the default listener ListenerName(${listenerName})`
  )
}
