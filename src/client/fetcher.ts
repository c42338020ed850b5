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
import { FetchSessionClient, isSessionError } from './fetch-session.ts'
import { FetchedData } from './fetched-data.ts'
import { isRetriableError, KafkaError, needsMetadata } from './kafka-error.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import type { IsolationLevel } from './offset-lookup.ts'
import { backoffMs } from './retry.ts'
import type { AssignedPartition, SubscriptionState } from './subscription-state.ts'

/** The newest Fetch version that names topics; from 13 on it has their ids. */
const LAST_VERSION_WITH_NAMES = 12

export interface FetcherSettings {
  readonly isolation: IsolationLevel
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly partitionMaxBytes: number
  readonly checksCrcs: boolean
  /** client.rack; '' when there is none. */
  readonly rackId: string
  /** For how long a follower is read that the leader named: metadata.max.age.ms. */
  readonly preferredReplicaMs: number
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
 * Fetches ahead: at most one request to each broker, for the partitions that have a position and nothing buffered, in a
 * session (KIP-227). Reads from the follower that a leader names, as long as it serves (KIP-392).
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #busy = new Set<BrokerId>()
  readonly #sessions = new Map<BrokerId, FetchSessionClient>()
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
      const leader = this.#sourceOf(state, nowMs)
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
    const session = this.#sessionOf(leader)
    const hasIds = wanted.every(({ state }) => this.#topicId(state.topic) !== ZERO_UUID)
    const call = {
      api: fetchApi,
      timeoutMs: Math.max(cluster.requestTimeoutMs, settings.maxWaitMs + 1000),
      limits: hasIds ? {} : { max: LAST_VERSION_WITH_NAMES },
      body: () => this.#body(session, wanted),
    }
    cluster.request(leader, 'fetch', call, (error, response) => {
      this.#busy.delete(leader)
      if (this.#isClosed) return
      if (error !== null || response === null) {
        session.onLost()
        this.#onLost(wanted, error)
      } else this.#onAnswer(leader, session, wanted, response)
      this.#options.onProgress()
    })
  }

  #sessionOf(broker: BrokerId): FetchSessionClient {
    const known = this.#sessions.get(broker)
    if (known !== undefined) return known
    const session = new FetchSessionClient()
    this.#sessions.set(broker, session)
    return session
  }

  #body(session: FetchSessionClient, wanted: readonly Wanted[]): Input<FetchRequest> {
    const { settings, cluster } = this.#options
    const targets = wanted.map(({ state: { topic, partition }, offset }) => ({
      topic,
      topicId: this.#topicId(topic),
      partition,
      currentLeaderEpoch: cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1,
      fetchOffset: offset,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: settings.partitionMaxBytes,
    }))
    return {
      maxWaitMs: settings.maxWaitMs,
      minBytes: settings.minBytes,
      maxBytes: settings.maxBytes,
      isolationLevel: settings.isolation === 'read_committed' ? 1 : 0,
      rackId: settings.rackId,
      ...session.next(targets),
    }
  }

  #onLost(wanted: readonly Wanted[], error: Error | null): void {
    for (const { state } of wanted) {
      state.preferredReplica = null
      this.#delay(state)
    }
    this.#options.updater.requestUpdate()
    if (error !== null && !isRetriableError(error)) this.#options.onError(error)
  }

  #onAnswer(
    leader: BrokerId,
    session: FetchSessionClient,
    wanted: readonly Wanted[],
    response: FetchResponse,
  ): void {
    const { cluster } = this.#options
    if (response.throttleTimeMs > 0) {
      this.#mutedUntilMs.set(leader, this.#nowMs() + response.throttleTimeMs)
    }
    const isIncremental = !session.isFull
    if (!session.onAnswer(response)) {
      // A session that is lost, as with a restart of the broker, is nothing more than a reason to ask in full.
      if (isIncremental && isSessionError(response.errorCode)) return
      return this.#onLost(wanted, new KafkaError(response.errorCode))
    }
    for (const node of response.nodeEndpoints) {
      cluster.learn({ id: node.nodeId, host: node.host, port: node.port, rack: node.rack })
    }
    const answers = this.#answersOf(response)
    for (const { state, offset } of wanted) {
      const answer = answers.get(topicPartitionKey(state.topic, state.partition))
      const isCurrent = this.#options.subscription.isCurrent(state) && state.position === offset
      if (!isCurrent) continue
      if (answer === undefined) {
        // In a session it says that nothing has changed.
        if (isIncremental) state.fetchFailures = 0
        else this.#delay(state)
      } else if (answer.errorCode === ErrorCode.NONE) this.#onData(state, offset, answer)
      else this.#onPartitionError(leader, state, answer)
    }
  }

  #answersOf(response: FetchResponse): ReadonlyMap<string, PartitionData> {
    const { metadata } = this.#options.cluster
    const answers = new Map<string, PartitionData>()
    for (const topic of response.responses) {
      const isById = topic.topicId !== ZERO_UUID
      const name = isById ? metadata.topicName(topic.topicId) : topic.topic
      for (const each of topic.partitions) {
        if (name !== null) answers.set(topicPartitionKey(name, each.partitionIndex), each)
      }
    }
    return answers
  }

  #onData(state: AssignedPartition, offset: number, answer: PartitionData): void {
    const { settings } = this.#options
    state.fetchFailures = 0
    state.highWatermark = answer.highWatermark
    state.lastStableOffset = answer.lastStableOffset
    state.logStartOffset = answer.logStartOffset
    if (answer.preferredReadReplica >= 0) {
      const untilMs = this.#nowMs() + settings.preferredReplicaMs
      state.preferredReplica = { id: answer.preferredReadReplica, untilMs }
    }
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

  #onPartitionError(source: BrokerId, state: AssignedPartition, answer: PartitionData): void {
    const code = answer.errorCode
    state.preferredReplica = null
    const name = topicPartitionKey(state.topic, state.partition)
    const error = new KafkaError(code, `fetching ${name} at offset ${state.position}`)
    // A follower may be behind: only the leader's word on the ends of the log counts.
    const isLeader = source === this.#leaderOf(state)
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE && !isLeader) return
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

  /** Who is asked: the follower that the leader named, as long as it may be, or else the leader. */
  #sourceOf(state: AssignedPartition, nowMs: number): BrokerId {
    const { preferredReplica } = state
    if (preferredReplica === null) return this.#leaderOf(state)
    const { cluster } = this.#options
    const isUsable =
      preferredReplica.untilMs > nowMs && cluster.metadata.nodes.has(preferredReplica.id)
    if (isUsable) return preferredReplica.id
    if (preferredReplica.untilMs > nowMs) this.#options.updater.requestUpdate()
    state.preferredReplica = null
    return this.#leaderOf(state)
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
