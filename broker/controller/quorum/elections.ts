import type { BrokerId } from '../../../src/base/ids.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'
import {
  voteApi,
  type VoteRequest,
  type VoteRequestPartitionData,
  type VoteResponse,
} from '../../../src/wire/messages/52-vote.ts'
import type { Input } from '../../../src/wire/schema.ts'
import type { Candidate } from './candidate.ts'
import { NO_NODE } from './election.ts'
import { leaderChangeBatch } from './leader-change.ts'
import { isSettledByEpoch } from './leader-discovery.ts'
import { PeerRequests } from './peer-requests.ts'
import type { Prospective } from './prospective.ts'
import {
  directoryOf,
  onlyPartition,
  VOTE_VERSION,
  voteRequestOf,
  voteResponseOf,
} from './quorum-messages.ts'
import { electionBackoffMs, type RaftContext } from './raft-context.ts'
import type { Unattached } from './unattached.ts'

/** Votes and pre-votes, asked for and given. */
export class Elections {
  readonly #context: RaftContext
  #requests: PeerRequests
  /** The role that `#requests` belongs to. */
  #round: Prospective | Candidate | null = null

  constructor(context: RaftContext) {
    this.#context = context
    this.#requests = new PeerRequests(context.config.retryBackoffMs)
  }

