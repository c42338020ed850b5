// Versions: 0-2 (controller listener).
// Behaviour: one vote per epoch, persisted before the answer; only for a log at least as long (KIP-595).
// Added: v1 voter ids and directory ids (KIP-853); v2 pre-vote (KIP-996).
// Not done: nothing known.
import { voteApi, type VoteRequest, type VoteResponse } from '../../src/wire/messages/52-vote.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const voteHandler: ApiHandler<VoteRequest, VoteResponse> = {
  api: voteApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.raft.handleVote(request, respond)
  },
}
