// Versions: 0-1 (controller listener).
// Behaviour: a leader that resigns names its successors, which then need not wait for a time-out (KIP-595).
// Added: v1 candidates with directory ids (KIP-853).
// Not done: nothing known.
import {
  endQuorumEpochApi,
  type EndQuorumEpochRequest,
  type EndQuorumEpochResponse,
} from '../../src/wire/messages/54-end-quorum-epoch.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const endQuorumEpochHandler: ApiHandler<EndQuorumEpochRequest, EndQuorumEpochResponse> = {
  api: endQuorumEpochApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.raft.handleEndQuorumEpoch(request, respond)
  },
}
