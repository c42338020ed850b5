import { roundRobinAssignor, rangeAssignor } from '../../client/assignors.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../client/consumer-protocol.ts'
import { Coordinator, CoordinatorType } from '../../client/coordinator.ts'
import { GroupMember, type AssignmentRound, type JoinedRound } from '../../client/group-member.ts'
import type { CommitIdentity } from '../../client/group-offsets.ts'
import { PROBE_OFFSET, type OwnershipOperation } from '../history/operation.ts'
import type { GroupPlan } from '../plan/workload-plan.ts'
import { ClientLink } from './client-link.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { assignCooperatively } from './cooperative-assignor.ts'
import type { GroupProgress } from './group-progress.ts'
import { PartitionFetcher, type GatedBatch } from './partition-fetcher.ts'
import type { Life, LifeContext } from './workload-actor.ts'

export const GROUP_REQUEST_TIMEOUT_MS = 2000
const RETRY_MS = 100
const POLL_MS = 100
/** One round in so many is followed by a commit of the generation before. */
const PROBE_ONE_IN = 3

type State = 'running' | 'stopping' | 'over'

/**
 * One life of a member of a consumer group: joins, reads what it is assigned from the committed offsets, commits,
 * heeds rebalances, leaves and comes back (churn). The membership protocol is that of our client; what is
 * committed when, and with which generation, is decided and recorded here.
 */
export class GroupMemberLife implements Life {
  readonly #plan: GroupPlan
  readonly #context: LifeContext
  readonly #progress: GroupProgress
  readonly #link: ClientLink
  readonly #member: GroupMember
  readonly #offsets: CommittedOffsets
  readonly #fetcher: PartitionFetcher
  /** Assigned and not given up, with the generation that last confirmed them. */
  #owned: readonly number[] = []
  #generation = -1
  /** Next offsets of what was processed, and what of it is committed. */
  readonly #processed = new Map<number, number>()
  readonly #committed = new Map<number, number>()
  /** Who it was in the last round: the member itself forgets that when it is told that it is out. */
  #lastIdentity: CommitIdentity | null = null
  #isCommitting = false
  #isRejoining = false
  /** Counts attempts to get into a round; what belongs to an older one is stale. */
  #attempt = 0
  #isLeader = false
  #roundPartitions = 0
  #probes = 0
  #state: State = 'running'
  #isCalm = false

