import { assert, unreachable } from '../../src/base/assert.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../src/wire/messages/11-join-group.ts'
import { NO_OUTCOME, type Outcome, type Reply } from '../coordinator/outcome.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupConfig } from './group-config.ts'
import { memberIdFor } from './member-id.ts'
import { Member, ownedProtocols, type MemberProtocol } from './member.ts'
import {
  joinedMembers,
  joinResponse,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  type Rebalance,
} from './rebalance.ts'
import { groupMetadataRecord } from './records.ts'

/** From here on a new member must come back with the id it was given (KIP-394). */
const MEMBER_ID_REQUIRED_VERSION = 4
/** From here on a returning static leader is told to leave the assignment as it is (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9
const NO_MEMBER_ID = ''

/** A JoinGroup with where it came from. */
export interface Join {
  readonly version: number
  readonly clientId: string
  readonly clientHost: string
  readonly request: JoinGroupRequest
}

export interface JoinHandlerOptions {
  readonly config: GroupConfig
  readonly clock: Clock
  readonly random: Random
  readonly rebalance: Rebalance
  readonly findGroup: (groupId: string) => ClassicGroup | null
}

/** What a join is about: the group, the request, the way back. */
interface JoinStep {
  readonly group: ClassicGroup
  readonly join: Join
  readonly reply: Reply<JoinGroupResponse>
}

/** Takes JoinGroup requests: new members, returning ones, and static members that were restarted. */
export class JoinHandler {
  readonly #options: JoinHandlerOptions

  constructor(options: JoinHandlerOptions) {
    this.#options = options
  }

  handle(join: Join, reply: Reply<JoinGroupResponse>): Outcome<JoinGroupResponse> {
    const { request } = join
    const group = this.#options.findGroup(request.groupId)
    if (group !== null) return this.#handleFor({ group, join, reply })
    if (request.memberId !== NO_MEMBER_ID) return refuse(reply, ErrorCode.UNKNOWN_MEMBER_ID)
    if (request.protocolType === '' || request.protocols.length === 0) {
      return refuse(reply, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    return this.#createGroup(join, reply)
  }

  /** The group is made by its record, as it would be while loading; then the member joins it. */
  #createGroup(join: Join, reply: Reply<JoinGroupResponse>): Outcome<JoinGroupResponse> {
    const { groupId } = join.request
    const currentStateTimestamp = this.#options.clock.wallMs()
    return {
      records: [
        groupMetadataRecord(groupId, { protocol: null, leader: null, currentStateTimestamp }),
      ],
      onAppended: () => {
        const group = this.#options.findGroup(groupId)
        assert(group !== null, `group ${groupId} was made by its record`)
        const { records } = this.#handleFor({ group, join, reply })
        assert(records.length === 0, 'joining an empty group writes nothing')
      },
      onAppendFailed: (error) => reply.fail(error),
    }
  }

  #handleFor(step: JoinStep): Outcome<JoinGroupResponse> {
    const { group, join, reply } = step
    const { memberId, protocolType, protocols } = join.request
    if (!this.#hasRoom(group, memberId)) {
      this.#options.rebalance.forgetMember(group.groupId, memberId)
      group.remove(memberId)
      return refuse(reply, ErrorCode.GROUP_MAX_SIZE_REACHED)
    }
    if (!group.supports(protocolType, protocols)) {
      return refuse(reply, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    return memberId === NO_MEMBER_ID ? this.#joinNew(step) : this.#joinKnown(step)
  }

  /**
   * While members come together those that wait are counted, so that a group over the limit loses the
   * last ones; afterwards the members are.
   */
  #hasRoom(group: ClassicGroup, memberId: string): boolean {
    const { maxSize } = this.#options.config
    switch (group.state) {
      case 'Empty':
      case 'Dead':
        return true
      case 'PreparingRebalance':
        return group.awaitingJoin.has(memberId) || group.awaitingJoin.size < maxSize
      case 'CompletingRebalance':
      case 'Stable':
        return group.members.has(memberId) || group.members.size < maxSize
      default:
        return unreachable(group.state)
    }
  }

  #joinNew(step: JoinStep): Outcome<JoinGroupResponse> {
    const { group, join, reply } = step
    const { groupInstanceId, sessionTimeoutMs } = join.request
    const newMemberId = memberIdFor(groupInstanceId ?? join.clientId, this.#options.random)
    if (groupInstanceId !== null) {
      const oldMemberId = group.staticMembers.get(groupInstanceId)
      return oldMemberId === undefined
        ? this.#add(step, newMemberId)
        : this.#replace(step, oldMemberId, newMemberId)
    }
    if (join.version < MEMBER_ID_REQUIRED_VERSION) return this.#add(step, newMemberId)
    group.pendingMembers.add(newMemberId)
    this.#options.rebalance.expectMember(group.groupId, newMemberId, sessionTimeoutMs)
    reply.send(joinErrorWith(ErrorCode.MEMBER_ID_REQUIRED, newMemberId))
    return NO_OUTCOME
  }

  #joinKnown(step: JoinStep): Outcome<JoinGroupResponse> {
    const { group, join, reply } = step
    const { memberId, groupInstanceId, protocols } = join.request
    if (group.pendingMembers.has(memberId) && groupInstanceId === null) {
      return this.#add(step, memberId)
    }
    const error = group.validateMember(memberId, groupInstanceId)
    this.#options.rebalance.tellRefusal(group.groupId, 'join', error)
    if (error !== ErrorCode.NONE) return refuse(reply, error)
    const member = group.member(memberId)
    switch (group.state) {
      case 'PreparingRebalance':
        return this.#rejoin(step, member, `${memberId} joined again`)
      case 'CompletingRebalance':
        // The same again: the first answer may have been lost.
        if (!member.hasProtocols(protocols)) break
        reply.send(joinResponse(group, memberId))
        return NO_OUTCOME
      case 'Stable':
        // A leader that joins again wants a rebalance, for instance because topics have changed.
        if (group.isLeader(memberId) || !member.hasProtocols(protocols)) break
        reply.send(joinResponse(group, memberId))
        return NO_OUTCOME
      case 'Empty':
      case 'Dead':
        return refuse(reply, ErrorCode.UNKNOWN_MEMBER_ID)
    }
    const isLeader = group.isLeader(memberId)
    return this.#rejoin(step, member, `${isLeader ? 'leader ' : ''}${memberId} joined again`)
  }

