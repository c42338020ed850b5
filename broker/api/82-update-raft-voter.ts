// Versions: 0 (controller listener).
// Behaviour: a voter tells its leader where it listens; the voters are static, so there is nothing to change (KIP-853).
// Added: nothing since v0.
// Not done: dynamic quorums (kraft.version 1).
import {
  updateRaftVoterApi,
  type UpdateRaftVoterRequest,
  type UpdateRaftVoterResponse,
} from '../../src/wire/messages/82-update-raft-voter.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { ApiHandler, NodeServices } from '../server/request-context.ts'

export const updateRaftVoterHandler: ApiHandler<UpdateRaftVoterRequest, UpdateRaftVoterResponse> = {
  api: updateRaftVoterApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    const { raft, voters } = services
    const leader = voters.find(({ nodeId }) => nodeId === raft.leaderId)
    const { host, port } = leader ?? { host: '', port: 0 }
    const currentLeader = { leaderId: raft.leaderId, leaderEpoch: raft.epoch, host, port }
    respond({ errorCode: errorOf(request, services), currentLeader })
  },
}

function errorOf(
  { clusterId, currentLeaderEpoch, voterId, voterDirectoryId }: UpdateRaftVoterRequest,
  { clusterId: ownClusterId, raft, voters }: NodeServices,
): number {
  if (clusterId !== null && clusterId !== ownClusterId) return ErrorCode.INCONSISTENT_CLUSTER_ID
  if (currentLeaderEpoch < raft.epoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (currentLeaderEpoch > raft.epoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
  if (!raft.isLeader) return ErrorCode.NOT_LEADER_OR_FOLLOWER
  if (voterId < 0 || voterDirectoryId === ZERO_UUID) return ErrorCode.INVALID_REQUEST
  const isVoter = voters.some(({ nodeId }) => nodeId === voterId)
  return isVoter ? ErrorCode.NONE : ErrorCode.VOTER_NOT_FOUND
}
