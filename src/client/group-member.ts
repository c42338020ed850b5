import { assert } from '../base/assert.ts'
import { ConnectionError, KafketteError } from '../base/errors.ts'
import type { Timer } from '../ports/clock.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import {
  joinGroupApi,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '../wire/messages/11-join-group.ts'
import { heartbeatApi } from '../wire/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../wire/messages/13-leave-group.ts'
import {
  syncGroupApi,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from '../wire/messages/14-sync-group.ts'
import type { Input } from '../wire/schema.ts'
import type { Cluster } from './cluster.ts'
import type { Coordinator } from './coordinator.ts'
import type { CommitIdentity } from './group-offsets.ts'
import { isRetriableError, KafkaError } from './kafka-error.ts'
import { backoffMs } from './retry.ts'

/** Added to the rebalance timeout while waiting for JoinGroup's answer (JOIN_GROUP_TIMEOUT_LAPSE). */
const JOIN_GRACE_MS = 5000
const NO_GENERATION = -1

/** After these the next JoinGroup starts without the member id. */
const FORGETS_MEMBER: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
])
/** After these a member joins again at once or after a back-off. */
const REJOINS: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.MEMBER_ID_REQUIRED,
])

/** One protocol that a member can take part in, preferred ones first in a list. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** What the leader of a round must share out. */
export interface AssignmentRound {
  readonly generation: number
  readonly protocol: string
  readonly leaderId: string
  readonly members: JoinGroupResponse['members']
}

/** A round that ended with membership. */
export interface JoinedRound {
  readonly generation: number
  readonly memberId: string
  readonly protocol: string
  readonly leaderId: string
  readonly isLeader: boolean
  readonly assignment: Buffer
}

export interface GroupMemberHandler {
  /** The protocols to offer; asked for before every JoinGroup. */
  protocols(): readonly GroupProtocol[]
  /** This member leads the round and shares out: bytes by member id. */
  assign(
    round: AssignmentRound,
    done: (error: Error | null, assignments: ReadonlyMap<string, Buffer> | null) => void,
  ): void
  /** A new round began, or membership was lost: call `join` when ready. */
  onRejoinNeeded(): void
  /** What was assigned may belong to others by now. Comes before `onRejoinNeeded`. */
  onLost(error: Error): void
}

export interface GroupMemberOptions {
  readonly cluster: Cluster
  readonly coordinator: Coordinator
  /** `consumer`, `connect`, ... */
  readonly protocolType: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly handler: GroupMemberHandler
}

type JoinDone = (error: Error | null, round: JoinedRound | null) => void
type State = 'unjoined' | 'joining' | 'stable' | 'closed'

