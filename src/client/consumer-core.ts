import { assert } from '../base/assert.ts'
import type { Config } from '../base/config-def.ts'
import { ConnectionError, KafketteError, messageOf } from '../base/errors.ts'
import type { Offset } from '../base/ids.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { Timer } from '../ports/clock.ts'
import { assignorsOf } from './assignors.ts'
import type { ClientPorts } from './client-ports.ts'
import { Cluster } from './cluster.ts'
import { ConsumerGroup, type RebalanceHooks } from './consumer-group.ts'
import { ConsumerPositions } from './consumer-positions.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { Fetcher } from './fetcher.ts'
import type { OffsetAndMetadata } from './group-offsets.ts'
import { MetadataUpdater } from './metadata-updater.ts'
import {
  lookUpOffsets,
  type IsolationLevel,
  type OffsetAnswer,
  type OffsetQuery,
} from './offset-lookup.ts'
import { withRetries } from './retry.ts'
import {
  SubscriptionState,
  type AssignedPartition,
  type ResetPolicy,
  type SubscriptionMode,
} from './subscription-state.ts'

/** Far more than hooks that end at once can cause. */
const MAX_ROUNDS = 1000

export type PollDone = (error: Error | null, records: readonly ConsumerRecord[] | null) => void

interface Poll {
  readonly done: PollDone
  readonly timer: Timer
  isOverdue: boolean
}

/**
 * A consumer by callbacks. Everything an application can see (assignment, positions, records) changes
 * inside a poll; heartbeats and fetches ahead go on between polls.
 */
export class ConsumerCore {
  readonly config: Config
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly subscription = new SubscriptionState()
  readonly group: ConsumerGroup | null
  readonly #ports: ClientPorts
  readonly #positions: ConsumerPositions
  readonly #fetcher: Fetcher
  #poll: Poll | null = null
  #isStepping = false
  #isStepDue = false
  #isWoken = false
  #isClosed = false
  #error: Error | null = null
  #autoCommitAtMs: number
  #pollIntervalTimer: Timer | null = null

  constructor(config: Config, ports: ClientPorts) {
    this.config = config
    this.#ports = ports
    this.cluster = new Cluster(config, ports)
    const allowAutoTopicCreation = config.boolean('allow.auto.create.topics')
    this.updater = new MetadataUpdater(this.cluster, { allowAutoTopicCreation })
    this.#autoCommitAtMs = ports.clock.monoMs() + config.int('auto.commit.interval.ms')
    this.group = this.#makeGroup()
    this.#positions = this.#makePositions()
    this.#fetcher = this.#makeFetcher()
    this.updater.onUpdate(() => {
      if (this.subscription.isGroup) this.group?.onMetadata()
      this.#step()
    })
  }

  /** Joins the group at the next poll. Throws `ConfigError` without `group.id` or after `assign`. */
  subscribe(mode: SubscriptionMode, hooks: RebalanceHooks): void {
    this.#requireOpen()
    if (this.group === null) throw new KafketteError('NO_GROUP', 'subscribe needs group.id')
    this.subscription.changeMode(mode)
    this.group.hooks = hooks
    this.group.resubscribe()
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#requireOpen()
    this.subscription.changeMode({ kind: 'manual' })
    this.subscription.assign(partitions)
    this.updater.track(partitions.map(({ topic }) => topic))
    this.#fetcher.discardUnassigned()
    this.#step()
  }

  /** Leaves the group, or gives up the assigned partitions. */
  unsubscribe(done: (error: Error | null) => void): void {
    const leave = (): void => {
      this.subscription.changeMode({ kind: 'none' })
      this.subscription.assign([])
      this.#fetcher.discardUnassigned()
      this.updater.trackAll(false)
      this.#cancelPollInterval()
      done(null)
    }
    if (this.group !== null && this.subscription.isGroup) this.group.leave(leave)
    else leave()
  }