  /** The answer to a Vote request; the vote is given, though not yet durable. */
  handleVote(request: VoteRequest): Input<VoteResponse> {
    const { clusterId, state, voters } = this.#context
    if (request.clusterId !== null && request.clusterId !== clusterId) {
      return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID }
    }
    const partition = onlyPartition(request.topics)
    if (partition === null) return { errorCode: ErrorCode.INVALID_REQUEST }
    let errorCode = this.#refusal(partition)
    let isGranted = false
    if (errorCode !== ErrorCode.NONE) {
      this.#context.events.emit('quorum.vote-invalid', { epoch: state.epoch, errorCode })
    } else {
      if (partition.replicaEpoch > state.epoch) state.becomeUnattached(partition.replicaEpoch)
      errorCode = this.#isForUs(request.voterId, partition)
        ? ErrorCode.NONE
        : ErrorCode.INVALID_VOTER_KEY
      if (errorCode === ErrorCode.NONE) isGranted = this.#decide(partition)
    }
    const known = { leaderId: state.leaderId, leaderEpoch: state.epoch }
    const knowsEndpoints = request.voterId !== NO_NODE
    const endpoint = knowsEndpoints ? voters.get(state.leaderId) : null
    return voteResponseOf(errorCode, isGranted, known, endpoint)
  }

  /** Does what is due in the role of a node without a leader; returns when to look again. */
  poll(role: Unattached | Prospective | Candidate, nowMs: number): number {
    switch (role.kind) {
      case 'unattached':
        if (nowMs >= role.electionDeadlineMs) this.#context.state.becomeProspective()
        return role.electionDeadlineMs
      case 'prospective':
        return this.#pollProspective(role, nowMs)
      case 'candidate':
        return this.#pollCandidate(role, nowMs)
    }
  }

  #pollProspective(role: Prospective, nowMs: number): number {
    const { state } = this.#context
    if (role.tally.isGranted) {
      state.becomeCandidate()
    } else if (role.tally.isRejected || nowMs >= role.electionDeadlineMs) {
      this.#context.lostElections += 1
      this.#tellLost(role)
      if (role.leaderId === NO_NODE) {
        state.becomeUnattached(role.epoch, nowMs + electionBackoffMs(this.#context))
      } else {
        state.becomeFollower(role.epoch, role.leaderId)
      }
    } else {
      return Math.min(role.electionDeadlineMs, this.#askForVotes(role, nowMs))
    }
    return nowMs
  }

  #pollCandidate(role: Candidate, nowMs: number): number {
    const { state, nodeId } = this.#context
    if (state.isDurable) role.tally.record(nodeId, true)
    if (role.tally.isGranted && state.isDurable) {
      this.#lead(role)
      return nowMs
    }
    if (nowMs >= Math.min(role.electionDeadlineMs, role.backoffUntilMs ?? Infinity)) {
      if (role.backoffUntilMs === null) {
        this.#context.lostElections += 1
        this.#tellLost(role)
      }
      state.becomeProspective()
      return nowMs
    }
    if (!role.tally.isRejected) {
      return Math.min(role.electionDeadlineMs, this.#askForVotes(role, nowMs))
    }
    if (role.backoffUntilMs === null) {
      this.#context.lostElections += 1
      this.#tellLost(role)
      role.backOff(nowMs + electionBackoffMs(this.#context))
    }
    return Math.min(role.electionDeadlineMs, role.backoffUntilMs ?? Infinity)
  }

  #tellLost({ kind, epoch, tally }: Prospective | Candidate): void {
    const { isRejected } = tally
    this.#context.events.emit('quorum.election-lost', { role: kind, epoch, isRejected })
  }

  #lead(role: Candidate): void {
    const { state, log, clock, voters, nodeId } = this.#context
    this.#context.lostElections = 0
    const leader = state.becomeLeader(log.endOffset)
    log.appendAsLeader(
      leaderChangeBatch({
        epoch: role.epoch,
        leaderId: nodeId,
        voters: voters.ids,
        granting: leader.granting,
        timestampMs: Math.floor(clock.wallMs()),
      }),
      role.epoch,
    )
  }

  #askForVotes(role: Prospective | Candidate, nowMs: number): number {
    if (this.#round !== role) {
      this.#round = role
      this.#requests = new PeerRequests(this.#context.config.retryBackoffMs)
    }
    let nextMs = Infinity
    for (const voterId of role.tally.unanswered()) {
      if (voterId === this.#context.nodeId) continue
      if (nowMs >= this.#requests.readyAtMs(voterId)) this.#ask(role, voterId)
      nextMs = Math.min(nextMs, this.#requests.readyAtMs(voterId))
    }
    return nextMs
  }

  #ask(role: Prospective | Candidate, voterId: BrokerId): void {
    const { clusterId, nodeId, directoryId, log, clock, ask } = this.#context
    const requests = this.#requests
    requests.onSent(voterId)
    const body = voteRequestOf({
      clusterId,
      voterId,
      epoch: role.epoch,
      self: { id: nodeId, directoryId },
      lastOffsetEpoch: log.lastEpoch,
      lastOffset: log.endOffset,
      isPreVote: role.kind === 'prospective',
    })
    ask(voterId, voteApi, VOTE_VERSION, body, (error, response) => {
      const isAnswered = error === null && response !== null
      if (isAnswered && this.#onVote(role, voterId, response)) requests.onAnswered(voterId)
      else requests.onFailed(voterId, clock.monoMs())
    })
  }

  /** False when the voter gave no verdict and is to be asked again. */
  #onVote(role: Prospective | Candidate, voterId: BrokerId, response: VoteResponse): boolean {
    const { state } = this.#context
    const partition = onlyPartition(response.topics)
    if (response.errorCode !== ErrorCode.NONE || partition === null) return false
    const { errorCode, leaderId, leaderEpoch, voteGranted } = partition
    if (isSettledByEpoch(this.#context, errorCode, leaderId, leaderEpoch)) return false
    if (errorCode !== ErrorCode.NONE || state.role !== role) return false
    role.tally.record(voterId, voteGranted)
    return true
  }

  /** Only voters may raise the epoch; a node that is none would disturb a quorum it cannot join. */
  #refusal(partition: VoteRequestPartitionData): ErrorCode {
    const { replicaEpoch, replicaId, lastOffset, lastOffsetEpoch, preVote } = partition
    const { state, voters } = this.#context
    const isLogAhead = preVote ? lastOffsetEpoch > replicaEpoch : lastOffsetEpoch >= replicaEpoch
    if (lastOffset < 0 || lastOffsetEpoch < 0 || isLogAhead || replicaId < 0) {
      return ErrorCode.INVALID_REQUEST
    }
    if (replicaEpoch < state.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (!voters.has(replicaId) || replicaId === this.#context.nodeId) {
      return ErrorCode.INCONSISTENT_VOTER_SET
    }
    return ErrorCode.NONE
  }

  #isForUs(voterId: BrokerId, partition: VoteRequestPartitionData): boolean {
    const { nodeId, directoryId } = this.#context
    if (voterId !== NO_NODE && voterId !== nodeId) return false
    const wanted = directoryOf(partition.voterDirectoryId)
    return wanted === null || wanted === directoryId
  }

  #decide(partition: VoteRequestPartitionData): boolean {
    const { state, log } = this.#context
    const { lastOffset, lastOffsetEpoch, preVote, replicaId, replicaDirectoryId } = partition
    const isLogUpToDate =
      lastOffsetEpoch > log.lastEpoch ||
      (lastOffsetEpoch === log.lastEpoch && lastOffset >= log.endOffset)
    const candidate = { id: replicaId, directoryId: replicaDirectoryId }
    const isGranted = state.role.canGrant(candidate, isLogUpToDate, preVote)
    if (!isGranted) {
      const fields = { epoch: state.epoch, candidate: replicaId, isLogUpToDate, preVote }
      this.#context.events.emit('quorum.vote-refused', { ...fields, role: state.role.kind })
    }
    const { role } = state
    const canVote = role.kind === 'unattached' || role.kind === 'prospective'
    if (isGranted && !preVote && canVote && role.votedKey === null) state.voteFor(candidate)
    return isGranted
  }
}