/**
 * A member of a group under the classic protocol: JoinGroup, SyncGroup, heartbeats by the clock, LeaveGroup.
 * It does not know what is shared out; consumers and Connect workers do.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions
  #state: State = 'unjoined'
  #generation = NO_GENERATION
  #memberId = ''
  #protocol = ''
  /** Counts attempts; an answer to an older one is stale. */
  #attempt = 0
  #failures = 0
  #joinDone: JoinDone | null = null
  #joinTimer: Timer | null = null
  #heartbeatTimer: Timer | null = null
  #isHeartbeatInFlight = false
  #isRejoinAsked = false

  constructor(options: GroupMemberOptions) {
    this.#options = options
  }

  get state(): State {
    return this.#state
  }

  get memberId(): string {
    return this.#memberId
  }

  /** -1 while it is no member. */
  get generation(): number {
    return this.#generation
  }

  /** For OffsetCommit. */
  get identity(): CommitIdentity {
    const { groupInstanceId } = this.#options
    return { generation: this.#generation, memberId: this.#memberId, groupInstanceId }
  }

  /**
   * Takes part in the next round; goes on until it is a member or an error makes that impossible. Give up what
   * may not be kept across a round before calling it.
   */
  join(done: JoinDone): void {
    assert(this.#joinDone === null, 'one join at a time')
    assert(this.#state !== 'closed', 'a member that left for good does not join')
    this.#joinDone = done
    this.#state = 'joining'
    this.#failures = 0
    this.#isRejoinAsked = false
    this.#sendJoin()
  }

  /** Leaves the group at once, for instance when its owner does not poll. A later `join` is a new member. */
  leave(reason: string, done: (error: Error | null) => void): void {
    const { cluster, coordinator, groupInstanceId } = this.#options
    const memberId = this.#memberId
    const endJoin = this.#joinDone
    this.#reset(true)
    endJoin?.(new ConnectionError(`left the group: ${reason}`), null)
    if (memberId === '' || groupInstanceId !== null) {
      cluster.ports.clock.after(0, 'client.group.left', () => done(null))
      return
    }
    const groupId = coordinator.key
    const call = {
      api: leaveGroupApi,
      timeoutMs: cluster.requestTimeoutMs,
      body: (version: number) =>
        version >= 3
          ? { groupId, members: [{ memberId, groupInstanceId, reason }] }
          : { groupId, memberId },
    }
    cluster.emit('client.group-left', { group: groupId, member: memberId, reason })
    coordinator.request(call, (error, response) => {
      done(error ?? coordinator.check(response?.errorCode ?? 0))
    })
  }

  /** Ends all timers without a word to the coordinator; use `leave` first for an orderly end. */
  close(): void {
    const endJoin = this.#joinDone
    this.#reset(true)
    this.#state = 'closed'
    endJoin?.(new ConnectionError('the group member was closed'), null)
  }

  /** An answer to another request (OffsetCommit) said that this member is not in its round any more. */
  onCommitError(error: Error): void {
    if (this.#state !== 'stable' || !(error instanceof KafkaError)) return
    if (REJOINS.has(error.errorCode) || FORGETS_MEMBER.has(error.errorCode)) {
      this.#onMembershipError(error)
    }
  }

  #sendJoin(): void {
    const { cluster, coordinator, handler, protocolType, groupInstanceId } = this.#options
    const attempt = this.#nextAttempt()
    const protocols = handler.protocols().map(({ name, metadata }) => ({ name, metadata }))
    const body = (version: number): Input<JoinGroupRequest> => ({
      groupId: coordinator.key,
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      rebalanceTimeoutMs: this.#options.rebalanceTimeoutMs,
      memberId: this.#memberId,
      ...(version >= 5 ? { groupInstanceId } : {}),
      protocolType,
      protocols,
    })
    const timeoutMs = Math.max(
      cluster.requestTimeoutMs,
      this.#options.rebalanceTimeoutMs + JOIN_GRACE_MS,
    )
    const call = { api: joinGroupApi, timeoutMs, body }
    coordinator.request(call, (error, response) => {
      if (attempt !== this.#attempt) return
      const problem = error ?? coordinator.check(response?.errorCode ?? 0)
      if (problem !== null || response === null) this.#onJoinError(problem, response)
      else this.#onJoined(response)
    })
  }

  #onJoined(response: JoinGroupResponse): void {
    this.#memberId = response.memberId
    this.#generation = response.generationId
    this.#protocol = response.protocolName ?? ''
    this.#scheduleHeartbeat(this.#options.heartbeatIntervalMs)
    const isLeader = response.leader === response.memberId
    const attempt = this.#attempt
    if (!isLeader || response.skipAssignment) return this.#sendSync(response, [])
    const round = {
      generation: response.generationId,
      protocol: this.#protocol,
      leaderId: response.leader,
      members: response.members,
    }
    this.#options.handler.assign(round, (error, assignments) => {
      if (attempt !== this.#attempt) return
      if (error !== null) return this.#failJoin(error)
      const list = [...(assignments ?? [])]
      this.#sendSync(
        response,
        list.map(([memberId, assignment]) => ({ memberId, assignment })),
      )
    })
  }

  #sendSync(joined: JoinGroupResponse, assignments: SyncGroupRequest['assignments']): void {
    const { coordinator, protocolType, groupInstanceId } = this.#options
    const attempt = this.#nextAttempt()
    const call = {
      api: syncGroupApi,
      timeoutMs: this.#options.rebalanceTimeoutMs + JOIN_GRACE_MS,
      body: (version: number) => ({
        groupId: coordinator.key,
        generationId: joined.generationId,
        memberId: joined.memberId,
        ...(version >= 3 ? { groupInstanceId } : {}),
        protocolType,
        protocolName: joined.protocolName,
        assignments,
      }),
    }
    coordinator.request(call, (error, response) => {
      if (attempt !== this.#attempt) return
      const problem = error ?? coordinator.check(response?.errorCode ?? 0)
      if (problem !== null || response === null) this.#onJoinError(problem, null)
      else this.#onSynced(joined, response)
    })
  }

  #onSynced(joined: JoinGroupResponse, response: SyncGroupResponse): void {
    const done = this.#joinDone
    this.#joinDone = null
    this.#state = 'stable'
    const { cluster, coordinator } = this.#options
    const isLeader = joined.leader === joined.memberId
    cluster.emit('client.group-joined', {
      group: coordinator.key,
      member: joined.memberId,
      generation: joined.generationId,
      isLeader,
    })
    done?.(null, {
      generation: joined.generationId,
      memberId: joined.memberId,
      protocol: this.#protocol,
      leaderId: joined.leader,
      isLeader,
      assignment: response.assignment,
    })
  }

  #onJoinError(error: Error | null, response: JoinGroupResponse | null): void {
    const code = error instanceof KafkaError ? error.errorCode : ErrorCode.NONE
    this.#cancelHeartbeat()
    this.#generation = NO_GENERATION
    if (FORGETS_MEMBER.has(code)) this.#memberId = ''
    if (code === ErrorCode.MEMBER_ID_REQUIRED && response !== null) {
      this.#memberId = response.memberId
      return this.#sendJoin()
    }
    const problem = error ?? new ConnectionError('no answer')
    if (!REJOINS.has(code) && !isRetriableError(problem)) return this.#failJoin(problem)
    this.#failures += 1
    const { cluster } = this.#options
    const { clock, random } = cluster.ports
    const delayMs = backoffMs(this.#failures, cluster.retryBackoff, random)
    const attempt = this.#nextAttempt()
    this.#joinTimer = clock.after(delayMs, 'client.group.rejoin', () => {
      this.#joinTimer = null
      if (attempt === this.#attempt) this.#sendJoin()
    })
  }

  #failJoin(error: Error): void {
    const done = this.#joinDone
    this.#reset(false)
    done?.(error, null)
  }

  #scheduleHeartbeat(delayMs: number): void {
    this.#cancelHeartbeat()
    this.#heartbeatTimer = this.#options.cluster.ports.clock.after(
      delayMs,
      'client.group.heartbeat',
      () => {
        this.#heartbeatTimer = null
        this.#sendHeartbeat()
      },
    )
  }

  #sendHeartbeat(): void {
    const { cluster, coordinator, groupInstanceId } = this.#options
    if (this.#isHeartbeatInFlight) {
      return this.#scheduleHeartbeat(this.#options.heartbeatIntervalMs)
    }
    this.#isHeartbeatInFlight = true
    const generation = this.#generation
    const memberId = this.#memberId
    const call = {
      api: heartbeatApi,
      timeoutMs: Math.min(cluster.requestTimeoutMs, this.#options.sessionTimeoutMs),
      body: (version: number) => ({
        groupId: coordinator.key,
        generationId: generation,
        memberId,
        ...(version >= 3 ? { groupInstanceId } : {}),
      }),
    }
    coordinator.request(call, (error, response) => {
      this.#isHeartbeatInFlight = false
      if (generation !== this.#generation || memberId !== this.#memberId) return
      this.#onHeartbeat(error ?? coordinator.check(response?.errorCode ?? 0))
    })
  }

  #onHeartbeat(error: Error | null): void {
    const { cluster, heartbeatIntervalMs } = this.#options
    const code = error instanceof KafkaError ? error.errorCode : ErrorCode.NONE
    const isMembership = REJOINS.has(code) || FORGETS_MEMBER.has(code)
    if (error === null || (isMembership && this.#state !== 'stable')) {
      return this.#scheduleHeartbeat(heartbeatIntervalMs)
    }
    if (isMembership || !isRetriableError(error)) return this.#onMembershipError(error)
    this.#scheduleHeartbeat(Math.min(cluster.retryBackoff.baseMs, heartbeatIntervalMs))
  }

  #onMembershipError(error: Error): void {
    const { handler, coordinator, cluster, heartbeatIntervalMs } = this.#options
    const code = error instanceof KafkaError ? error.errorCode : ErrorCode.NONE
    const isRoundOnly = code === ErrorCode.REBALANCE_IN_PROGRESS
    if (isRoundOnly) this.#scheduleHeartbeat(heartbeatIntervalMs)
    if (isRoundOnly && this.#isRejoinAsked) return
    this.#isRejoinAsked = true
    cluster.emit('client.group-rejoin', {
      group: coordinator.key,
      member: this.#memberId,
      why: error instanceof KafketteError ? error.code : error.message,
    })
    if (!isRoundOnly) {
      this.#reset(FORGETS_MEMBER.has(code))
      handler.onLost(error)
    }
    handler.onRejoinNeeded()
  }

  #reset(forgetsMember: boolean): void {
    this.#nextAttempt()
    this.#cancelHeartbeat()
    if (this.#joinTimer !== null) this.#options.cluster.ports.clock.cancel(this.#joinTimer)
    this.#joinTimer = null
    this.#joinDone = null
    this.#generation = NO_GENERATION
    if (forgetsMember) this.#memberId = ''
    if (this.#state !== 'closed') this.#state = 'unjoined'
  }

  #cancelHeartbeat(): void {
    if (this.#heartbeatTimer !== null)
      this.#options.cluster.ports.clock.cancel(this.#heartbeatTimer)
    this.#heartbeatTimer = null
  }

  #nextAttempt(): number {
    this.#attempt += 1
    return this.#attempt
  }
}