  /** Gives records as soon as there are some, or none after `maxWaitMs`. One poll at a time. `done` is called later. */
  poll(maxWaitMs: number, done: PollDone): void {
    const problem = this.#pollProblem()
    if (problem !== null) {
      this.#later(() => done(problem, null))
      return
    }
    this.#cancelPollInterval()
    const timer = this.#ports.clock.after(maxWaitMs, 'client.poll.timeout', () => {
      if (this.#poll !== null) this.#poll.isOverdue = true
      this.#step()
    })
    this.#poll = { done, timer, isOverdue: false }
    this.#autoCommit()
    this.#step()
  }

  /** Ends the poll that runs, or the next one, without records. */
  wakeup(): void {
    this.#isWoken = true
    this.#step()
  }

  /** Throws `NOT_ASSIGNED`. */
  seek(partition: TopicPartition, offset: Offset): void {
    const state = this.subscription.require(partition)
    state.position = offset
    state.positionEpoch = -1
    state.resetTo = null
    this.#afterSeek(state)
  }

  /** Goes to the begin or the end of each partition; found out when the position is needed. */
  seekTo(where: Exclude<ResetPolicy, 'none'>, partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const state = this.subscription.require(partition)
      state.position = null
      state.resetTo = where
      this.#afterSeek(state)
    }
  }

  setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    for (const partition of partitions) this.subscription.require(partition).isPaused = isPaused
    this.#step()
  }

  /** The next offset to be given; looks it up when it is not known yet. */
  position(
    partition: TopicPartition,
    timeoutMs: number,
    done: (error: Error | null, offset: Offset | null) => void,
  ): void {
    const state = this.subscription.require(partition)
    withRetries<Offset>({
      what: `position in ${partition.topic}-${partition.partition}`,
      clock: this.#ports.clock,
      random: this.#ports.random,
      backoff: { baseMs: 5, maxMs: this.cluster.retryBackoff.baseMs },
      timeoutMs,
      done,
      attempt: (_remainingMs, tried) => {
        this.#positions.ensure()
        const error = this.#error
        this.#error = null
        if (error !== null) tried(error, null)
        else if (state.position === null) tried(new ConnectionError('not known yet'), null)
        else tried(null, state.position)
      },
    })
  }

  /** What was given to the application so far, as offsets to commit. */
  consumed(): readonly OffsetAndMetadata[] {
    return this.subscription.assigned.flatMap(({ topic, partition, position, positionEpoch }) =>
      position === null ? [] : [{ topic, partition, offset: position, leaderEpoch: positionEpoch }],
    )
  }

  lookUp(
    queries: readonly OffsetQuery[],
    timeoutMs: number,
    done: (error: Error | null, answers: ReadonlyMap<string, OffsetAnswer> | null) => void,
  ): void {
    const { cluster, updater } = this
    const isolation = this.#isolation()
    lookUpOffsets({ cluster, updater, isolation, queries, timeoutMs, done })
  }

  /** Commits if it commits by itself, gives up the partitions, leaves the group and ends the connections. */
  close(timeoutMs: number, done: () => void): void {
    if (this.#isClosed) return this.#later(done)
    this.#isClosed = true
    this.#cancelPollInterval()
    let isEnded = false
    const end = (): void => {
      if (isEnded) return
      isEnded = true
      this.#ports.clock.cancel(timer)
      this.#end()
      done()
    }
    const timer = this.#ports.clock.after(timeoutMs, 'client.close.timeout', end)
    const poll = this.#takePoll()
    poll?.done(new ConnectionError('the consumer was closed'), null)
    const { group } = this
    if (group !== null && this.subscription.isGroup) group.leave(end)
    else if (group !== null && this.#commitsItself()) {
      group.commit(this.consumed(), timeoutMs, end)
    } else this.#later(end)
  }

  #end(): void {
    this.group?.member.close()
    this.#positions.close()
    this.#fetcher.close()
    this.updater.close()
    this.cluster.close()
  }

  /** Goes on with the poll that runs, as far as possible now. */
  #step(): void {
    this.#isStepDue = true
    if (this.#isStepping) return
    this.#isStepping = true
    try {
      for (let round = 0; this.#isStepDue && this.#poll !== null; round += 1) {
        assert(round < MAX_ROUNDS, 'a poll settles after a few rounds')
        this.#isStepDue = false
        this.#advance(this.#poll)
      }
    } catch (error) {
      this.#finish(
        error instanceof Error ? error : new KafketteError('POLL', messageOf(error)),
        null,
      )
    } finally {
      this.#isStepping = false
    }
  }

  #advance(poll: Poll): void {
    const isReady = !this.subscription.isGroup || this.group?.step() === true
    if (this.group?.isInHook === true) return
    if (this.#error !== null) {
      const error = this.#error
      this.#error = null
      return this.#finish(error, null)
    }
    if (this.#isWoken) {
      this.#isWoken = false
      return this.#finish(null, [])
    }
    if (isReady) {
      this.#fetcher.discardUnassigned()
      this.#positions.ensure()
      const records = this.#fetcher.take(this.config.int('max.poll.records'))
      this.#fetcher.send()
      if (records.length > 0) return this.#finish(null, records)
    }
    if (poll.isOverdue) this.#finish(null, [])
  }

  #finish(error: Error | null, records: readonly ConsumerRecord[] | null): void {
    const poll = this.#takePoll()
    if (poll === null) return
    if (this.group !== null && this.subscription.isGroup) {
      const maxMs = this.config.int('max.poll.interval.ms')
      this.#pollIntervalTimer = this.#ports.clock.after(maxMs, 'client.poll.interval', () =>
        this.group?.onPollTimeout(
          new KafketteError('POLL_INTERVAL', `no poll within max.poll.interval.ms ${maxMs}`),
        ),
      )
    }
    this.#later(() => poll.done(error, records))
  }

  #takePoll(): Poll | null {
    const poll = this.#poll
    this.#poll = null
    if (poll !== null) this.#ports.clock.cancel(poll.timer)
    return poll
  }

  #pollProblem(): Error | null {
    if (this.#isClosed) return new ConnectionError('the consumer is closed')
    if (this.#poll !== null) return new KafketteError('BUSY', 'another poll is running')
    if (this.subscription.mode.kind !== 'none') return null
    return new KafketteError('NOT_SUBSCRIBED', 'subscribe or assign before the first poll')
  }

  #autoCommit(): void {
    const { group } = this
    const nowMs = this.#ports.clock.monoMs()
    if (group === null || !this.#commitsItself() || nowMs < this.#autoCommitAtMs) return
    this.#autoCommitAtMs = nowMs + this.config.int('auto.commit.interval.ms')
    if (this.subscription.isGroup && group.member.state !== 'stable') return
    const offsets = this.consumed()
    if (offsets.length === 0) return
    group.commitOnce(offsets, (error) => {
      if (error !== null) this.cluster.emit('client.auto-commit-failed', { why: error.message })
    })
  }

  #commitsItself(): boolean {
    return this.group !== null && this.config.boolean('enable.auto.commit')
  }

  #afterSeek(state: AssignedPartition): void {
    this.#fetcher.discard(state.topic, state.partition)
    this.#positions.restart()
    this.#step()
  }

  #onError(error: Error): void {
    this.#error ??= error
    this.#step()
  }

  #makeGroup(): ConsumerGroup | null {
    const { config, cluster, updater, subscription } = this
    const groupId = config.nullableString('group.id')
    if (groupId === null || groupId === '') return null
    const commitTimeoutMs = config.int('default.api.timeout.ms')
    const group: ConsumerGroup = new ConsumerGroup({
      cluster,
      updater,
      subscription,
      groupId,
      groupInstanceId: config.nullableString('group.instance.id'),
      sessionTimeoutMs: config.int('session.timeout.ms'),
      heartbeatIntervalMs: config.int('heartbeat.interval.ms'),
      maxPollIntervalMs: config.int('max.poll.interval.ms'),
      assignors: assignorsOf(config.list('partition.assignment.strategy')),
      excludesInternalTopics: config.boolean('exclude.internal.topics'),
      autoCommit: config.boolean('enable.auto.commit')
        ? (done) => group.commit(this.consumed(), commitTimeoutMs, done)
        : null,
      onProgress: () => this.#step(),
      onError: (error) => this.#onError(error),
    })
    return group
  }

  #makePositions(): ConsumerPositions {
    const { cluster, updater, subscription, config } = this
    return new ConsumerPositions({
      cluster,
      updater,
      subscription,
      offsets: this.group?.offsets ?? null,
      resetPolicy: config.string('auto.offset.reset') as ResetPolicy,
      isolation: this.#isolation(),
      onProgress: () => this.#step(),
      onError: (error) => this.#onError(error),
    })
  }

  #makeFetcher(): Fetcher {
    const { cluster, updater, subscription, config } = this
    return new Fetcher({
      cluster,
      updater,
      subscription,
      settings: {
        isolation: this.#isolation(),
        minBytes: config.int('fetch.min.bytes'),
        maxBytes: config.int('fetch.max.bytes'),
        maxWaitMs: config.int('fetch.max.wait.ms'),
        partitionMaxBytes: config.int('max.partition.fetch.bytes'),
        checksCrcs: config.boolean('check.crcs'),
        rackId: config.string('client.rack'),
        preferredReplicaMs: config.long('metadata.max.age.ms'),
      },
      onProgress: () => this.#step(),
      onOutOfRange: (state, error) => this.#positions.onOutOfRange(state, error),
      onError: (error) => this.#onError(error),
    })
  }

  #isolation(): IsolationLevel {
    return this.config.string('isolation.level') as IsolationLevel
  }

  #cancelPollInterval(): void {
    if (this.#pollIntervalTimer !== null) this.#ports.clock.cancel(this.#pollIntervalTimer)
    this.#pollIntervalTimer = null
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ConnectionError('the consumer is closed')
  }

  #later(fn: () => void): void {
    this.#ports.clock.after(0, 'client.later', fn)
  }
}