  constructor(plan: GroupPlan, name: string, context: LifeContext, progress: GroupProgress) {
    this.#plan = plan
    this.#context = context
    this.#progress = progress
    const { history, process, ports, bootstrap, random } = context
    const { topic, groupId, sessionTimeoutMs } = plan
    const link = new ClientLink({
      clientId: process,
      ports,
      bootstrap,
      requestTimeoutMs: GROUP_REQUEST_TIMEOUT_MS,
      topics: [topic],
    })
    this.#link = link
    const coordinator = new Coordinator(link.cluster, CoordinatorType.GROUP, groupId)
    this.#offsets = new CommittedOffsets({ link, coordinator, history, process, topic })
    this.#member = new GroupMember({
      cluster: link.cluster,
      coordinator,
      protocolType: 'consumer',
      groupInstanceId: plan.isStatic ? name : null,
      sessionTimeoutMs,
      rebalanceTimeoutMs: sessionTimeoutMs,
      heartbeatIntervalMs: sessionTimeoutMs / 4,
      handler: {
        protocols: () => [{ name: plan.assignor, metadata: this.#subscription() }],
        assign: (round, done) => this.#assign(round, done),
        onRejoinNeeded: () => this.#rejoin(),
        onLost: () => this.#onLost(),
      },
    })
    const commitsFirst = plan.commit === 'before-processing'
    this.#fetcher = new PartitionFetcher({
      link,
      history,
      process,
      random: random.fork('fetch'),
      topic,
      purpose: 'group',
      isolation: 'read_uncommitted',
      everyMs: POLL_MS,
      onProgress: (partition, position) => this.#onProcessed(partition, position),
      ...(commitsFirst ? { gate: (batch) => this.#commitFirst(batch) } : {}),
    })
    link.updater.onUpdate(() => this.#onMetadata())
    this.#rejoin()
    if (!commitsFirst) this.#commitLater()
    if (plan.churnEveryMs > 0) this.#churnLater()
  }

  /** Stays in the group from now on. */
  calm(): void {
    this.#isCalm = true
  }

  stop(): void {
    if (this.#state !== 'running') return
    this.#state = 'stopping'
    this.#fetcher.stop()
    this.#giveUpAll(() => this.#leave(() => this.#end()))
    // A coordinator that cannot be reached is not waited for: the session ends by itself.
    this.#link.after(2 * GROUP_REQUEST_TIMEOUT_MS, 'group.leave-limit', () => this.#end())
  }

  pending(): string | null {
    return this.#state === 'stopping' ? `group member ${this.#context.process} is leaving` : null
  }

  abandon(): void {
    this.#link.abandon()
    this.#offsets.abandon()
    this.#state = 'over'
  }

  lagBehind(ends: ReadonlyMap<string, number>): string | null {
    return this.#progress.lagBehind(ends)
  }

  get #isCooperative(): boolean {
    return this.#plan.assignor === 'cooperative-sticky'
  }

  #subscription(): Buffer {
    const { topic } = this.#plan
    return encodeSubscription({
      topics: [topic],
      ownedPartitions: this.#isCooperative
        ? this.#owned.map((partition) => ({ topic, partition }))
        : [],
      generation: this.#generation,
    })
  }

