import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'
import {
  beginQuorumEpochApi,
  type BeginQuorumEpochRequest,
  type BeginQuorumEpochResponse,
} from '../../../src/wire/messages/53-begin-quorum-epoch.ts'
import {
  endQuorumEpochApi,
  type EndQuorumEpochRequest,
  type EndQuorumEpochResponse,
} from '../../../src/wire/messages/54-end-quorum-epoch.ts'
import type { Input } from '../../../src/wire/schema.ts'
import { NO_NODE } from './election.ts'
import { adoptLeader, isConsistentLeader, isSettledByEpoch } from './leader-discovery.ts'
import type { Leader } from './leader.ts'
import { PeerRequests } from './peer-requests.ts'
import {
  BEGIN_QUORUM_EPOCH_VERSION,
  beginQuorumEpochRequestOf,
  directoryOf,
  END_QUORUM_EPOCH_VERSION,
  endQuorumEpochRequestOf,
  epochResponseOf,
  onlyPartition,
} from './quorum-messages.ts'
import type { RaftContext } from './raft-context.ts'
import type { Resigned } from './resigned.ts'

type EpochResponse = Input<BeginQuorumEpochResponse & EndQuorumEpochResponse>

/** Tells the voters when a leader begins or ends its epoch, and hears the same from others. */
export class EpochAnnouncer {
  readonly #context: RaftContext
  #requests: PeerRequests
  /** The role that `#requests` belongs to. */
  #round: Leader | Resigned | null = null

  constructor(context: RaftContext) {
    this.#context = context
    this.#requests = new PeerRequests(context.config.retryBackoffMs)
  }

