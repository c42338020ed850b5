import { assert, present } from '../../src/base/assert.ts'
import { WireError } from '../../src/base/errors.ts'
import type { TimestampMs } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { consumerProtocolSubscription } from '../../src/wire/messages/data.ts'
import type { JoinGroupResponse } from '../../src/wire/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../src/wire/messages/14-sync-group.ts'
import { Reader } from '../../src/wire/reader.ts'
import type {
  GroupMetadataValue,
  MemberMetadata,
} from '../../src/wire/records/group-coordinator.ts'
import { decodeMessage, type Input } from '../../src/wire/schema.ts'
import type { Reply } from '../coordinator/outcome.ts'
import { Member, selectProtocol, type MemberProtocol } from './member.ts'

const CONSUMER_PROTOCOL_TYPE = 'consumer'
const NO_TIMESTAMP = -1
const NO_BYTES = Buffer.alloc(0)

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** States a group may come from. Others are a bug. */
const PREDECESSORS: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable'],
}

/**
 * A group whose members assign among themselves (JoinGroup and SyncGroup).
 *
 *     Empty --join--> PreparingRebalance --all joined--> CompletingRebalance --leader synced--> Stable
 *     Stable, CompletingRebalance --member came, left or changed--> PreparingRebalance
 *     PreparingRebalance --nobody left--> Empty        Empty --deleted or expired--> Dead
 *
 * Only what a `GroupMetadataValue` holds outlives the coordinator: generation, protocol, leader,
 * members and their assignment, as of the last time the group was Stable or Empty. `apply` sets it,
 * live and while loading alike. A rebalance under way is memory only: after a change of coordinator
 * the group is back at its last persisted generation and its members start over.
 */
export class ClassicGroup {
  readonly groupId: string
  readonly members = new Map<string, Member>()
  /** Member id by group.instance.id. */
  readonly staticMembers = new Map<string, string>()
  /** Ids given out with MEMBER_ID_REQUIRED that have not joined yet. */
  readonly pendingMembers = new Set<string>()
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly pendingSyncs = new Set<string>()
  readonly awaitingJoin = new Map<string, Reply<JoinGroupResponse>>()
  readonly awaitingSync = new Map<string, Reply<SyncGroupResponse>>()
  /** Somebody joined since the initial delay was last extended. */
  hasNewMember = false
  state: GroupState = 'Empty'
  previousState: GroupState = 'Dead'
  stateTimestampMs: TimestampMs = NO_TIMESTAMP
  protocolType: string | null = null
  protocolName: string | null = null
  generation = 0
  leaderId: string | null = null
  /** What the members subscribed to, when they speak the consumer protocol and it could be read. */
  subscribedTopics: ReadonlySet<string> | null = null
  readonly #onStateChange: (group: ClassicGroup) => void
  /** Number of members by supported protocol. */
  readonly #support = new Map<string, number>()

