import { assert } from '../../src/base/assert.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { AppendOrigin, PartitionLog } from '../log/partition-log.ts'
import type { VerificationGuard, VerificationRequest } from '../log/verification-states.ts'
import { assignedDirectory, isOnlineDirectory } from '../metadata/directory-id.ts'
import type { BrokerRegistration, PartitionState } from '../metadata/image.ts'
import type { IsrProposal } from './in-sync-set.ts'
import { LeaderRole, type FollowerEligibility } from './leader-role.ts'
import type {
  AcceptedFetch,
  Appended,
  AppendedTransaction,
  FetchedData,
  IsrAnswer,
} from './partition-exchange.ts'
import { throwStorageError } from './storage-failure.ts'
import type { TopicConfig } from './topic-config.ts'

/** What a partition needs of its broker. */
export interface PartitionSurroundings {
  readonly brokerId: BrokerId
  /** Epoch of this broker's registration. */
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly events: EventSink
  readonly replicaLagTimeMaxMs: number
  readonly broker: (id: BrokerId) => BrokerRegistration | undefined
  /** Asks the controller for a change of the in-sync set; `onIsrAnswer` is called with the outcome. */
  readonly proposeIsr: (partition: Partition, proposal: IsrProposal) => void
  /** The log end, high watermark, last stable offset, epoch or role has changed. */
  readonly changed: (partition: Partition) => void
}

export interface PartitionOptions {
  readonly topic: string
  readonly partition: number
  readonly log: PartitionLog
  readonly config: TopicConfig
  readonly surroundings: PartitionSurroundings
}

/** What a change of role did; nothing when the state was older than what is known. */
export interface RoleChange {
  readonly isApplied: boolean
  readonly isNewEpoch: boolean
}

type Assignment = Pick<PartitionState, 'replicas' | 'directories'>

const NOWHERE: Assignment = { replicas: [], directories: [] }
const IGNORED: RoleChange = { isApplied: false, isNewEpoch: false }

/**
 * One replica that this broker hosts: its role by the newest metadata, its log and, on the leader, the
 * in-sync set and the high watermark. Every step is synchronous and calls `surroundings.changed` last, when
 * the state is whole again (Kafka's Partition.scala).
 */
export class Partition {
  readonly topic: string
  readonly partition: number
  /** `topic-partition`. */
  readonly key: string
  readonly #surroundings: PartitionSurroundings
  readonly #eligibility: FollowerEligibility
  #log: PartitionLog
  #config: TopicConfig
  #role: LeaderRole | null = null
  #leaderId: BrokerId = -1
  #leaderEpoch: LeaderEpoch = -1
  #partitionEpoch = -1
  #assignment: Assignment = NOWHERE
  #hasCaughtUp = false

  constructor(options: PartitionOptions) {
    this.topic = options.topic
    this.partition = options.partition
    this.key = topicPartitionKey(options.topic, options.partition)
    this.#log = options.log
    this.#config = options.config
    this.#surroundings = options.surroundings
    this.#eligibility = { isEligible: (id, epoch) => this.#isEligible(id, epoch) }
  }

  get log(): PartitionLog {
    return this.#log
  }

  get topicId(): Uuid {
    return this.log.topicId
  }

  get isLeader(): boolean {
    return this.#role !== null
  }

  /** Null on a follower. */
  get leaderRole(): LeaderRole | null {
    return this.#role
  }

  /** -1: there is none. */
  get leaderId(): BrokerId {
    return this.#leaderId
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#leaderEpoch
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch
  }

  get replicas(): readonly BrokerId[] {
    return this.#assignment.replicas
  }

  get config(): TopicConfig {
    return this.#config
  }

