import type { BrokerId } from '../base/ids.ts'
import { topicPartitionKey } from '../base/topic-partition.ts'
import { ZERO_UUID } from '../base/uuid.ts'
import type { Timer } from '../ports/clock.ts'
import { ErrorCode, isRetriable } from '../wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
  type PartitionData,
} from '../wire/messages/01-fetch.ts'
import type { Input } from '../wire/schema.ts'
import type { Cluster } from './cluster.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { FetchedData } from './fetched-data.ts'
import { isRetriableError, KafkaError, needsMetadata } from './kafka-error.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import type { IsolationLevel } from './offset-lookup.ts'
import { backoffMs } from './retry.ts'
import type { AssignedPartition, SubscriptionState } from './subscription-state.ts'

/** The newest Fetch version that names topics; from 13 on it has their ids. */
const LAST_VERSION_WITH_NAMES = 12
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 } as const

export interface FetcherSettings {
  readonly isolation: IsolationLevel
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly partitionMaxBytes: number
  readonly checksCrcs: boolean
}

export interface FetcherOptions {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly subscription: SubscriptionState
  readonly settings: FetcherSettings
  /** Something arrived, or another try is due: look at `take` and call `send`. */
  readonly onProgress: () => void
  /** The position is before or after the log. */
  readonly onOutOfRange: (state: AssignedPartition, error: KafkaError) => void
  readonly onError: (error: Error) => void
}

interface Wanted {
  readonly state: AssignedPartition
  readonly offset: number
}

