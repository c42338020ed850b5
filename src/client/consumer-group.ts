import { messageOf, WireError } from '../base/errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { Assignor, AssignorMember } from './assignors.ts'
import type { Cluster } from './cluster.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol.ts'
import { Coordinator, CoordinatorType } from './coordinator.ts'
import {
  GroupMember,
  type AssignmentRound,
  type GroupProtocol,
  type JoinedRound,
} from './group-member.ts'
import { GroupOffsets, type OffsetAndMetadata } from './group-offsets.ts'
import { KafkaError } from './kafka-error.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import { withRetries } from './retry.ts'
import type { SubscriptionState } from './subscription-state.ts'

/** Told of what a consumer gets and gives up, always from inside a poll; the poll goes on after `done`. */
export interface RebalanceHooks {
  onAssigned(partitions: readonly TopicPartition[], done: (error: Error | null) => void): void
  onRevoked(partitions: readonly TopicPartition[], done: (error: Error | null) => void): void
  onLost(partitions: readonly TopicPartition[], done: (error: Error | null) => void): void
}

export interface ConsumerGroupOptions {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly subscription: SubscriptionState
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** `max.poll.interval.ms`, which is the rebalance timeout too. */
  readonly maxPollIntervalMs: number
  readonly assignors: readonly Assignor[]
  readonly excludesInternalTopics: boolean
  /** Commits what was given to the application, before partitions are given up; null: it does not. */
  readonly autoCommit: ((done: (error: Error | null) => void) => void) | null
  readonly onProgress: () => void
  readonly onError: (error: Error) => void
}

type AssignDone = (error: Error | null, assignments: ReadonlyMap<string, Buffer> | null) => void

const NO_HOOKS: RebalanceHooks = {
  onAssigned: (_partitions, done) => done(null),
  onRevoked: (_partitions, done) => done(null),
  onLost: (_partitions, done) => done(null),
}

/**
 * A consumer's part in its group, under the eager protocol: before a round everything is given up, after it the new
 * assignment is taken. Things change in `step` only, so an application sees no change between two polls.
 */
export class ConsumerGroup {
  readonly coordinator: Coordinator
  readonly offsets: GroupOffsets
  readonly member: GroupMember
  hooks: RebalanceHooks = NO_HOOKS
  readonly #options: ConsumerGroupOptions
  #topics: readonly string[] = []
  #needsRejoin = true
  #isJoining = false
  #isInHook = false
  #lostBy: Error | null = null
  #joined: JoinedRound | null = null
  #isLeader = false
  /** Partition counts that the leader shared out by. */
  #sharedCounts: ReadonlyMap<string, number> = new Map()

  constructor(options: ConsumerGroupOptions) {
    this.#options = options
    const { cluster } = options
    this.coordinator = new Coordinator(cluster, CoordinatorType.GROUP, options.groupId)
    this.offsets = new GroupOffsets(cluster, this.coordinator)
    this.member = new GroupMember({
      cluster,
      coordinator: this.coordinator,
      protocolType: 'consumer',
      groupInstanceId: options.groupInstanceId,
      sessionTimeoutMs: options.sessionTimeoutMs,
      rebalanceTimeoutMs: options.maxPollIntervalMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      handler: {
        protocols: () => this.#protocols(),
        assign: (round, done) => this.#assign(round, done),
        onRejoinNeeded: () => this.rejoin(),
        onLost: (error) => {
          this.#lostBy = error
          this.#joined = null
        },
      },
    })
  }

  /** True while a rebalance hook runs; a poll does not end meanwhile. */
  get isInHook(): boolean {
    return this.#isInHook
  }

  /** The subscription has changed. */
  resubscribe(): void {
    const { subscription, updater } = this.#options
    updater.trackAll(subscription.mode.kind === 'pattern')
    this.#topics = this.#wantedTopics()
    updater.track(this.#topics)
    this.rejoin()
  }

  /** Asks for a new round at the next step. */
  rejoin(): void {
    this.#needsRejoin = true
    this.#options.onProgress()
  }

  /** Does what is due. True when the assignment is good to read from. */
  step(): boolean {
    if (this.#isInHook) return false
    if (this.#lostBy !== null) return this.#giveUpLost(this.#lostBy)
    if (this.#isJoining) return false
    if (this.#needsRejoin) return this.#prepareJoin()
    if (this.#joined !== null) return this.#takeAssignment(this.#joined)
    return this.member.state === 'stable'
  }

  /** The owner does not poll: leave, so that others can have the partitions. */
  onPollTimeout(error: Error): void {
    if (this.member.memberId === '') return
    this.#forget()
    this.#lostBy = error
    this.member.leave('poll timeout has expired', () => undefined)
  }

  /** Topics came, went or grew. */
  onMetadata(): void {
    const topics = this.#wantedTopics()
    const isOther = topics.join() !== this.#topics.join()
    if (isOther) {
      this.#topics = topics
      this.#options.updater.track(topics)
    }
    const hasGrown = this.#isLeader && this.member.state === 'stable' && this.#hasOtherCounts()
    if (isOther || hasGrown) this.rejoin()
  }

  /** Commits, with retries. Fails with `KafkaError` when this consumer is no member of its round any more. */
  commit(
    offsets: readonly OffsetAndMetadata[],
    timeoutMs: number,
    done: (error: Error | null) => void,
  ): void {
    const { cluster } = this.#options
    withRetries<true>({
      what: `commit offsets of group "${this.coordinator.key}"`,
      clock: cluster.ports.clock,
      random: cluster.ports.random,
      backoff: cluster.retryBackoff,
      timeoutMs,
      attempt: (_remainingMs, tried) =>
        this.commitOnce(offsets, (error) => tried(error, error === null ? true : null)),
      done: (error) => done(error),
    })
  }

  commitOnce(offsets: readonly OffsetAndMetadata[], done: (error: Error | null) => void): void {
    const isMember = this.member.generation >= 0
    if (offsets.length > 0 && this.#options.subscription.isGroup && !isMember) {
      const error = new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, 'not a member of the group now')
      this.#options.cluster.ports.clock.after(0, 'client.refused', () => done(error))
      return
    }
    this.offsets.commit(offsets, this.member.identity, (error) => {
      if (error !== null) this.member.onCommitError(error)
      done(error)
    })
  }

  /** Gives everything up and leaves. Errors are not worth waiting for: the session ends anyhow. */
  leave(done: () => void): void {
    this.#forget()
    this.#revoke((error) => {
      if (error !== null) this.#options.onError(error)
      this.member.leave('the consumer is being closed', () => done())
    })
  }

  #forget(): void {
    this.#isJoining = false
    this.#joined = null
    this.#lostBy = null
    this.#needsRejoin = true
  }

  #giveUpLost(why: Error): boolean {
    const { subscription, cluster } = this.#options
    this.#lostBy = null
    this.#needsRejoin = true
    const partitions = plain(subscription.assigned)
    if (partitions.length === 0) return this.step()
    cluster.emit('client.partitions-lost', { count: partitions.length, why: messageOf(why) })
    this.#runHook(
      (done) => this.hooks.onLost(partitions, done),
      () => subscription.assign([]),
    )
    return false
  }