  /** min.insync.replicas, or the number of replicas when that is smaller. */
  get effectiveMinInsyncReplicas(): number {
    return Math.min(this.#config.minInsyncReplicas, this.replicas.length)
  }

  /** New settings of the topic. */
  configure(config: TopicConfig): void {
    this.#config = config
    this.log.updateConfig(config.log)
    if (this.#advanceHighWatermark()) this.#surroundings.changed(this)
  }

  /** The log has moved: this one, from another log directory, has the same in it. */
  replaceLog(log: PartitionLog): void {
    const { logEndOffset, highWatermark } = this.#log
    assert(log.logEndOffset === logEndOffset, `${this.key} ends where it did before its move`)
    log.updateHighWatermark(highWatermark)
    this.#log = log
    this.#surroundings.changed(this)
  }

  /** Takes up leadership, or a new in-sync set or assignment within the epoch that is already led. */
  makeLeader(state: PartitionState): RoleChange {
    if (!this.#isNews(state)) return IGNORED
    assert(state.leader === this.#surroundings.brokerId, `${this.key} is led by ${state.leader}`)
    const isNewEpoch = state.leaderEpoch > this.#leaderEpoch
    if (isNewEpoch || this.#role === null) this.#beginLeading(state)
    else this.#continueLeading(this.#role, state)
    this.#partitionEpoch = state.partitionEpoch
    this.#advanceHighWatermark()
    this.#surroundings.changed(this)
    return { isApplied: true, isNewEpoch }
  }

  /** Takes up following, also of nobody (leader -1). Truncation waits for the leader's word on epochs. */
  makeFollower(state: PartitionState): RoleChange {
    if (!this.#isNews(state)) return IGNORED
    assert(state.leader !== this.#surroundings.brokerId, `${this.key} is led by this broker`)
    const isNewEpoch = state.leaderEpoch > this.#leaderEpoch
    const wasLeader = this.#role !== null
    this.#role = null
    this.#leaderId = state.leader
    this.#leaderEpoch = state.leaderEpoch
    this.#partitionEpoch = state.partitionEpoch
    this.#assignment = state
    if (isNewEpoch || wasLeader) {
      this.#hasCaughtUp = false
      this.#emitLeaderChange(state)
    }
    this.#surroundings.changed(this)
    return { isApplied: true, isNewEpoch: isNewEpoch || wasLeader }
  }

  /** This broker hosts the partition no longer; whoever still holds it finds that nobody leads. */
  retire(): void {
    this.#role = null
    this.#leaderId = -1
    this.#assignment = NOWHERE
    this.#surroundings.changed(this)
  }

  /**
   * Why a request with `currentLeaderEpoch` (-1: unchecked) may not be served here, or NONE:
   * FENCED_LEADER_EPOCH when it is older than the epoch here, UNKNOWN_LEADER_EPOCH when newer (KIP-320).
   */
  accessError(currentLeaderEpoch: LeaderEpoch, needsLeader: boolean): ErrorCode {
    if (currentLeaderEpoch !== -1 && currentLeaderEpoch < this.#leaderEpoch) {
      return ErrorCode.FENCED_LEADER_EPOCH
    }
    if (currentLeaderEpoch > this.#leaderEpoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    return needsLeader && !this.isLeader ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.NONE
  }

  /**
   * Appends on the leader. NOT_ENOUGH_REPLICAS, with nothing appended, when acks=all is asked for and the
   * committed in-sync set is smaller than the effective min.insync.replicas. Throws `StorageFailure`.
   */
  appendAsLeader(
    records: Buffer,
    requiredAcks: number,
    origin: AppendOrigin,
    transaction: AppendedTransaction = {},
  ): Appended {
    const role = this.#role
    if (role === null) return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, result: null }
    if (requiredAcks === -1 && role.inSync.committed.size < this.effectiveMinInsyncReplicas) {
      this.tell('partition.append-refused', { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS })
      return { error: ErrorCode.NOT_ENOUGH_REPLICAS, result: null }
    }
    const result = this.log.appendAsLeader(records, {
      leaderEpoch: this.#leaderEpoch,
      nowMs: this.#surroundings.clock.wallMs(),
      origin,
      isTopicCompacted: this.#config.log.cleanupPolicy.includes('compact'),
      ...transaction,
    })
    throwStorageError(result.error, this.key)
    if (result.error !== ErrorCode.NONE) {
      this.tell('partition.append-refused', { errorCode: result.error })
      return { error: result.error, result }
    }
    if (result.isDuplicate) this.tell('partition.repeat-answered', { offset: result.baseOffset })
    this.#advanceHighWatermark()
    this.#surroundings.changed(this)
    return { error: ErrorCode.NONE, result }
  }

  /** On the leader: the guard for the first batch of a transaction; null when it is open here already. */
  beginVerification(request: VerificationRequest): VerificationGuard | null {
    return this.log.beginVerification(request, this.#surroundings.clock.wallMs())
  }

  /**
   * On the leader: the least log start of itself and of the followers whose brokers are alive (one that is dead takes
   * the log start over when it comes back). Null when this broker does not lead.
   */
  get lowWatermark(): Offset | null {
    if (this.#role === null) return null
    let low = this.log.logStartOffset
    for (const { brokerId, logStartOffset } of this.#role.followers.values()) {
      const broker = this.#surroundings.broker(brokerId)
      if (broker !== undefined && !broker.isFenced) low = Math.min(low, logStartOffset)
    }
    return low
  }

  /**
   * Raises the log start on the leader (DeleteRecords). POLICY_VIOLATION for a topic that is only compacted;
   * OFFSET_OUT_OF_RANGE above the high watermark, since what is not committed may not be taken for deleted.
   */
  deleteRecordsBefore(offset: Offset): ErrorCode {
    if (this.#role === null) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    const { cleanupPolicy } = this.#config.log
    if (cleanupPolicy.includes('compact') && !cleanupPolicy.includes('delete')) {
      return ErrorCode.POLICY_VIOLATION
    }
    if (offset < 0) return ErrorCode.OFFSET_OUT_OF_RANGE
    const error = this.log.incrementLogStartOffset(offset)
    if (error === ErrorCode.NONE) this.#surroundings.changed(this)
    return error
  }

  /**
   * Whether everything below `offset` is committed; null while it is not. NOT_ENOUGH_REPLICAS_AFTER_APPEND
   * when it is, but too few replicas are in sync for the promise of acks=all.
   */
  commitOutcome(offset: Offset): ErrorCode | null {
    const role = this.#role
    if (role === null) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (this.log.highWatermark < offset) return null
    const hasEnough = role.inSync.maximal.size >= this.effectiveMinInsyncReplicas
    return hasEnough ? ErrorCode.NONE : ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
  }

  /** Whether a request comes from an earlier registration of a broker than the newest one known (KIP-903). */
  isFromPastLife(brokerId: BrokerId, brokerEpoch: number): boolean {
    const broker = this.#surroundings.broker(brokerId)
    return brokerEpoch !== -1 && broker !== undefined && brokerEpoch < broker.epoch
  }

  /** On the leader: learns the follower's position, may ask for its admission and raise the high watermark. */
  onFollowerFetch(fetch: AcceptedFetch): void {
    const role = this.#role
    const follower = role?.followers.get(fetch.brokerId)
    if (role === null || follower === undefined) assert(false, `${this.key} is not followed`)
    if (fetch.leaderEpoch !== role.leaderEpoch) {
      assert(
        false,
        `${this.key}: a fetch of epoch ${fetch.leaderEpoch} counts in ${role.leaderEpoch}`,
      )
    }
    if (this.isFromPastLife(fetch.brokerId, fetch.brokerEpoch)) {
      assert(false, `${this.key}: a fetch of ${fetch.brokerId} in a past life counts`)
    }
    const before = follower.logEndOffset
    const startBefore = follower.logStartOffset
    follower.onFetch({
      offset: fetch.offset,
      logStartOffset: fetch.logStartOffset,
      leaderEndOffset: this.log.logEndOffset,
      brokerEpoch: fetch.brokerEpoch,
      nowMs: this.#nowMs(),
    })
    this.#propose(role.expansion(follower, this.log.highWatermark, this.#proposalBase()))
    const hasAdvanced = before !== fetch.offset && this.#advanceHighWatermark()
    if (hasAdvanced || startBefore !== fetch.logStartOffset) this.#surroundings.changed(this)
  }

  /** Asks the controller to drop members that lag too long. For the periodic check. */
  shrinkIsr(): void {
    const role = this.#role
    if (role === null) return
    this.#propose(role.shrinking(this.log.logEndOffset, this.#nowMs(), this.#proposalBase()))
  }

  /** Other brokers' registrations changed: who was waited for may no longer count. */
  onBrokersChanged(): void {
    if (this.#advanceHighWatermark()) this.#surroundings.changed(this)
  }

  /**
   * The controller answered a proposal. `retry`: send the same proposal again, its fate is unknown. After
   * most refusals the proposal stays pending, and the maximal ISR large, until newer metadata comes: the
   * change may have been made by an earlier try. Only answers that prove it was not made roll it back.
   */
  onIsrAnswer(proposal: IsrProposal, answer: IsrAnswer): 'done' | 'retry' {
    const role = this.#role
    if (role === null || role.inSync.proposal !== proposal) return 'done'
    if (answer.error !== ErrorCode.NONE) {
      this.tell('partition.isr-refused', { errorCode: answer.error })
    }
    switch (answer.error) {
      case ErrorCode.NONE:
        this.#onIsrAccepted(role, answer)
        return 'done'
      case ErrorCode.INELIGIBLE_REPLICA:
      case ErrorCode.OPERATION_NOT_ATTEMPTED:
      case ErrorCode.INVALID_REQUEST:
        role.inSync.rollBack()
        if (this.#advanceHighWatermark()) this.#surroundings.changed(this)
        return 'done'
      case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      case ErrorCode.UNKNOWN_TOPIC_ID:
      case ErrorCode.FENCED_LEADER_EPOCH:
      case ErrorCode.INVALID_UPDATE_VERSION:
      case ErrorCode.NEW_LEADER_ELECTED:
        return 'done'
      default:
        return 'retry'
    }
  }

  /**
   * On a follower: appends what the leader sent and follows its high watermark and log start. Throws
   * `StorageFailure`.
   */
  appendAsFollower(data: FetchedData): ErrorCode {
    if (this.isLeader) assert(false, `${this.key} is led here and takes nothing from others`)
    if (data.leaderEpoch !== this.#leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
    const { log } = this
    const endBefore = log.logEndOffset
    const hasRecords = data.records !== null && data.records.length > 0
    if (hasRecords) {
      const nowMs = this.#surroundings.clock.wallMs()
      const appended = log.appendAsFollower(data.records, nowMs, data.leaderEpoch)
      throwStorageError(appended.error, this.key)
      if (appended.error !== ErrorCode.NONE) {
        this.tell('replica.append-refused', { errorCode: appended.error })
        return appended.error
      }
    }
    const highWatermark = Math.max(
      log.logStartOffset,
      Math.min(data.highWatermark, log.logEndOffset),
    )
    const hasMoved = highWatermark !== log.highWatermark
    if (hasMoved) log.updateHighWatermark(highWatermark)
    if (data.logStartOffset > log.logStartOffset) {
      log.incrementLogStartOffset(Math.min(data.logStartOffset, log.highWatermark))
    }
    if (!hasRecords && log.logEndOffset >= data.highWatermark) this.#onCaughtUp()
    if (hasMoved || log.logEndOffset !== endBefore) this.#surroundings.changed(this)
    return ErrorCode.NONE
  }

  /** On a follower: cuts the log at `offset`, which came from a comparison with the leader. */
  truncateTo(offset: Offset, reason: string): void {
    assert(!this.isLeader, `${this.key} is led here and never cut`)
    const from = this.log.logEndOffset
    const fromEpoch = this.log.latestEpoch
    this.log.truncateTo(offset)
    this.#emitTruncation(from, fromEpoch, reason)
  }

  /** On a follower: drops the whole log and goes on at `offset`, the leader's log start. */
  restartAt(offset: Offset, reason: string): void {
    assert(!this.isLeader, `${this.key} is led here and never cut`)
    const from = this.log.logEndOffset
    const fromEpoch = this.log.latestEpoch
    this.log.truncateFullyAndStartAt(offset)
    this.#emitTruncation(from, fromEpoch, reason)
  }

  /** An event of this partition, for parts of the replication layer that have no sink of their own. */
  tell(kind: string, fields: Parameters<EventSink['emit']>[1]): void {
    const { topic, partition } = this
    this.#surroundings.events.emit(kind, {
      topic,
      partition,
      leaderEpoch: this.#leaderEpoch,
      ...fields,
    })
  }

  /**
   * Older states are ignored. This broker takes up its partitions when its metadata are at its registration, so no
   * record of its log is of a later epoch, unless a bit of it, which no CRC covers, has flipped on the disk.
   */
  #isNews(state: PartitionState): boolean {
    if (state.leaderEpoch < this.#leaderEpoch) return false
    if (state.leaderEpoch === this.#leaderEpoch && state.partitionEpoch < this.#partitionEpoch) {
      return false
    }
    const { latestEpoch } = this.log
    if (state.leaderEpoch >= latestEpoch) return true
    throw new CorruptionError(
      `the log of ${this.key} has records of leader epoch ${latestEpoch}, and the partition is in ${state.leaderEpoch}`,
    )
  }

  #beginLeading(state: PartitionState): void {
    const previous = this.#role?.leaderEpoch === state.leaderEpoch - 1 ? this.#role : null
    this.#leaderId = state.leader
    this.#leaderEpoch = state.leaderEpoch
    this.#assignment = state
    const epochStartOffset = this.log.logEndOffset
    // Followers may have entries of a later epoch than any in this log. They find where to cut
    // only if the new epoch and its start are known before its first record is (KIP-279).
    if (this.log.latestEpoch < state.leaderEpoch) {
      this.log.startEpoch(state.leaderEpoch, epochStartOffset)
    }
    this.#role = new LeaderRole({
      brokerId: this.#surroundings.brokerId,
      state,
      epochStartOffset,
      replicaLagTimeMaxMs: this.#surroundings.replicaLagTimeMaxMs,
      eligibility: this.#eligibility,
      nowMs: this.#nowMs(),
      previous,
    })
    this.#emitLeaderChange(state)
  }

  #continueLeading(role: LeaderRole, state: PartitionState): void {
    this.#assignment = state
    // The same partition epoch is news only about the assignment: the in-sync set of it came with the
    // controller's answer, and a proposal made since then must not be forgotten.
    if (state.partitionEpoch > this.#partitionEpoch) this.#adoptIsr(role, state.isr)
    role.assign(state.replicas, this.#nowMs())
  }

  #onIsrAccepted(role: LeaderRole, answer: IsrAnswer): void {
    const isStale =
      answer.leaderEpoch !== this.#leaderEpoch || answer.partitionEpoch < this.#partitionEpoch
    if (isStale) return
    this.#partitionEpoch = answer.partitionEpoch
    this.#adoptIsr(role, answer.isr)
    this.#advanceHighWatermark()
    this.#surroundings.changed(this)
  }

  #adoptIsr(role: LeaderRole, isr: readonly BrokerId[]): void {
    const before = role.inSync.committed
    role.inSync.commit(isr)
    const after = role.inSync.committed
    this.#emitIsrChange(
      'partition.isr-shrunk',
      [...before].filter((id) => !after.has(id)),
      isr,
    )
    this.#emitIsrChange(
      'partition.isr-expanded',
      [...after].filter((id) => !before.has(id)),
      isr,
    )
  }

  #propose(proposal: IsrProposal | null): void {
    const role = this.#role
    if (proposal === null || role === null) return
    role.inSync.propose(proposal)
    this.#surroundings.proposeIsr(this, proposal)
  }

  #proposalBase(): { readonly brokerEpoch: number; readonly partitionEpoch: number } {
    return { brokerEpoch: this.#surroundings.brokerEpoch(), partitionEpoch: this.#partitionEpoch }
  }

  /** True when the high watermark of the leader has moved; it never moves back. */
  #advanceHighWatermark(): boolean {
    const role = this.#role
    if (role === null) return false
    const upTo = role.committedUpTo(
      this.log.logEndOffset,
      this.effectiveMinInsyncReplicas,
      this.#nowMs(),
    )
    if (upTo === null || upTo <= this.log.highWatermark) return false
    this.log.updateHighWatermark(upTo)
    this.#surroundings.events.emit('partition.high-watermark', {
      topic: this.topic,
      partition: this.partition,
      leaderEpoch: this.#leaderEpoch,
      highWatermark: upTo,
      logEndOffset: this.log.logEndOffset,
    })
    return true
  }

  #isEligible(id: BrokerId, brokerEpoch: number | null): boolean {
    const broker = this.#surroundings.broker(id)
    if (broker === undefined || broker.isFenced || broker.isInControlledShutdown) return false
    if (!isOnlineDirectory(broker, assignedDirectory(this.#assignment, id))) return false
    return brokerEpoch !== null && (brokerEpoch === -1 || brokerEpoch === broker.epoch)
  }

  #onCaughtUp(): void {
    if (this.#hasCaughtUp) return
    this.#hasCaughtUp = true
    this.#surroundings.events.emit('replica.caught-up', {
      topic: this.topic,
      partition: this.partition,
      leader: this.#leaderId,
      leaderEpoch: this.#leaderEpoch,
      logEndOffset: this.log.logEndOffset,
    })
  }

  #emitLeaderChange(state: PartitionState): void {
    this.#surroundings.events.emit('partition.leader-changed', {
      topic: this.topic,
      partition: this.partition,
      leader: state.leader,
      leaderEpoch: state.leaderEpoch,
      role: this.isLeader ? 'leader' : 'follower',
      isr: state.isr,
      highWatermark: this.log.highWatermark,
      logEndOffset: this.log.logEndOffset,
    })
  }

  #emitIsrChange(kind: string, members: readonly BrokerId[], isr: readonly BrokerId[]): void {
    if (members.length === 0) return
    this.#surroundings.events.emit(kind, {
      topic: this.topic,
      partition: this.partition,
      leaderEpoch: this.#leaderEpoch,
      replicas: members,
      isr,
    })
  }

  #emitTruncation(from: Offset, fromEpoch: LeaderEpoch, reason: string): void {
    const to = this.log.logEndOffset
    if (to !== from) {
      const { topic, partition } = this
      this.#surroundings.events.emit('replica.truncated', {
        topic,
        partition,
        leaderEpoch: this.#leaderEpoch,
        from,
        to,
        fromEpoch,
        toEpoch: this.log.latestEpoch,
        reason,
      })
    }
    this.#surroundings.changed(this)
  }

  #nowMs(): number {
    return this.#surroundings.clock.monoMs()
  }
}