  #assign(
    round: AssignmentRound,
    done: (error: Error | null, assignments: ReadonlyMap<string, Buffer> | null) => void,
  ): void {
    const { topic } = this.#plan
    this.#link.updater.whenTopic(topic, 1, GROUP_REQUEST_TIMEOUT_MS, (error, known) => {
      if (error !== null || known === null) return done(error, null)
      const assignment = this.#share(round, known.partitions.length)
      this.#roundPartitions = known.partitions.length
      const encoded = [...assignment].map(([memberId, partitions]) => {
        const list = partitions.map((partition) => ({ topic, partition }))
        return [memberId, encodeAssignment(list)] as const
      })
      done(null, new Map(encoded))
    })
  }

  #share(round: AssignmentRound, count: number): ReadonlyMap<string, readonly number[]> {
    const { topic, assignor } = this.#plan
    const members = round.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      ...decodeSubscription(metadata),
    }))
    if (assignor === 'cooperative-sticky') {
      return assignCooperatively(
        count,
        members.map(({ memberId, ownedPartitions, generation }) => ({
          memberId,
          generation,
          owned: ownedPartitions.map(({ partition }) => partition),
        })),
      )
    }
    const assign = assignor === 'range' ? rangeAssignor : roundRobinAssignor
    const assigned = assign.assign(new Map([[topic, count]]), members)
    return new Map(
      [...assigned].map(([memberId, list]) => [memberId, list.map(({ partition }) => partition)]),
    )
  }

  /** A new round: an eager member gives up everything first, a cooperative one keeps what it has. */
  #rejoin(): void {
    if (this.#state !== 'running' || this.#isRejoining || this.#link.isClosed) return
    this.#isRejoining = true
    this.#attempt += 1
    const attempt = this.#attempt
    if (this.#isCooperative) this.#commitChanged(() => this.#join(attempt))
    else this.#giveUpAll(() => this.#join(attempt))
  }

  #join(attempt: number): void {
    const isStale = (): boolean => attempt !== this.#attempt || this.#state !== 'running'
    if (isStale() || this.#link.isClosed) return
    this.#member.join((error, round) => {
      if (isStale() || this.#link.isClosed) return
      this.#isRejoining = false
      if (error === null && round !== null) return this.#onJoined(round)
      this.#link.after(RETRY_MS, 'group.rejoin', () => this.#rejoin())
    })
  }

  #onJoined(round: JoinedRound): void {
    const assigned = decodeAssignment(round.assignment)
      .map(({ partition }) => partition)
      .sort((a, b) => a - b)
    // Who missed a generation does not know to whom that gave what it has: it goes on from what is committed.
    const hasMissed = this.#generation >= 0 && round.generation > this.#generation + 1
    if (hasMissed && this.#owned.length > 0) this.#release('lost', this.#owned, this.#generation)
    const before = { owned: this.#owned, generation: this.#generation }
    const revoked = before.owned.filter((partition) => !assigned.includes(partition))
    const added = assigned.filter((partition) => !before.owned.includes(partition))
    this.#isLeader = round.isLeader
    this.#generation = round.generation
    this.#lastIdentity = this.#member.identity
    if (revoked.length > 0) this.#release('revoked', revoked, before.generation)
    this.#owned = assigned
    this.#note('assigned', assigned, round.generation)
    this.#readCommitted(added, round.generation)
    this.#probeOldGeneration(before.generation)
    if (this.#isCooperative && revoked.length > 0) this.#rejoin()
  }

  /** Goes on from the committed offset of each partition that is new here, or from the start. */
  #readCommitted(partitions: readonly number[], generation: number): void {
    if (partitions.length === 0) return
    this.#offsets.read(partitions, (error, offsets) => {
      // In a cooperative group a later round may have left the partitions here.
      const still = partitions.filter((each) => this.#owned.includes(each))
      const isOver = this.#state !== 'running' || still.length === 0
      if (isOver || (!this.#isCooperative && generation !== this.#generation)) return
      if (error !== null) {
        this.#link.after(RETRY_MS, 'group.offsets', () => this.#readCommitted(still, generation))
        return
      }
      for (const partition of still) {
        if (this.#fetcher.position(partition) !== null) continue
        const offset = offsets.get(partition) ?? -1
        if (offset >= 0) this.#committed.set(partition, offset)
        this.#fetcher.assign(partition, Math.max(0, offset))
      }
    })
  }

  #onProcessed(partition: number, position: number): void {
    this.#processed.set(partition, position)
    this.#progress.processed(partition, position)
  }

  #commitLater(): void {
    const { commitEveryMs } = this.#plan
    const delayMs = (commitEveryMs * (500 + this.#context.random.below(1001))) / 1000
    this.#link.after(delayMs, 'group.commit', () => {
      if (this.#state !== 'running') return
      if (!this.#isRejoining) this.#commitChanged(() => undefined)
      this.#commitLater()
    })
  }

  /** At most once: what came is processed when its commit was acknowledged, so that no other gets it again. */
  #commitFirst(batch: GatedBatch): void {
    if (this.#state !== 'running' || !batch.isCurrent()) return
    const { identity } = this.#member
    const again = (): void => {
      this.#link.after(RETRY_MS, 'group.commit-first', () => this.#commitFirst(batch))
    }
    if (identity.generation < 0 || identity.generation !== this.#generation) return again()
    const { partition, nextOffset } = batch
    this.#offsets.commit(new Map([[partition, nextOffset]]), identity, null, (error) => {
      if (error === null) {
        this.#committed.set(partition, nextOffset)
        return batch.proceed()
      }
      // Whether it counts is not known: only another try tells, or the next owner's read.
      if (this.#state === 'running') this.#member.onCommitError(error)
      again()
    })
  }

  #commitChanged(done: () => void): void {
    const changed = new Map<number, number>()
    for (const partition of this.#owned) {
      const position = this.#processed.get(partition)
      if (position !== undefined && position !== this.#committed.get(partition)) {
        changed.set(partition, position)
      }
    }
    const { identity } = this.#member
    const isMember = identity.generation >= 0 && identity.generation === this.#generation
    const isHeld = this.#isCommitting || this.#plan.commit === 'before-processing'
    if (changed.size === 0 || isHeld || !isMember) return done()
    this.#isCommitting = true
    this.#offsets.commit(changed, identity, null, (error) => {
      this.#isCommitting = false
      if (error === null) {
        for (const [partition, offset] of changed) this.#committed.set(partition, offset)
      } else if (this.#state === 'running') this.#member.onCommitError(error)
      done()
    })
  }

  #giveUpAll(done: () => void): void {
    // Nothing is processed any more that the last commit would not cover.
    for (const partition of this.#fetcher.partitions) this.#fetcher.unassign(partition)
    this.#commitChanged(() => {
      if (this.#owned.length > 0) this.#release('revoked', this.#owned, this.#generation)
      done()
    })
  }

  #onLost(): void {
    const generation = this.#generation
    const owned = this.#owned
    if (owned.length > 0) this.#release('lost', owned, generation)
    this.#isRejoining = false
    this.#attempt += 1
    this.#isLeader = false
    this.#generation = -1
    if (this.#lastIdentity !== null) this.#probe(this.#lastIdentity, owned[0] ?? 0)
    this.#lastIdentity = null
  }

  #release(op: 'revoked' | 'lost', partitions: readonly number[], generation: number): void {
    for (const partition of partitions) {
      this.#fetcher.unassign(partition)
      this.#processed.delete(partition)
      this.#committed.delete(partition)
    }
    this.#owned = this.#owned.filter((partition) => !partitions.includes(partition))
    this.#note(op, partitions, generation)
  }

  #note(op: OwnershipOperation['op'], partitions: readonly number[], generation: number): void {
    const { history, process } = this.#context
    const { groupId, topic } = this.#plan
    history.note(process, { op, group: groupId, member: process, generation, topic, partitions })
  }

  /** The generation before has ended with this round: a commit of it must be refused (as in `#onLost`). */
  #probeOldGeneration(generation: number): void {
    const identity = this.#member.identity
    const isOlder = generation >= 0 && generation < identity.generation
    if (!isOlder || this.#context.random.below(PROBE_ONE_IN) > 0) return
    this.#probe({ ...identity, generation }, 0)
  }

  #probe(identity: CommitIdentity, partition: number): void {
    this.#probes += 1
    const offsets = new Map([[partition, PROBE_OFFSET + this.#probes]])
    this.#offsets.commit(offsets, identity, 'refused', () => undefined)
  }

  #churnLater(): void {
    const delayMs = (this.#plan.churnEveryMs * (500 + this.#context.random.below(1001))) / 1000
    this.#link.after(delayMs, 'group.churn', () => {
      if (this.#state !== 'running' || this.#isCalm) return
      this.#churnLater()
      if (this.#isRejoining || this.#generation < 0) return
      this.#isRejoining = true
      this.#attempt += 1
      const attempt = this.#attempt
      this.#giveUpAll(() => {
        if (attempt === this.#attempt) this.#leave(() => this.#comeBack(attempt))
      })
    })
  }

  #comeBack(attempt: number): void {
    if (attempt !== this.#attempt) return
    this.#isRejoining = false
    this.#generation = -1
    this.#lastIdentity = null
    this.#link.after(RETRY_MS, 'group.come-back', () => this.#rejoin())
  }

  #leave(done: () => void): void {
    if (this.#link.isClosed) return
    this.#member.leave('the workload says so', () => {
      if (!this.#link.isClosed) done()
    })
  }

  /** The leader shares out again when the topic has grown, as Java's consumers do. */
  #onMetadata(): void {
    if (!this.#isLeader || this.#link.isClosed || this.#generation < 0) return
    if (this.#link.partitionCount(this.#plan.topic) > this.#roundPartitions) this.#rejoin()
  }

  #end(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#offsets.abandon()
    this.#member.close()
    this.#link.close()
  }
}
