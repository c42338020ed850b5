import { present } from '../../../src/base/assert.ts'
import { TimeoutError } from '../../../src/base/errors.ts'
import type { BrokerId } from '../../../src/base/ids.ts'
import { METADATA_TOPIC_ID } from '../../../src/base/uuid.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
  type PartitionData,
} from '../../../src/wire/messages/01-fetch.ts'
import type { Input } from '../../../src/wire/schema.ts'
import type { Follower } from './follower.ts'
import { isSettledByEpoch } from './leader-discovery.ts'
import { METADATA_PARTITION } from './quorum-messages.ts'
import { electionBackoffMs, type RaftContext } from './raft-context.ts'
import { MAX_READ_BYTES } from './raft-log.ts'
import type { Unattached } from './unattached.ts'

const FETCH_VERSION = 18
/** Fetches in a row that the leader failed before a voter looks for another one. */
const LOST_FETCHES = 2

/**
 * Fetches from the leader, one request at a time, or from any voter to find out who leads. A voter asks for
 * the next offset only when all before it is durable, for asking is how it acknowledges (KIP-595).
 */
export class Fetcher {
  readonly #context: RaftContext
  /** The role in which the fetch under way was sent; an answer to another role is not used. */
  #inFlightFor: Unattached | Follower | null = null
  #readyAtMs = -Infinity
  #lastRole: Unattached | Follower | null = null

  constructor(context: RaftContext) {
    this.#context = context
  }

  /** Sends the next fetch if it is time; returns when to look again. */
  poll(role: Unattached | Follower, nowMs: number): number {
    const { log, state } = this.#context
    if (this.#lastRole !== role) {
      this.#lastRole = role
      this.#readyAtMs = role.kind === 'unattached' ? nowMs + this.#pauseMs() : nowMs
    }
    if (this.#inFlightFor === role) return Infinity
    if (state.isVoter && log.durableEnd < log.endOffset) return Infinity
    if (nowMs < this.#readyAtMs) return this.#readyAtMs
    const target = this.#target(role)
    if (target !== null) this.#fetch(role, target)
    return Infinity
  }

  /**
   * The leader; while it is unknown, or silent to an observer, any voter, for it may know the leader.
   */
  #target(role: Unattached | Follower): BrokerId | null {
    const { voters, nodeId, state, random } = this.#context
    const isLost = role.kind === 'follower' && !state.isVoter && role.lostFetches % 2 === 1
    if (role.kind === 'follower' && !isLost) return role.leaderId
    const others = voters.othersThan(nodeId).filter((id) => id !== role.leaderId)
    if (others.length === 0) return role.kind === 'follower' ? role.leaderId : null
    return present(others[random.below(others.length)], 'a voter to ask')
  }

  #fetch(role: Unattached | Follower, target: BrokerId): void {
    this.#inFlightFor = role
    this.#context.ask(target, fetchApi, FETCH_VERSION, this.#request(), (error, response) => {
      const isCurrent = this.#inFlightFor === role
      if (isCurrent) this.#inFlightFor = null
      if (error !== null || response === null) {
        const isTimeout = error instanceof TimeoutError
        if (isCurrent) this.#onFailed(role, target, !isTimeout)
      } else {
        this.#onAnswer(role, target, response)
      }
    })
  }

  #request(): Input<FetchRequest> {
    const { clusterId, nodeId, directoryId, config, state, log } = this.#context
    const maxWaitMs = Math.floor(Math.min(config.fetchMaxWaitMs, config.fetchTimeoutMs / 2))
    const partition = {
      partition: METADATA_PARTITION,
      currentLeaderEpoch: state.epoch,
      fetchOffset: log.endOffset,
      lastFetchedEpoch: log.lastEpoch,
      logStartOffset: log.startOffset,
      partitionMaxBytes: MAX_READ_BYTES,
      replicaDirectoryId: directoryId,
      highWatermark: log.highWatermark,
    }
    return {
      clusterId,
      replicaState: { replicaId: nodeId },
      maxWaitMs,
      minBytes: 0,
      maxBytes: MAX_READ_BYTES,
      topics: [{ topicId: METADATA_TOPIC_ID, partitions: [partition] }],
    }
  }

  #onAnswer(sentBy: Unattached | Follower, target: BrokerId, response: FetchResponse): void {
    const { state } = this.#context
    const isCurrent = state.role === sentBy
    const partition = response.responses[0]?.partitions[0]
    if (response.errorCode !== ErrorCode.NONE || partition === undefined) {
      const isGone = response.errorCode === ErrorCode.BROKER_NOT_AVAILABLE
      if (isCurrent) this.#onFailed(sentBy, target, isGone)
      return
    }
    const { errorCode, currentLeader } = partition
    const { leaderId, leaderEpoch } = currentLeader
    const isSettled = isSettledByEpoch(this.#context, errorCode, leaderId, leaderEpoch)
    const { role } = state
    if (isSettled || errorCode !== ErrorCode.NONE) {
      const isGone = errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER
      if (role === sentBy) this.#onFailed(sentBy, target, isGone)
      return
    }
    const isFromLeader = role.kind === 'follower' && role.leaderId === target
    const isFound = isCurrent && sentBy.kind === 'unattached'
    if (isFromLeader && (role === sentBy || isFound)) this.#onFetched(role, partition)
  }

  #onFetched(role: Follower, partition: PartitionData): void {
    const { log, config, clock, events } = this.#context
    const { divergingEpoch, records, highWatermark } = partition
    this.#context.lostElections = 0
    role.onFetched(clock.monoMs() + config.fetchTimeoutMs)
    this.#readyAtMs = -Infinity
    if (divergingEpoch.epoch >= 0 && divergingEpoch.endOffset >= 0) {
      log.truncateTo(divergingEpoch)
      return
    }
    const hasRecords = records !== null && records.length > 0
    const errorCode = hasRecords ? log.appendAsFollower(records, role.epoch) : ErrorCode.NONE
    if (errorCode !== ErrorCode.NONE) {
      const { leaderId } = role
      events.emit('quorum.records-refused', { leader: leaderId, offset: log.endOffset, errorCode })
      this.#readyAtMs = clock.monoMs() + config.retryBackoffMs
    }
    log.updateHighWatermark(highWatermark)
  }

  /**
   * A leader that broke the connection or denies its office is probably gone. A second time in a row makes a
   * voter ask for pre-votes at once instead of waiting for its fetch time-out; pre-votes disturb nobody.
   */
  #onFailed(role: Unattached | Follower, target: BrokerId, isGone: boolean): void {
    const { state, clock, config } = this.#context
    const nowMs = clock.monoMs()
    this.#readyAtMs = nowMs + config.retryBackoffMs
    if (state.role !== role || role.kind !== 'follower') return
    if (!state.isVoter) {
      role.onFetchLost()
    } else if (isGone && role.leaderId === target) {
      role.onFetchLost()
      if (role.lostFetches >= LOST_FETCHES) state.becomeProspective()
      else this.#readyAtMs = nowMs + electionBackoffMs(this.#context)
    }
  }

  /** A node that just lost its leader leaves the others a moment for an election; an observer asks at once. */
  #pauseMs(): number {
    return this.#context.state.isVoter ? this.#context.config.retryBackoffMs : 0
  }
}
