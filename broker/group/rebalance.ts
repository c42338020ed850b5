import { assert } from '../../src/base/assert.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  JoinGroupResponse,
  JoinGroupResponseMember,
} from '../../src/wire/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../src/wire/messages/14-sync-group.ts'
import { NO_OUTCOME, type Outcome } from '../coordinator/outcome.ts'
import type { ShardTimers } from '../coordinator/timer.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupConfig } from './group-config.ts'
import type { Member } from './member.ts'
import { groupMetadataRecord } from './records.ts'

/** A client that joins for the first time may wait so long for its answer (Kafka has no setting for it). */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000
const NO_BYTES = Buffer.alloc(0)

export interface RebalanceOptions {
  readonly config: GroupConfig
  readonly clock: Clock
  readonly events: EventSink
  readonly timers: ShardTimers
  /** The group, unless it was deleted meanwhile. */
  readonly findGroup: (groupId: string) => ClassicGroup | null
}

/**
 * Moves classic groups from one generation to the next: when a rebalance begins, how long it waits,
 * who is dropped, and the timers of members. Semantics of Kafka's GroupMetadataManager.
 */
export class Rebalance {
  readonly #options: RebalanceOptions

  constructor(options: RebalanceOptions) {
    this.#options = options
  }

  /** A member's request was refused; NONE tells nothing. */
  tellRefusal(groupId: string, request: string, errorCode: ErrorCode): void {
    if (errorCode === ErrorCode.NONE) return
    const fields = { group: groupId, request, errorCode }
    this.#options.events.emit('group.request-refused', fields)
  }

  /** A static member came back under a new member id. */
  tellReplaced(groupId: string, member: string): void {
    this.#options.events.emit('group.static-member-replaced', { group: groupId, member })
  }

  /** Begins a rebalance, or goes on with the one under way if everybody is there. */
  prepareOrComplete(group: ClassicGroup, reason: string): Outcome<never> {
    return group.canRebalance ? this.prepare(group, reason) : this.completeIfAllJoined(group)
  }

  /** Asks all members to join again. The first members of an empty group are given an initial delay. */
  prepare(group: ClassicGroup, reason: string): Outcome<never> {
    const { config, clock, events, timers } = this.#options
    if (group.state === 'CompletingRebalance') {
      this.resetAssignments(group, ErrorCode.REBALANCE_IN_PROGRESS)
    }
    group.pendingSyncs.clear()
    timers.cancel(syncTimer(group.groupId))
    const isInitial = group.state === 'Empty'
    const { groupId, generation } = group
    group.transitionTo('PreparingRebalance', clock.wallMs())
    events.emit('group.rebalance-started', { group: groupId, generation, reason })
    if (!isInitial) return this.#completeOrWait(group)
    const delayMs = config.initialRebalanceDelayMs
    this.#waitForFirstMembers(groupId, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
    return NO_OUTCOME
  }

  /** Ends the join phase early when nobody is missing; never that of a group's first generation. */
  completeIfAllJoined(group: ClassicGroup): Outcome<never> {
    const isInitial = group.previousState === 'Empty'
    if (group.state !== 'PreparingRebalance' || isInitial || !group.haveAllJoined) return NO_OUTCOME
    return this.#completeJoins(group)
  }