  handleBegin(request: BeginQuorumEpochRequest): EpochResponse {
    const partition = onlyPartition(request.topics)
    const misplaced = this.#misplaced(request.clusterId, partition !== null)
    if (misplaced !== null || partition === null) return { errorCode: misplaced ?? 0 }
    const { leaderId, leaderEpoch, voterDirectoryId } = partition
    let errorCode = this.#refusal(leaderId, leaderEpoch)
    if (errorCode === ErrorCode.NONE) {
      adoptLeader(this.#context, leaderId, leaderEpoch)
      const wanted = directoryOf(voterDirectoryId)
      const isForUs =
        (request.voterId === NO_NODE || request.voterId === this.#context.nodeId) &&
        (wanted === null || wanted === this.#context.directoryId)
      if (!isForUs) errorCode = ErrorCode.INVALID_VOTER_KEY
    }
    return this.#response(errorCode, request.leaderEndpoints.length > 0)
  }

  /** The leader leaves. The best successor stands for election at once, the others a little later. */
  handleEnd(request: EndQuorumEpochRequest): EpochResponse {
    const partition = onlyPartition(request.topics)
    const misplaced = this.#misplaced(request.clusterId, partition !== null)
    if (misplaced !== null || partition === null) return { errorCode: misplaced ?? 0 }
    const { leaderId, leaderEpoch, preferredCandidates, preferredSuccessors } = partition
    const errorCode = this.#refusal(leaderId, leaderEpoch)
    if (errorCode === ErrorCode.NONE) {
      const { state, clock } = this.#context
      adoptLeader(this.#context, leaderId, leaderEpoch)
      const { role } = state
      if (role.kind === 'follower' && role.leaderId === leaderId) {
        const named = preferredCandidates.map((candidate) => candidate.candidateId)
        const successors = named.length > 0 ? named : preferredSuccessors
        role.onLeaderLeft(clock.monoMs() + this.#successionDelayMs(successors))
      }
    }
    return this.#response(errorCode, request.leaderEndpoints.length > 0)
  }

  /** Tells voters that have not fetched for a while of the epoch; returns when to look again. */
  pollLeader(role: Leader, nowMs: number): number {
    const { voters, nodeId } = this.#context
    this.#startRound(role)
    let nextMs = Infinity
    for (const voterId of voters.othersThan(nodeId)) {
      const dueMs = (): number =>
        Math.max(role.announcementDueMs(voterId), this.#requests.readyAtMs(voterId))
      if (nowMs >= dueMs()) this.#sendBegin(role, voterId)
      nextMs = Math.min(nextMs, dueMs())
    }
    return nextMs
  }

  /** Tells voters of the end of the epoch; returns when to look again. */
  pollResigned(role: Resigned, nowMs: number): number {
    this.#startRound(role)
    let nextMs = Infinity
    for (const voterId of role.untold) {
      if (nowMs >= this.#requests.readyAtMs(voterId)) this.#sendEnd(role, voterId)
      nextMs = Math.min(nextMs, this.#requests.readyAtMs(voterId))
    }
    return nextMs
  }

  #sendBegin(role: Leader, voterId: BrokerId): void {
    const { clusterId, voters, ask, clock, state } = this.#context
    const requests = this.#requests
    requests.onSent(voterId)
    const leader = { leaderId: role.leaderId, leaderEpoch: role.epoch }
    const endpoint = voters.get(role.leaderId)
    const body = beginQuorumEpochRequestOf(clusterId, voterId, leader, endpoint)
    ask(voterId, beginQuorumEpochApi, BEGIN_QUORUM_EPOCH_VERSION, body, (error, response) => {
      const isHeard = error === null && response !== null && this.#isAccepted(response)
      if (!isHeard) return requests.onFailed(voterId, clock.monoMs())
      requests.onAnswered(voterId)
      if (state.role === role) role.onAnnounced(voterId, clock.monoMs())
    })
  }

  #sendEnd(role: Resigned, voterId: BrokerId): void {
    const { clusterId, nodeId, voters, ask, clock } = this.#context
    const requests = this.#requests
    requests.onSent(voterId)
    const leader = { leaderId: nodeId, leaderEpoch: role.epoch }
    const body = endQuorumEpochRequestOf(clusterId, leader, role.successors, voters.get(nodeId))
    ask(voterId, endQuorumEpochApi, END_QUORUM_EPOCH_VERSION, body, (error, response) => {
      const isHeard = error === null && response !== null && this.#isAccepted(response)
      if (!isHeard) return requests.onFailed(voterId, clock.monoMs())
      requests.onAnswered(voterId)
      role.onTold(voterId)
    })
  }

  #isAccepted(response: BeginQuorumEpochResponse | EndQuorumEpochResponse): boolean {
    const partition = onlyPartition<EpochPartition>(response.topics)
    if (response.errorCode !== ErrorCode.NONE || partition === null) return false
    const { errorCode, leaderId, leaderEpoch } = partition
    const isSettled = isSettledByEpoch(this.#context, errorCode, leaderId, leaderEpoch)
    return !isSettled && errorCode === ErrorCode.NONE
  }

  #startRound(role: Leader | Resigned): void {
    if (this.#round === role) return
    this.#round = role
    this.#requests = new PeerRequests(this.#context.config.retryBackoffMs)
  }

  #misplaced(clusterId: string | null, isForMetadata: boolean): ErrorCode | null {
    if (clusterId !== null && clusterId !== this.#context.clusterId) {
      return ErrorCode.INCONSISTENT_CLUSTER_ID
    }
    return isForMetadata ? null : ErrorCode.INVALID_REQUEST
  }

  #refusal(leaderId: BrokerId, epoch: LeaderEpoch): ErrorCode {
    const { state, voters } = this.#context
    if (leaderId < 0 || epoch < 0) return ErrorCode.INVALID_REQUEST
    if (epoch < state.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (!voters.has(leaderId)) return ErrorCode.INCONSISTENT_VOTER_SET
    const isPossible = isConsistentLeader(this.#context, leaderId, epoch)
    return isPossible ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST
  }

  #response(errorCode: ErrorCode, knowsEndpoints: boolean): EpochResponse {
    const { state, voters } = this.#context
    const known = { leaderId: state.leaderId, leaderEpoch: state.epoch }
    return epochResponseOf(errorCode, known, knowsEndpoints ? voters.get(state.leaderId) : null)
  }

  /** 0 for the first successor, then doubling, so that they do not stand at the same time (KIP-595). */
  #successionDelayMs(successors: readonly BrokerId[]): number {
    const { nodeId, config } = this.#context
    const named = successors.indexOf(nodeId)
    const position = named < 0 ? successors.length : named
    if (position === 0) return 0
    const maxMs = config.electionBackoffMaxMs
    const baseMs = Math.max(1, maxMs / 2 ** Math.min(30, successors.length))
    return Math.min(maxMs, baseMs * 2 ** Math.min(30, position))
  }
}

interface EpochPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly leaderId: number
  readonly leaderEpoch: number
}
