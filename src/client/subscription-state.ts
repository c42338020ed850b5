import { ConfigError, KafketteError } from '../base/errors.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'

/** What a consumer is to read. `group` topics are shared out, `manual` partitions are its own. */
export type SubscriptionMode =
  | { readonly kind: 'none' }
  | { readonly kind: 'manual' }
  | { readonly kind: 'topics'; readonly topics: readonly string[] }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }

export type ResetPolicy = 'earliest' | 'latest' | 'none'

/** One assigned partition. Replaced, not reused, when it is assigned again. */
export interface AssignedPartition extends TopicPartition {
  /** The next offset to be given to the application; null until it is known. */
  position: Offset | null
  /** Of the record before the position; -1 unknown. */
  positionEpoch: LeaderEpoch
  /** Where to begin when there is no position; null asks for the committed offset first. */
  resetTo: Exclude<ResetPolicy, 'none'> | null
  isPaused: boolean
  highWatermark: Offset
  lastStableOffset: Offset
  logStartOffset: Offset
  /** The follower that the leader wants this partition to be read from (KIP-392), and until when; null: the leader. */
  preferredReplica: { readonly id: BrokerId; readonly untilMs: number } | null
  /** No fetch before this. Monotonic. */
  fetchAfterMs: number
  fetchFailures: number
}

/** The assignment of a consumer and the position in each partition of it. */
export class SubscriptionState {
  mode: SubscriptionMode = { kind: 'none' }
  #assigned = new Map<string, AssignedPartition>()
  /** Changes with every assignment. */
  version = 0

  get isGroup(): boolean {
    return this.mode.kind === 'topics' || this.mode.kind === 'pattern'
  }

  get assigned(): readonly AssignedPartition[] {
    return [...this.#assigned.values()]
  }

  get(key: string): AssignedPartition | null {
    return this.#assigned.get(key) ?? null
  }

  /** The partition's state, or an error that says it is not assigned. */
  require({ topic, partition }: TopicPartition): AssignedPartition {
    const found = this.#assigned.get(topicPartitionKey(topic, partition))
    if (found !== undefined) return found
    throw new KafketteError('NOT_ASSIGNED', `partition ${partition} of "${topic}" is not assigned`)
  }

  /** True while this very assignment of the partition holds. */
  isCurrent(state: AssignedPartition): boolean {
    return this.#assigned.get(topicPartitionKey(state.topic, state.partition)) === state
  }

  /** Partitions that stay keep their position. */
  assign(partitions: readonly TopicPartition[]): void {
    const old = this.#assigned
    this.#assigned = new Map()
    for (const { topic, partition } of partitions) {
      const key = topicPartitionKey(topic, partition)
      this.#assigned.set(key, old.get(key) ?? newPartition(topic, partition))
    }
    this.version += 1
  }

  /** Throws `ConfigError` when group subscription and manual assignment are mixed. */
  changeMode(mode: SubscriptionMode): void {
    const isManual = this.mode.kind === 'manual'
    if (
      this.mode.kind !== 'none' &&
      mode.kind !== 'none' &&
      isManual !== (mode.kind === 'manual')
    ) {
      throw new ConfigError(
        'a consumer either subscribes to topics or assigns partitions, not both',
      )
    }
    this.mode = mode
  }
}

function newPartition(topic: string, partition: number): AssignedPartition {
  return {
    topic,
    partition,
    position: null,
    positionEpoch: -1,
    resetTo: null,
    isPaused: false,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    preferredReplica: null,
    fetchAfterMs: 0,
    fetchFailures: 0,
  }
}