  constructor(groupId: string, onStateChange: (group: ClassicGroup) => void) {
    this.groupId = groupId
    this.#onStateChange = onStateChange
  }

  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE
  }

  get haveAllJoined(): boolean {
    return this.members.size === this.awaitingJoin.size && this.pendingMembers.size === 0
  }

  get canRebalance(): boolean {
    return PREDECESSORS.PreparingRebalance.includes(this.state)
  }

  /** How long a rebalance waits: the longest any member asked for. */
  get rebalanceTimeoutMs(): number {
    let longestMs = 0
    for (const member of this.members.values()) {
      longestMs = Math.max(longestMs, member.rebalanceTimeoutMs)
    }
    return longestMs
  }

  member(memberId: string): Member {
    return present(this.members.get(memberId), `member ${memberId} of group ${this.groupId}`)
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  /** Whether expired offsets of `topic` must stay. Unknown subscriptions count as all topics. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? this.usesConsumerProtocol
  }

  supports(protocolType: string, protocols: readonly { readonly name: string }[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0
    return (
      this.protocolType === protocolType &&
      protocols.some(({ name }) => (this.#support.get(name) ?? 0) === this.members.size)
    )
  }

  transitionTo(state: GroupState, nowMs: TimestampMs): void {
    assert(
      PREDECESSORS[state].includes(this.state),
      `group ${this.groupId} cannot go from ${this.state} to ${state}`,
    )
    this.stateTimestampMs = nowMs
    this.#setState(state)
  }

  /** The first member becomes leader and decides the protocol type. */
  add(member: Member): void {
    assert(!this.members.has(member.memberId), `${member.memberId} is a member already`)
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) {
      this.staticMembers.set(member.groupInstanceId, member.memberId)
    }
    this.#count(member, 1)
    this.pendingMembers.delete(member.memberId)
  }

  /** Forgets a member, pending or not; the next one in order of joining leads if it was the leader. */
  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member !== undefined) {
      this.members.delete(memberId)
      this.#count(member, -1)
      if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId)
    }
    this.awaitingJoin.delete(memberId)
    this.awaitingSync.delete(memberId)
    this.pendingMembers.delete(memberId)
    this.pendingSyncs.delete(memberId)
    if (this.isLeader(memberId)) this.leaderId = this.members.keys().next().value ?? null
  }

  setProtocols(member: Member, protocols: readonly MemberProtocol[]): void {
    this.#count(member, -1)
    member.protocols = protocols
    this.#count(member, 1)
  }

  /**
   * Puts `newMemberId` in the place of the static member that now runs as a new process. What the old
   * one waits for is answered FENCED_INSTANCE_ID.
   */
  replaceStaticMember(oldMemberId: string, newMemberId: string): Member {
    const old = this.member(oldMemberId)
    this.awaitingJoin.get(oldMemberId)?.fail(ErrorCode.FENCED_INSTANCE_ID)
    this.awaitingSync.get(oldMemberId)?.fail(ErrorCode.FENCED_INSTANCE_ID)
    const wasLeader = this.isLeader(oldMemberId)
    const member = old.successor(newMemberId)
    this.remove(oldMemberId)
    this.add(member)
    if (wasLeader) this.leaderId = newMemberId
    return member
  }

  /** NONE, or why a request of this member cannot be taken. */
  validateMember(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const current = this.staticMembers.get(groupInstanceId)
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  /**
   * Makes sure that the leader is one of those that rejoined. False when nobody did, or nobody is left.
   */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false
    if (this.awaitingJoin.has(this.leaderId)) return true
    for (const memberId of this.members.keys()) {
      if (!this.awaitingJoin.has(memberId)) continue
      this.leaderId = memberId
      return true
    }
    return false
  }

  /** What all members would agree on if `replaced` told `protocols` instead of its own. */
  protocolWith(replaced: string, protocols: readonly MemberProtocol[]): string {
    return selectProtocol(
      [...this.members.values()].map((member) =>
        member.memberId === replaced ? protocols : member.protocols,
      ),
    )
  }

  /** All that will join have joined: a new generation waits for its assignment. */
  beginGeneration(nowMs: TimestampMs): void {
    assert(this.members.size > 0, 'a generation has members')
    this.generation += 1
    this.protocolName = selectProtocol([...this.members.values()].map((each) => each.protocols))
    this.subscribedTopics = this.#readSubscriptions()
    this.pendingSyncs.clear()
    this.transitionTo('CompletingRebalance', nowMs)
  }

  /** The group as it is, with other assignments or another member where given. */
  toValue(
    changes: Input<GroupMetadataValue>,
    memberChanges: (member: Member) => Input<MemberMetadata> = () => ({}),
  ): Input<GroupMetadataValue> {
    const { protocolName } = this
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generation,
      protocol: protocolName,
      leader: this.leaderId,
      currentStateTimestamp: this.stateTimestampMs,
      members: [...this.members.values()].map((member) =>
        Object.assign(memberValueOf(member, protocolName), memberChanges(member)),
      ),
      ...changes,
    }
  }

  /** Takes over a persisted value: Stable with its members, or Empty without. */
  apply(value: GroupMetadataValue): void {
    const before = new Map(this.members)
    const staying = new Set(value.members.map(({ memberId }) => memberId))
    for (const memberId of before.keys()) if (!staying.has(memberId)) this.remove(memberId)
    this.members.clear()
    this.staticMembers.clear()
    this.#support.clear()
    this.generation = value.generation
    this.protocolType = value.protocolType === '' ? null : value.protocolType
    this.protocolName = value.protocol
    this.leaderId = value.leader
    this.stateTimestampMs = value.currentStateTimestamp
    for (const each of value.members) {
      this.add(memberOf(each, value.protocol ?? '', before.get(each.memberId)))
    }
    this.subscribedTopics = this.#readSubscriptions()
    this.#setState(value.members.length === 0 ? 'Empty' : 'Stable')
  }

  #setState(state: GroupState): void {
    if (state === this.state) return
    this.previousState = this.state
    this.state = state
    this.#onStateChange(this)
  }

  #count(member: Member, change: number): void {
    for (const { name } of member.protocols) {
      this.#support.set(name, (this.#support.get(name) ?? 0) + change)
    }
  }

  #readSubscriptions(): ReadonlySet<string> | null {
    if (!this.usesConsumerProtocol) return null
    const topics = new Set<string>()
    if (this.members.size === 0) return topics
    if (this.protocolName === null) return null
    for (const member of this.members.values()) {
      const read = subscribedTopicsOf(member.metadata(this.protocolName))
      if (read === null) return null
      for (const topic of read) topics.add(topic)
    }
    return topics
  }
}

function memberValueOf(member: Member, protocolName: string | null): MemberMetadata {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: protocolName === null ? NO_BYTES : member.metadata(protocolName),
    assignment: member.assignment,
  }
}

/** The member a record tells of; a live one keeps the protocols that the record leaves out. */
function memberOf(value: MemberMetadata, protocolName: string, live: Member | undefined): Member {
  const isKnown = live?.protocol(protocolName)?.metadata.equals(value.subscription) === true
  const member = new Member({
    memberId: value.memberId,
    groupInstanceId: value.groupInstanceId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    rebalanceTimeoutMs:
      value.rebalanceTimeout === -1 ? value.sessionTimeout : value.rebalanceTimeout,
    sessionTimeoutMs: value.sessionTimeout,
    protocols: isKnown
      ? live.protocols
      : [{ name: protocolName, metadata: Buffer.from(value.subscription) }],
    assignment: Buffer.from(value.assignment),
  })
  member.isNew = live?.isNew ?? false
  return member
}

function subscribedTopicsOf(metadata: Buffer): readonly string[] | null {
  const reader = new Reader(metadata)
  try {
    reader.int16()
    // Newer versions only append fields, so version 0 reads the topics of all of them.
    return decodeMessage(consumerProtocolSubscription, 0, reader).topics
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
