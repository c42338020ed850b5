import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { HeartbeatRequest } from '../../src/wire/messages/12-heartbeat.ts'
import type { MemberIdentity, MemberResponse } from '../../src/wire/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../src/wire/messages/14-sync-group.ts'
import { NO_OUTCOME, type Outcome, type Reply } from '../coordinator/outcome.ts'
import type { ClassicGroup } from './classic-group.ts'
import { syncResponse, type Rebalance } from './rebalance.ts'
import { groupMetadataRecord } from './records.ts'

const NO_MEMBER_ID = ''
const NO_BYTES = Buffer.alloc(0)

export interface MembershipHandlerOptions {
  readonly clock: Clock
  readonly events: EventSink
  readonly rebalance: Rebalance
  readonly findGroup: (groupId: string) => ClassicGroup | null
}

/** Takes what members of a classic group send once they have joined: SyncGroup, Heartbeat, LeaveGroup. */
export class MembershipHandler {
  readonly #options: MembershipHandlerOptions

  constructor(options: MembershipHandlerOptions) {
    this.#options = options
  }

  sync(request: SyncGroupRequest, reply: Reply<SyncGroupResponse>): Outcome<SyncGroupResponse> {
    const { memberId } = request
    const group = this.#options.findGroup(request.groupId)
    const error = group === null ? ErrorCode.UNKNOWN_MEMBER_ID : syncRefusal(group, request)
    if (group === null || error !== ErrorCode.NONE) {
      this.#options.rebalance.tellRefusal(request.groupId, 'sync', error)
      reply.fail(error)
      return NO_OUTCOME
    }
    this.#options.rebalance.noteSync(group, memberId)
    if (group.state === 'Stable') {
      return { records: [], answer: syncResponse(group, group.member(memberId).assignment) }
    }
    group.awaitingSync.get(memberId)?.fail(ErrorCode.REBALANCE_IN_PROGRESS)
    group.awaitingSync.set(memberId, reply)
    return group.isLeader(memberId) ? this.#persistAssignment(group, request) : NO_OUTCOME
  }

  /** NONE or the error of the answer; a heartbeat that is taken keeps the session alive. */
  heartbeat(request: HeartbeatRequest): ErrorCode {
    const { groupId, memberId, groupInstanceId, generationId } = request
    const group = this.#options.findGroup(groupId)
    if (group === null) return ErrorCode.UNKNOWN_MEMBER_ID
    const error = group.validateMember(memberId, groupInstanceId)
    if (error !== ErrorCode.NONE || generationId !== group.generation) {
      const refusal = error === ErrorCode.NONE ? ErrorCode.ILLEGAL_GENERATION : error
      this.#options.rebalance.tellRefusal(groupId, 'heartbeat', refusal)
      return refusal
    }
    this.#options.rebalance.keepAlive(group, group.member(memberId))
    return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Each member's own result; an unknown group has none of them. */
  leave(groupId: string, leaving: readonly MemberIdentity[]): Outcome<MemberResponse[]> {
    const group = this.#options.findGroup(groupId)
    const answer = leaving.map((identity) => ({
      memberId: identity.memberId,
      groupInstanceId: identity.groupInstanceId,
      errorCode: group === null ? ErrorCode.UNKNOWN_MEMBER_ID : this.#leave(group, identity),
    }))
    const hasLeft = answer.some(({ errorCode }) => errorCode === ErrorCode.NONE)
    if (group === null || !hasLeft || group.state === 'Empty') return { records: [], answer }
    const names = leaving.map((each) => each.groupInstanceId ?? each.memberId).join(', ')
    return { ...this.#options.rebalance.prepareOrComplete(group, `${names} left`), answer }
  }

  #leave(group: ClassicGroup, { memberId, groupInstanceId }: MemberIdentity): ErrorCode {
    const { rebalance } = this.#options
    if (memberId === NO_MEMBER_ID) {
      // An administrator removes a static member, whose member id only the group knows.
      const current = group.staticMembers.get(groupInstanceId ?? '')
      if (groupInstanceId === null || current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      rebalance.removeMember(group, current)
      return ErrorCode.NONE
    }
    if (!group.pendingMembers.has(memberId)) {
      const error = group.validateMember(memberId, groupInstanceId)
      if (error !== ErrorCode.NONE) return error
    }
    rebalance.removeMember(group, memberId)
    return ErrorCode.NONE
  }

  /** The leader's assignment makes the group Stable by being replayed; then everybody is answered. */
  #persistAssignment(group: ClassicGroup, request: SyncGroupRequest): Outcome<never> {
    const { clock, events, rebalance } = this.#options
    const assignments = new Map(request.assignments.map((each) => [each.memberId, each.assignment]))
    const value = group.toValue({ currentStateTimestamp: clock.wallMs() }, ({ memberId }) => ({
      assignment: assignments.get(memberId) ?? NO_BYTES,
    }))
    return {
      records: [groupMetadataRecord(group.groupId, value)],
      onAppended: () => {
        rebalance.sendAssignments(group)
        events.emit('group.rebalanced', {
          group: group.groupId,
          generation: group.generation,
          protocol: group.protocolName,
          leader: group.leaderId,
          members: group.members.size,
        })
      },
      onAppendFailed: (error) => {
        events.emit('group.assignment-lost', { group: group.groupId, errorCode: error })
        rebalance.resetAssignments(group, error)
        rebalance.prepareOrComplete(group, 'the assignment could not be stored')
      },
    }
  }
}

function syncRefusal(group: ClassicGroup, request: SyncGroupRequest): ErrorCode {
  if (group.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  const error = group.validateMember(request.memberId, request.groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION
  if (
    differs(request.protocolType, group.protocolType) ||
    differs(request.protocolName, group.protocolName)
  ) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/** Both are known and not the same; older requests do not say. */
function differs(requested: string | null, current: string | null): boolean {
  return requested !== null && current !== null && requested !== current
}