/**
 * Fetches ahead: at most one request to each leader, for the partitions that have a position and nothing buffered.
 * Without fetch sessions (session epoch -1), so every request is complete in itself.
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #busy = new Set<BrokerId>()
  readonly #mutedUntilMs = new Map<BrokerId, number>()
  #buffered: FetchedData[] = []
  #timer: Timer | null = null
  #isClosed = false

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  get hasData(): boolean {
    return this.#buffered.some((data) => this.#stateOf(data)?.isPaused === false)
  }

  /** Up to `limit` records, of one partition after the other; moves the positions past them. Throws. */
  take(limit: number): readonly ConsumerRecord[] {
    const taken: ConsumerRecord[] = []
    for (const data of [...this.#buffered]) {
      if (taken.length >= limit) break
      const state = this.#stateOf(data)
      if (state === null) this.#drop(data)
      else if (!state.isPaused && !this.#takeFrom(data, state, limit - taken.length, taken)) break
    }
    return taken
  }

  /** Asks leaders for what is missing. */
  send(): void {
    if (this.#isClosed) return
    const wanted = new Map<BrokerId, Wanted[]>()
    const nowMs = this.#nowMs()
    let isStale = false
    let wakeAtMs = Infinity
    for (const state of this.#options.subscription.assigned) {
      if (state.isPaused || state.position === null || this.#hasBuffer(state)) continue
      const leader = this.#leaderOf(state)
      if (leader < 0 || !this.#options.cluster.canReach(leader)) isStale = true
      else if (!this.#busy.has(leader)) {
        const notBeforeMs = Math.max(state.fetchAfterMs, this.#mutedUntilMs.get(leader) ?? 0)
        if (notBeforeMs > nowMs) wakeAtMs = Math.min(wakeAtMs, notBeforeMs)
        else wanted.set(leader, [...(wanted.get(leader) ?? []), { state, offset: state.position }])
      }
    }
    for (const [leader, list] of wanted) this.#fetch(leader, list)
    if (isStale) {
      this.#options.updater.requestUpdate()
      wakeAtMs = Math.min(wakeAtMs, nowMs + this.#options.cluster.retryBackoff.baseMs)
    }
    if (wakeAtMs < Infinity) this.#wakeAt(wakeAtMs - nowMs)
  }

  /** Forgets what is buffered of a partition, after a seek. */
  discard(topic: string, partition: number): void {
    this.#buffered = this.#buffered.filter(
      (data) => data.topic !== topic || data.partition !== partition,
    )
  }

  /** Forgets what belongs to partitions that are not assigned any more. */
  discardUnassigned(): void {
    this.#buffered = this.#buffered.filter((data) => this.#stateOf(data) !== null)
  }

  close(): void {
    this.#isClosed = true
    this.#buffered = []
    if (this.#timer !== null) this.#options.cluster.ports.clock.cancel(this.#timer)
  }

  /** False when the data is bad; what was taken of other partitions is then given first. */
  #takeFrom(
    data: FetchedData,
    state: AssignedPartition,
    limit: number,
    taken: ConsumerRecord[],
  ): boolean {
    let records: readonly ConsumerRecord[]
    try {
      records = data.take(limit)
    } catch (error) {
      this.#drop(data)
      if (taken.length === 0) throw error
      return false
    }
    taken.push(...records)
    if (records.length < limit) this.#drop(data)
    state.position = data.nextOffset
    state.positionEpoch = data.lastEpoch
    return true
  }

  #fetch(leader: BrokerId, wanted: readonly Wanted[]): void {
    const { cluster, settings } = this.#options
    this.#busy.add(leader)
    const hasIds = wanted.every(({ state }) => this.#topicId(state.topic) !== ZERO_UUID)
    const call = {
      api: fetchApi,
      timeoutMs: Math.max(cluster.requestTimeoutMs, settings.maxWaitMs + 1000),
      limits: hasIds ? {} : { max: LAST_VERSION_WITH_NAMES },
      body: () => this.#body(wanted),
    }
    cluster.request(leader, 'fetch', call, (error, response) => {
      this.#busy.delete(leader)
      if (this.#isClosed) return
      if (error !== null || response === null) this.#onLost(wanted, error)
      else this.#onAnswer(leader, wanted, response)
      this.#options.onProgress()
    })
  }

  #body(wanted: readonly Wanted[]): Input<FetchRequest> {
    const { settings, cluster } = this.#options
    const topics = new Map<string, Input<FetchRequest['topics'][number]['partitions'][number]>[]>()
    for (const { state, offset } of wanted) {
      const known = cluster.metadata.partition(state.topic, state.partition)
      const entry = {
        partition: state.partition,
        currentLeaderEpoch: known?.leaderEpoch ?? -1,
        fetchOffset: offset,
        partitionMaxBytes: settings.partitionMaxBytes,
      }
      topics.set(state.topic, [...(topics.get(state.topic) ?? []), entry])
    }
    return {
      maxWaitMs: settings.maxWaitMs,
      minBytes: settings.minBytes,
      maxBytes: settings.maxBytes,
      isolationLevel: settings.isolation === 'read_committed' ? 1 : 0,
      ...NO_SESSION,
      topics: [...topics].map(([topic, partitions]) => ({
        topic,
        topicId: this.#topicId(topic),
        partitions,
      })),
    }
  }

  #onLost(wanted: readonly Wanted[], error: Error | null): void {
    for (const { state } of wanted) this.#delay(state)
    this.#options.updater.requestUpdate()
    if (error !== null && !isRetriableError(error)) this.#options.onError(error)
  }

  #onAnswer(leader: BrokerId, wanted: readonly Wanted[], response: FetchResponse): void {
    const { cluster } = this.#options
    if (response.throttleTimeMs > 0) {
      this.#mutedUntilMs.set(leader, this.#nowMs() + response.throttleTimeMs)
    }
    if (response.errorCode !== ErrorCode.NONE) {
      return this.#onLost(wanted, new KafkaError(response.errorCode))
    }
    for (const node of response.nodeEndpoints) {
      cluster.learn({ id: node.nodeId, host: node.host, port: node.port, rack: node.rack })
    }
    const answers = new Map<string, PartitionData>()
    for (const topic of response.responses) {
      const isById = topic.topicId !== ZERO_UUID
      const name = isById ? cluster.metadata.topicName(topic.topicId) : topic.topic
      for (const each of topic.partitions) {
        if (name !== null) answers.set(topicPartitionKey(name, each.partitionIndex), each)
      }
    }
    for (const { state, offset } of wanted) {
      const answer = answers.get(topicPartitionKey(state.topic, state.partition))
      const isCurrent = this.#options.subscription.isCurrent(state) && state.position === offset
      if (!isCurrent) continue
      if (answer === undefined) this.#delay(state)
      else if (answer.errorCode === ErrorCode.NONE) this.#onData(state, offset, answer)
      else this.#onPartitionError(state, answer)
    }
  }

  #onData(state: AssignedPartition, offset: number, answer: PartitionData): void {
    const { settings } = this.#options
    state.fetchFailures = 0
    state.highWatermark = answer.highWatermark
    state.lastStableOffset = answer.lastStableOffset
    state.logStartOffset = answer.logStartOffset
    if (answer.records === null || answer.records.length === 0) return
    this.discard(state.topic, state.partition)
    this.#buffered.push(
      new FetchedData({
        topic: state.topic,
        partition: state.partition,
        records: answer.records,
        fetchOffset: offset,
        abortedTransactions:
          settings.isolation === 'read_committed' ? (answer.abortedTransactions ?? []) : null,
        checksCrcs: settings.checksCrcs,
      }),
    )
  }

  #onPartitionError(state: AssignedPartition, answer: PartitionData): void {
    const code = answer.errorCode
    const name = topicPartitionKey(state.topic, state.partition)
    const error = new KafkaError(code, `fetching ${name} at offset ${state.position}`)
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE) return this.#options.onOutOfRange(state, error)
    const { leaderId, leaderEpoch } = answer.currentLeader
    const { metadata } = this.#options.cluster
    if (metadata.updateLeader(state.topic, state.partition, leaderId, leaderEpoch)) return
    this.#delay(state)
    if (needsMetadata(code) || code === ErrorCode.UNKNOWN_LEADER_EPOCH) {
      this.#options.updater.requestUpdate()
    }
    if (!isRetriable(code)) this.#options.onError(error)
  }

  #delay(state: AssignedPartition): void {
    const { cluster } = this.#options
    state.fetchFailures += 1
    const delayMs = backoffMs(state.fetchFailures, cluster.retryBackoff, cluster.ports.random)
    state.fetchAfterMs = this.#nowMs() + delayMs
  }

  #wakeAt(delayMs: number): void {
    const { clock } = this.#options.cluster.ports
    if (this.#timer !== null) clock.cancel(this.#timer)
    this.#timer = clock.after(delayMs, 'client.fetch.retry', () => {
      this.#timer = null
      this.#options.onProgress()
    })
  }

  #hasBuffer(state: AssignedPartition): boolean {
    return this.#buffered.some(
      (data) => data.topic === state.topic && data.partition === state.partition,
    )
  }

  #stateOf(data: FetchedData): AssignedPartition | null {
    return this.#options.subscription.get(topicPartitionKey(data.topic, data.partition))
  }

  #drop(data: FetchedData): void {
    this.#buffered = this.#buffered.filter((each) => each !== data)
  }

  #leaderOf(state: AssignedPartition): BrokerId {
    const { metadata } = this.#options.cluster
    return metadata.partition(state.topic, state.partition)?.leader ?? -1
  }

  #topicId(topic: string): string {
    return this.#options.cluster.metadata.topic(topic)?.id ?? ZERO_UUID
  }

  #nowMs(): number {
    return this.#options.cluster.ports.clock.monoMs()
  }
}