  #add({ group, join, reply }: JoinStep, memberId: string): Outcome<never> {
    const { request, clientId, clientHost } = join
    const member = new Member({
      memberId,
      groupInstanceId: request.groupInstanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      sessionTimeoutMs: request.sessionTimeoutMs,
      protocols: ownedProtocols(request.protocols),
    })
    member.isNew = true
    if (group.members.size === 0) group.protocolType = request.protocolType
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') {
      group.hasNewMember = true
    }
    group.add(member)
    group.awaitingJoin.set(memberId, reply)
    this.#options.rebalance.keepAlive(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    return this.#options.rebalance.prepareOrComplete(group, `${memberId} joined`)
  }

  #rejoin({ group, join, reply }: JoinStep, member: Member, reason: string): Outcome<never> {
    this.#update(group, member, join)
    this.#park(group, member, reply)
    return this.#options.rebalance.prepareOrComplete(group, reason)
  }

  #update(group: ClassicGroup, member: Member, { request }: Join): void {
    group.setProtocols(member, ownedProtocols(request.protocols))
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    member.sessionTimeoutMs = request.sessionTimeoutMs
  }

  /** A second JoinGroup of a member takes the place of the first, whose client gave up on it. */
  #park(group: ClassicGroup, { memberId }: Member, reply: Reply<JoinGroupResponse>): void {
    group.awaitingJoin.get(memberId)?.fail(ErrorCode.REBALANCE_IN_PROGRESS)
    group.awaitingJoin.set(memberId, reply)
  }

  /** A static member was restarted: its new process has no member id yet. */
  #replace(step: JoinStep, oldMemberId: string, newMemberId: string): Outcome<JoinGroupResponse> {
    const { group, join, reply } = step
    const { rebalance } = this.#options
    const protocols = ownedProtocols(join.request.protocols)
    rebalance.tellReplaced(group.groupId, oldMemberId)
    if (group.state === 'Stable') {
      const next = group.protocolWith(oldMemberId, protocols)
      if (next === group.protocolName) {
        return this.#replaceQuietly(step, oldMemberId, newMemberId, protocols)
      }
    }
    rebalance.forgetMember(group.groupId, oldMemberId)
    const member = group.replaceStaticMember(oldMemberId, newMemberId)
    this.#update(group, member, join)
    this.#park(group, member, reply)
    rebalance.keepAlive(group, member)
    // The leader may be assigning to the old id right now, so the phase begins again.
    return rebalance.prepareOrComplete(group, `static member ${newMemberId} came back`)
  }

  /** Without a rebalance: the new id takes over the assignment, and only that is written. */
  #replaceQuietly(
    { group, join, reply }: JoinStep,
    oldMemberId: string,
    newMemberId: string,
    protocols: readonly MemberProtocol[],
  ): Outcome<JoinGroupResponse> {
    const { rebalance } = this.#options
    const { request } = join
    const oldLeader = group.leaderId
    const leader = oldLeader === oldMemberId ? newMemberId : oldLeader
    const own = protocols.find(({ name }) => name === group.protocolName)
    const value = group.toValue({ leader }, ({ memberId }) =>
      memberId === oldMemberId
        ? {
            memberId: newMemberId,
            rebalanceTimeout: request.rebalanceTimeoutMs,
            sessionTimeout: request.sessionTimeoutMs,
            subscription: own?.metadata,
          }
        : {},
    )
    return {
      records: [groupMetadataRecord(group.groupId, value)],
      onAppended: () => {
        const member = group.member(newMemberId)
        group.setProtocols(member, protocols)
        rebalance.forgetMember(group.groupId, oldMemberId)
        rebalance.keepAlive(group, member)
        reply.send(replacedResponse(group, newMemberId, oldLeader, join.version))
      },
      onAppendFailed: (error) => reply.fail(error),
    }
  }
}

/**
 * What the new process of a static member is told. Leaders before v9 see the old leader id, so that
 * they take themselves for followers and do not assign.
 */
function replacedResponse(
  group: ClassicGroup,
  memberId: string,
  oldLeader: string | null,
  version: number,
): JoinGroupResponse {
  const isLeader = group.isLeader(memberId)
  if (version < SKIP_ASSIGNMENT_VERSION) {
    return { ...joinResponse(group, memberId), leader: oldLeader ?? '', members: [] }
  }
  return {
    ...joinResponse(group, memberId),
    skipAssignment: isLeader,
    members: isLeader ? joinedMembers(group) : [],
  }
}

/** An answer without a generation. */
export function joinErrorWith(error: ErrorCode, memberId: string): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: error,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

function refuse(reply: Reply<JoinGroupResponse>, error: ErrorCode): Outcome<never> {
  reply.fail(error)
  return NO_OUTCOME
}
