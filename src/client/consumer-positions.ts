import { KafketteError } from '../base/errors.ts'
import { topicPartitionKey } from '../base/topic-partition.ts'
import type { Cluster } from './cluster.ts'
import type { GroupOffsets, OffsetAndMetadata } from './group-offsets.ts'
import type { KafkaError } from './kafka-error.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import { lookUpOffsets, OffsetSpec, type IsolationLevel } from './offset-lookup.ts'
import { withRetries, type Cancellable } from './retry.ts'
import type { AssignedPartition, ResetPolicy, SubscriptionState } from './subscription-state.ts'

export interface ConsumerPositionsOptions {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly subscription: SubscriptionState
  /** Null without a group: there is nothing committed. */
  readonly offsets: GroupOffsets | null
  readonly resetPolicy: ResetPolicy
  readonly isolation: IsolationLevel
  readonly onProgress: () => void
  readonly onError: (error: Error) => void
}

/** Finds out where to begin in assigned partitions: at the committed offset, else where `auto.offset.reset` says. */
export class ConsumerPositions {
  readonly #options: ConsumerPositionsOptions
  #pending: Cancellable | null = null
  #pendingVersion = -1
  /** Counts what was begun; an answer of an older round is about an older wish. */
  #round = 0

  constructor(options: ConsumerPositionsOptions) {
    this.#options = options
  }

  /** Works on the partitions that have no position; call it again after `onProgress`. */
  ensure(): void {
    const { subscription, offsets } = this.#options
    if (this.#pending !== null) {
      if (this.#pendingVersion === subscription.version) return
      this.#cancel()
    }
    const open = subscription.assigned.filter((state) => state.position === null)
    if (open.length === 0) return
    const fresh = open.filter((state) => state.resetTo === null)
    if (fresh.length > 0 && offsets !== null) return this.#fetchCommitted(offsets, fresh)
    for (const state of fresh) if (!this.#reset(state)) return
    this.#lookUp(open)
  }

  /** The position is outside of the log: begin again as `auto.offset.reset` says, or report `error`. */
  onOutOfRange(state: AssignedPartition, error: KafkaError): void {
    const { resetPolicy, cluster } = this.#options
    if (resetPolicy === 'none') return this.#options.onError(error)
    cluster.emit('client.offset-out-of-range', {
      topic: state.topic,
      partition: state.partition,
      offset: state.position,
      resetTo: resetPolicy,
    })
    state.position = null
    state.resetTo = resetPolicy
  }

  /** After a seek: what was asked for may be about an older wish. */
  restart(): void {
    this.#cancel()
  }

  close(): void {
    this.#cancel()
  }

  #fetchCommitted(offsets: GroupOffsets, states: readonly AssignedPartition[]): void {
    const { cluster } = this.#options
    this.#pendingVersion = this.#options.subscription.version
    this.#pending = withRetries<ReadonlyMap<string, OffsetAndMetadata>>({
      what: 'fetch committed offsets',
      clock: cluster.ports.clock,
      random: cluster.ports.random,
      backoff: cluster.retryBackoff,
      timeoutMs: Infinity,
      attempt: (_remainingMs, done) => offsets.fetch(states, done),
      done: (error, committed) => {
        this.#pending = null
        if (error !== null || committed === null) return this.#fail(error)
        for (const state of states) this.#onCommitted(state, committed)
        this.#options.onProgress()
      },
    })
  }

  #onCommitted(state: AssignedPartition, committed: ReadonlyMap<string, OffsetAndMetadata>): void {
    if (state.position !== null || state.resetTo !== null) return
    const found = committed.get(topicPartitionKey(state.topic, state.partition))
    if (found === undefined) {
      this.#reset(state)
      return
    }
    state.position = found.offset
    state.positionEpoch = found.leaderEpoch ?? -1
    const { cluster, updater } = this.#options
    const { topic, partition, positionEpoch } = state
    if (cluster.metadata.updateLastSeenEpoch(topic, partition, positionEpoch)) {
      updater.requestUpdate()
    }
  }

  #reset(state: AssignedPartition): boolean {
    const { resetPolicy, onError } = this.#options
    if (resetPolicy !== 'none') {
      state.resetTo = resetPolicy
      return true
    }
    const name = topicPartitionKey(state.topic, state.partition)
    onError(
      new KafketteError('NO_OFFSET', `${name} has no committed offset, auto.offset.reset is none`),
    )
    return false
  }

  #lookUp(states: readonly AssignedPartition[]): void {
    const { cluster, updater, subscription, isolation } = this.#options
    this.#pendingVersion = subscription.version
    const round = this.#round
    const isWanted = (state: AssignedPartition): boolean =>
      round === this.#round && subscription.isCurrent(state) && state.position === null
    const byKey = new Map(
      states.map((state) => [topicPartitionKey(state.topic, state.partition), state]),
    )
    this.#pending = lookUpOffsets({
      cluster,
      updater,
      isolation,
      timeoutMs: Infinity,
      queries: states.map(({ topic, partition, resetTo }) => ({
        topic,
        partition,
        timestampMs: resetTo === 'earliest' ? OffsetSpec.EARLIEST : OffsetSpec.LATEST,
      })),
      onAnswers: (answers) => {
        for (const answer of answers) {
          const state = byKey.get(topicPartitionKey(answer.topic, answer.partition))
          if (state === undefined || !isWanted(state)) continue
          state.position = answer.offset
          state.positionEpoch = answer.leaderEpoch
          state.resetTo = null
        }
        this.#options.onProgress()
      },
      done: (error) => {
        this.#pending = null
        if (error === null) this.#options.onProgress()
        else this.#fail(error)
      },
    })
  }

  #fail(error: Error | null): void {
    if (error !== null) this.#options.onError(error)
  }

  #cancel(): void {
    this.#round += 1
    this.#pending?.abandon()
    this.#pending = null
  }
}