  #prepareJoin(): boolean {
    const { subscription } = this.#options
    this.#joined = null
    if (this.#topics.length === 0 && subscription.mode.kind === 'pattern') return false
    if (subscription.assigned.length > 0) {
      this.#isInHook = true
      this.#revoke((error) => this.#endHook(error))
      return false
    }
    this.#needsRejoin = false
    this.#isJoining = true
    this.member.join((error, round) => {
      if (!this.#isJoining) return
      this.#isJoining = false
      this.#joined = round
      if (error !== null) {
        this.#needsRejoin = true
        this.#options.onError(error)
      } else this.#options.onProgress()
    })
    return false
  }

  #revoke(done: (error: Error | null) => void): void {
    const { subscription, autoCommit } = this.#options
    const partitions = plain(subscription.assigned)
    if (partitions.length === 0) return done(null)
    const goOn = (): void => {
      this.hooks.onRevoked(partitions, (error) => {
        subscription.assign([])
        done(error)
      })
    }
    if (autoCommit === null) goOn()
    else autoCommit(goOn)
  }

  #takeAssignment(round: JoinedRound): boolean {
    const { subscription, updater } = this.#options
    this.#joined = null
    this.#isLeader = round.isLeader
    const partitions = decodeAssignment(round.assignment)
    subscription.assign(partitions)
    updater.track(partitions.map(({ topic }) => topic))
    this.#runHook(
      (done) => this.hooks.onAssigned(partitions, done),
      () => undefined,
    )
    return false
  }

  #runHook(hook: (done: (error: Error | null) => void) => void, after: () => void): void {
    this.#isInHook = true
    hook((error) => {
      after()
      this.#endHook(error)
    })
  }

  #endHook(error: Error | null): void {
    this.#isInHook = false
    if (error !== null) this.#options.onError(error)
    else this.#options.onProgress()
  }

  #protocols(): readonly GroupProtocol[] {
    const metadata = encodeSubscription({
      topics: this.#topics,
      ownedPartitions: [],
      generation: -1,
    })
    return this.#options.assignors.map(({ name }) => ({ name, metadata }))
  }

  #assign(round: AssignmentRound, done: AssignDone): void {
    const { updater, assignors, cluster } = this.#options
    const assignor = assignors.find(({ name }) => name === round.protocol)
    const members = membersOf(round)
    if (members instanceof Error) return done(members, null)
    if (assignor === undefined) {
      return done(new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, round.protocol), null)
    }
    const topics = new Set(members.flatMap((member) => member.topics))
    updater.track(topics)
    updater.refresh(() => {
      this.#sharedCounts = countsOf(cluster, topics)
      const assignment = assignor.assign(this.#sharedCounts, members)
      const encoded = [...assignment].map(
        ([memberId, partitions]) => [memberId, encodeAssignment(partitions)] as const,
      )
      done(null, new Map(encoded))
    })
  }

  #wantedTopics(): readonly string[] {
    const { subscription, cluster, excludesInternalTopics } = this.#options
    const { mode } = subscription
    if (mode.kind === 'topics') return [...new Set(mode.topics)].sort()
    if (mode.kind !== 'pattern') return []
    return [...cluster.metadata.topics.values()]
      .filter(({ isInternal }) => !(isInternal && excludesInternalTopics))
      .map(({ name }) => name)
      .filter((name) => mode.pattern.test(name))
      .sort()
  }

  #hasOtherCounts(): boolean {
    const counts = countsOf(this.#options.cluster, this.#sharedCounts.keys())
    return [...this.#sharedCounts].some(([topic, count]) => counts.get(topic) !== count)
  }
}

function membersOf(round: AssignmentRound): readonly AssignorMember[] | WireError {
  try {
    return round.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      topics: decodeSubscription(metadata).topics,
    }))
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
}

function countsOf(cluster: Cluster, topics: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const topic of topics) {
    counts.set(topic, cluster.metadata.topic(topic)?.partitions.length ?? 0)
  }
  return counts
}

function plain(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  return partitions.map(({ topic, partition }) => ({ topic, partition }))
}