  /** A member or a pending one was taken out of the group: what follows from it. */
  afterRemoval(group: ClassicGroup, reason: string): Outcome<never> {
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
      return this.prepareOrComplete(group, reason)
    }
    return group.state === 'PreparingRebalance' && group.haveAllJoined
      ? this.#completeJoins(group)
      : NO_OUTCOME
  }

  /** Gives the member another `timeoutMs` until it counts as gone. */
  keepAlive(group: ClassicGroup, member: Member, timeoutMs = member.sessionTimeoutMs): void {
    this.expectMember(group.groupId, member.memberId, timeoutMs)
  }

  /** The same for a member id that has been given out and has not joined yet. */
  expectMember(groupId: string, memberId: string, timeoutMs: number): void {
    const { timers } = this.#options
    timers.schedule(sessionTimer(groupId, memberId), timeoutMs, () =>
      this.#expireMember(groupId, memberId),
    )
  }

  forgetMember(groupId: string, memberId: string): void {
    this.#options.timers.cancel(sessionTimer(groupId, memberId))
  }

  /** Takes a member out; a join it waits for is answered so that a living client starts over. */
  removeMember(group: ClassicGroup, memberId: string): void {
    this.forgetMember(group.groupId, memberId)
    group.awaitingJoin.get(memberId)?.fail(ErrorCode.UNKNOWN_MEMBER_ID)
    group.awaitingSync.get(memberId)?.fail(ErrorCode.UNKNOWN_MEMBER_ID)
    group.remove(memberId)
    this.#endSyncPhaseIfAllSynced(group)
  }

  /** The member's SyncGroup is here. */
  noteSync(group: ClassicGroup, memberId: string): void {
    group.pendingSyncs.delete(memberId)
    this.#endSyncPhaseIfAllSynced(group)
  }

  /** Answers all waiting SyncGroups with the assignment of their member. */
  sendAssignments(group: ClassicGroup): void {
    for (const [memberId, reply] of group.awaitingSync) {
      reply.send(syncResponse(group, group.member(memberId).assignment))
      this.keepAlive(group, group.member(memberId))
    }
    group.awaitingSync.clear()
  }

  /** The assignment cannot be had: waiting SyncGroups get `error` and their clients join again. */
  resetAssignments(group: ClassicGroup, error: ErrorCode): void {
    assert(group.state === 'CompletingRebalance', 'only an assignment under way is reset')
    for (const member of group.members.values()) member.clearAssignment()
    for (const [memberId, reply] of group.awaitingSync) {
      reply.fail(error)
      this.keepAlive(group, group.member(memberId))
    }
    group.awaitingSync.clear()
  }

  /** Timers do not outlive a coordinator: after loading every member has a whole session left. */
  onLoaded(groups: Iterable<ClassicGroup>): Outcome<never> {
    for (const group of groups) {
      for (const member of group.members.values()) this.keepAlive(group, member)
      if (group.members.size > this.#options.config.maxSize) {
        this.prepare(group, 'the loaded group is larger than group.max.size')
      }
    }
    return NO_OUTCOME
  }

  #completeOrWait(group: ClassicGroup): Outcome<never> {
    if (group.haveAllJoined) return this.#completeJoins(group)
    this.#completeAfter(group)
    return NO_OUTCOME
  }

  #completeAfter({ groupId, rebalanceTimeoutMs }: ClassicGroup): void {
    this.#options.timers.schedule(joinTimer(groupId), rebalanceTimeoutMs, () => {
      const group = this.#options.findGroup(groupId)
      return group === null ? NO_OUTCOME : this.#completeJoins(group)
    })
  }

  /** Waits `delayMs`, again and again while members keep coming, but `remainingMs` more in all. */
  #waitForFirstMembers(groupId: string, delayMs: number, remainingMs: number): void {
    const { config, timers, findGroup } = this.#options
    timers.schedule(joinTimer(groupId), delayMs, () => {
      const group = findGroup(groupId)
      if (group === null) return NO_OUTCOME
      if (!group.hasNewMember || remainingMs === 0) return this.#completeJoins(group)
      group.hasNewMember = false
      const nextDelayMs = Math.min(config.initialRebalanceDelayMs, remainingMs)
      this.#waitForFirstMembers(groupId, nextDelayMs, Math.max(remainingMs - delayMs, 0))
      return NO_OUTCOME
    })
  }

  /** The join phase is over: absent dynamic members go, the others get the new generation. */
  #completeJoins(group: ClassicGroup): Outcome<never> {
    if (group.state !== 'PreparingRebalance') return NO_OUTCOME
    this.#options.timers.cancel(joinTimer(group.groupId))
    for (const member of group.members.values()) {
      if (member.isStatic || group.awaitingJoin.has(member.memberId)) continue
      this.removeMember(group, member.memberId)
    }
    if (group.members.size === 0) return this.#becomeEmpty(group)
    if (!group.electJoinedLeader()) {
      // Only static members are left and none is back: they stay until their sessions expire.
      this.#completeAfter(group)
      return NO_OUTCOME
    }
    this.#beginGeneration(group)
    return NO_OUTCOME
  }

  #beginGeneration(group: ClassicGroup): void {
    group.beginGeneration(this.#options.clock.wallMs())
    group.hasNewMember = false
    for (const member of group.members.values()) {
      const { memberId } = member
      group.awaitingJoin.get(memberId)?.send(joinResponse(group, memberId))
      this.keepAlive(group, member)
      member.isNew = false
      group.pendingSyncs.add(memberId)
    }
    group.awaitingJoin.clear()
    const { groupId, generation, rebalanceTimeoutMs } = group
    this.#options.timers.schedule(syncTimer(groupId), rebalanceTimeoutMs, () =>
      this.#expirePendingSyncs(groupId, generation),
    )
  }

  /** The last member has gone. The record keeps the generation from being used again. */
  #becomeEmpty(group: ClassicGroup): Outcome<never> {
    group.hasNewMember = false
    const value = {
      protocolType: group.protocolType ?? '',
      generation: group.generation + 1,
      protocol: null,
      leader: null,
      currentStateTimestamp: this.#options.clock.wallMs(),
      members: [],
    }
    return {
      records: [groupMetadataRecord(group.groupId, value)],
      // Not fatal: should the coordinator move, the older generation comes back and its members expire.
      onAppendFailed: () => group.apply(value),
    }
  }

  #expireMember(groupId: string, memberId: string): Outcome<never> {
    const group = this.#options.findGroup(groupId)
    if (group === null) return NO_OUTCOME
    const reason = `session of ${memberId} expired`
    if (group.pendingMembers.has(memberId)) {
      group.remove(memberId)
      return group.state === 'PreparingRebalance' && group.haveAllJoined
        ? this.#completeJoins(group)
        : NO_OUTCOME
    }
    const member = group.members.get(memberId)
    if (member === undefined || isWaiting(group, member)) return NO_OUTCOME
    this.#options.events.emit('group.member-expired', { group: groupId, member: memberId })
    this.removeMember(group, memberId)
    return this.afterRemoval(group, reason)
  }

  #expirePendingSyncs(groupId: string, generation: number): Outcome<never> {
    const group = this.#options.findGroup(groupId)
    if (group === null || group.generation !== generation) return NO_OUTCOME
    const isSyncPhase = group.state === 'CompletingRebalance' || group.state === 'Stable'
    if (!isSyncPhase || group.pendingSyncs.size === 0) return NO_OUTCOME
    const late = [...group.pendingSyncs]
    this.#options.events.emit('group.sync-missing', { group: groupId, members: late })
    for (const memberId of late) this.removeMember(group, memberId)
    return this.prepare(group, `no SyncGroup from ${late.join(', ')}`)
  }

  #endSyncPhaseIfAllSynced(group: ClassicGroup): void {
    if (group.pendingSyncs.size === 0) this.#options.timers.cancel(syncTimer(group.groupId))
  }
}

/** The answer that a member of the current generation gets; only the leader learns of the others. */
export function joinResponse(group: ClassicGroup, memberId: string): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: group.isLeader(memberId) ? joinedMembers(group) : [],
  }
}

/** All members with what they told about themselves, as the leader needs it. */
export function joinedMembers(group: ClassicGroup): JoinGroupResponseMember[] {
  const protocolName = group.protocolName ?? ''
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: member.metadata(protocolName),
  }))
}

export function syncResponse(group: ClassicGroup, assignment: Buffer): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment,
  }
}

export function syncError(error: ErrorCode): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: error,
    protocolType: null,
    protocolName: null,
    assignment: NO_BYTES,
  }
}

/** A member that waits for the group needs no heartbeat, unless it is new and may be gone. */
function isWaiting(group: ClassicGroup, { memberId, isNew }: Member): boolean {
  return !isNew && (group.awaitingJoin.has(memberId) || group.awaitingSync.has(memberId))
}

function sessionTimer(groupId: string, memberId: string): string {
  return `group-session ${groupId} ${memberId}`
}

function joinTimer(groupId: string): string {
  return `group-join ${groupId}`
}

function syncTimer(groupId: string): string {
  return `group-sync ${groupId}`
}
