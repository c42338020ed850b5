// Versions: 0-1 (controller listener).
// Behaviour: a new quorum leader tells the voters of its epoch; stale epochs are fenced (KIP-595).
// Added: v1 voter ids and leader endpoints (KIP-853).
// Not done: nothing known.
import {
  beginQuorumEpochApi,
  type BeginQuorumEpochRequest,
  type BeginQuorumEpochResponse,
} from '../../src/wire/messages/53-begin-quorum-epoch.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const beginQuorumEpochHandler: ApiHandler<
  BeginQuorumEpochRequest,
  BeginQuorumEpochResponse
> = {
  api: beginQuorumEpochApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.raft.handleBeginQuorumEpoch(request, respond)
  },
}
