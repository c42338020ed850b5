import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'
import { NO_NODE } from './election.ts'
import type { RaftContext } from './raft-context.ts'

/**
 * Whether another node's claim about a leader can be true. Wrong claims come from a node whose disk was
 * lost or that belongs to another quorum; they change nothing here.
 */
export function isConsistentLeader(
  { state, nodeId, voters }: RaftContext,
  leaderId: BrokerId,
  epoch: LeaderEpoch,
): boolean {
  if (leaderId === NO_NODE || epoch < state.epoch) return true
  if (!voters.has(leaderId)) return false
  if (epoch > state.epoch) return leaderId !== nodeId
  if (leaderId === nodeId) return state.role.kind === 'leader' || state.role.kind === 'resigned'
  if (state.role.kind === 'leader' || state.role.kind === 'resigned') return false
  return state.leaderId === NO_NODE || state.leaderId === leaderId
}

/** Follows what another node knows, if it is newer than what this one knows (KIP-595, `maybeTransition`). */
export function adoptLeader(context: RaftContext, leaderId: BrokerId, epoch: LeaderEpoch): void {
  const { state, nodeId, voters, events } = context
  if (epoch < state.epoch) return
  const isConsistent = isConsistentLeader(context, leaderId, epoch)
  if (!isConsistent) {
    events.emit('quorum.inconsistent-leader', { epoch, leader: leaderId, known: state.leaderId })
  }
  const canFollow = isConsistent && leaderId !== nodeId && voters.has(leaderId)
  if (epoch > state.epoch) {
    if (canFollow) state.becomeFollower(epoch, leaderId)
    else state.becomeUnattached(epoch)
  } else if (canFollow && state.leaderId === NO_NODE) {
    state.becomeFollower(epoch, leaderId)
  }
}

/**
 * The part of every answer that is about leader and epoch (KIP-595, `maybeHandleCommonResponse`). True when
 * the answer is of no use beyond that.
 */
export function isSettledByEpoch(
  context: RaftContext,
  errorCode: number,
  leaderId: BrokerId,
  epoch: LeaderEpoch,
): boolean {
  if (epoch < context.state.epoch || errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH) return true
  const isNewer = epoch > context.state.epoch
  adoptLeader(context, leaderId, epoch)
  return (
    isNewer ||
    errorCode === ErrorCode.FENCED_LEADER_EPOCH ||
    errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER
  )
}
