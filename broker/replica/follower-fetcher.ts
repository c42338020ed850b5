import type { Config } from '../../src/base/config-def.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import { ClientConnection } from '../../src/client/connection.ts'
import { FetchSessionClient, isSessionError } from '../../src/client/fetch-session.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Address, Network } from '../../src/ports/network.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../src/wire/messages/01-fetch.ts'
import type { Input } from '../../src/wire/schema.ts'
import { wholeBatches } from './batches.ts'
import { resetFromLeader } from './follower-reset.ts'
import { truncationFor } from './follower-truncation.ts'
import type { Partition } from './partition.ts'
import { isStorageFailure, type StorageFailure } from './storage-failure.ts'

/** 17: topic ids, replica state and epoch, diverging epochs; served by every Kafka since 3.9. */
const FETCH_VERSION = 17
/** A fetch unanswered for this long is taken to be waiting for data, so a new partition may interrupt it. */
const LONG_POLL_AFTER_MS = 10
/** A timer may run a rounding error before its time; waiting anew must not take no time at all. */
const MIN_DELAY_MS = 1
const UNKNOWN_OFFSET = -1

export interface FollowerFetcherOptions {
  readonly brokerId: BrokerId
  readonly brokerEpoch: () => number
  readonly leaderId: BrokerId
  /** Where the leader listens for brokers; null while that is not known. */
  readonly leaderAddress: () => Address | null
  readonly clock: Clock
  readonly network: Network
  readonly settings: FetcherSettings
  /** Runs a change of the replication layer's state as one step. */
  readonly step: (fn: () => void) => void
  readonly onStorageFailure: (partition: Partition, error: StorageFailure) => void
  /** Makes the recovery point of a log that was cut durable; `done` says whether it is. */
  readonly afterTruncation: (partition: Partition, done: (isDurable: boolean) => void) => void
}

/** The replica.fetch.* settings of a broker. */
export interface FetcherSettings {
  readonly waitMaxMs: number
  readonly minBytes: number
  readonly responseMaxBytes: number
  readonly partitionMaxBytes: number
  readonly backoffMs: number
  readonly requestTimeoutMs: number
}

/** A partition as it is fetched in one leader epoch; a new epoch makes a new value. */
interface Fetched {
  readonly partition: Partition
  readonly leaderEpoch: LeaderEpoch
  /** Not asked for before this (monotonic) time. */
  retryAtMs: number
  /** Its position is being found out; it is not asked for meanwhile. */
  isResetting: boolean
  /** As the leader told last; -1 before. An answer without the partition says that they still hold. */
  leaderHighWatermark: Offset
  leaderLogStartOffset: Offset
}

type PartitionAnswer = Pick<
  FetchResponse['responses'][number]['partitions'][number],
  'errorCode' | 'divergingEpoch' | 'records' | 'highWatermark' | 'logStartOffset'
>

const UNCHANGED = {
  errorCode: ErrorCode.NONE,
  divergingEpoch: { epoch: -1, endOffset: -1 },
  records: null,
} as const

/**
 * Fetches from one leader everything this broker follows there: one request in flight, all partitions in it or in the
 * session it belongs to (KIP-227), partitions that got data last. Truncates where the leader says that the logs part. Errors delay the
 * partition (or, for the connection, all) by replica.fetch.backoff.ms; new metadata is what cures most of them.
 */
export class FollowerFetcher {
  readonly #options: FollowerFetcherOptions
  readonly #partitions = new Map<string, Fetched>()
  readonly #session = new FetchSessionClient()
  #connection: ClientConnection | null = null
  /** The partitions of the request in flight with the offset asked for; null when there is none. */
  #inFlight: ReadonlyMap<Fetched, Offset> | null = null
  #sentAtMs = 0
  #retryAtMs = 0
  #timer: Timer | null = null
  #isClosed = false

  constructor(options: FollowerFetcherOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#partitions.size
  }

  /** Begins to fetch a partition in the leader epoch it is in now. `pump` sends. */
  add(partition: Partition): void {
    const before = this.#partitions.get(partition.key)
    const known = before?.partition === partition ? before : null
    if (known?.leaderEpoch === partition.leaderEpoch) return
    this.#partitions.set(partition.key, {
      partition,
      leaderEpoch: partition.leaderEpoch,
      retryAtMs: 0,
      isResetting: false,
      leaderHighWatermark: known?.leaderHighWatermark ?? UNKNOWN_OFFSET,
      leaderLogStartOffset: known?.leaderLogStartOffset ?? UNKNOWN_OFFSET,
    })
  }

  remove(key: string): void {
    this.#partitions.delete(key)
  }

  /** The leader may be back or elsewhere: no back-off is kept, and a connection to another place is dropped. */
  onLeaderChanged(): void {
    const address = this.#options.leaderAddress()
    const current = this.#connection?.address
    const isSame = current?.host === address?.host && current?.port === address?.port
    if (!isSame) this.#disconnect()
    this.#retryAtMs = 0
    for (const fetched of this.#partitions.values()) fetched.retryAtMs = 0
    this.pump()
  }

  close(): void {
    this.#isClosed = true
    this.#partitions.clear()
    this.#disconnect()
    this.#cancelTimer()
  }

  /** Sends a fetch when there is something to ask for, or sets a timer for when there will be. */
  pump(): void {
    if (this.#isClosed || this.#partitions.size === 0) return this.#cancelTimer()
    const nowMs = this.#options.clock.monoMs()
    if (this.#inFlight !== null) return this.#interruptLater(nowMs)
    const due = [...this.#partitions.values()].filter(
      ({ isResetting, retryAtMs }) => !isResetting && retryAtMs <= nowMs,
    )
    if (this.#retryAtMs <= nowMs && due.length > 0) this.#send(due, nowMs)
    else this.#pumpAt(this.#nextRetryMs(), nowMs)
  }

  #send(due: readonly Fetched[], nowMs: number): void {
    const connection = this.#connect()
    if (connection === null) {
      this.#retryAtMs = nowMs + this.#options.settings.backoffMs
      return this.#pumpAt(this.#retryAtMs, nowMs)
    }
    this.#cancelTimer()
    const asked = new Map<Fetched, Offset>()
    for (const fetched of due) asked.set(fetched, fetched.partition.log.logEndOffset)
    this.#inFlight = asked
    this.#sentAtMs = nowMs
    const { requestTimeoutMs } = this.#options.settings
    connection.request(
      fetchApi,
      FETCH_VERSION,
      this.#request(asked),
      requestTimeoutMs,
      (error, response) => {
        if (this.#inFlight !== asked || this.#isClosed) return
        this.#inFlight = null
        this.#options.step(() => this.#onResponse(asked, error, response))
      },
    )
  }

  #onResponse(
    asked: ReadonlyMap<Fetched, Offset>,
    error: Error | null,
    response: FetchResponse | null,
  ): void {
    if (error !== null || response === null) return this.#onLost()
    const isIncremental = !this.#session.isFull
    if (!this.#session.onAnswer(response)) {
      // Without its session a follower goes on at once in a new one; other errors are not cured by asking.
      return isSessionError(response.errorCode) && isIncremental ? this.pump() : this.#onLost()
    }
    const fetchedByTopic = byTopic(asked.keys())
    const told = new Set<Fetched>()
    for (const topic of response.responses) {
      const fetchedByIndex = fetchedByTopic.get(topic.topicId)
      for (const data of topic.partitions) {
        const fetched = fetchedByIndex?.get(data.partitionIndex)
        if (fetched === undefined) continue
        told.add(fetched)
        this.#takeIn(fetched, asked.get(fetched) ?? -1, data)
      }
    }
    if (isIncremental) this.#noteUnchanged(asked, told)
    this.pump()
  }

  #onLost(): void {
    this.#session.onLost()
    this.#disconnect()
    this.#retryAtMs = this.#options.clock.monoMs() + this.#options.settings.backoffMs
    this.pump()
  }

  /**
   * What an answer of a session leaves out is as it was told before, with no more records. What was told before may not
   * have been heeded, if the partition was in another epoch then: all is asked for again.
   */
  #noteUnchanged(asked: ReadonlyMap<Fetched, Offset>, told: ReadonlySet<Fetched>): void {
    for (const [fetched, offset] of asked) {
      if (told.has(fetched)) continue
      const { leaderHighWatermark: highWatermark, leaderLogStartOffset: logStartOffset } = fetched
      if (highWatermark === UNKNOWN_OFFSET) this.#session.restart()
      else this.#takeIn(fetched, offset, { ...UNCHANGED, highWatermark, logStartOffset })
    }
  }

  #takeIn(fetched: Fetched, askedOffset: Offset, data: PartitionAnswer): void {
    try {
      this.#onData(fetched, askedOffset, data)
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#options.onStorageFailure(fetched.partition, error)
    }
  }

  #onData(fetched: Fetched, askedOffset: Offset, data: PartitionAnswer): void {
    const { partition } = fetched
    const current = this.#partitions.get(partition.key)
    // What the leader has told now is not told again, so it must not be thought known when it is not heeded.
    if (current !== undefined) current.leaderHighWatermark = UNKNOWN_OFFSET
    const isCurrent =
      current === fetched &&
      partition.leaderEpoch === fetched.leaderEpoch &&
      partition.log.logEndOffset === askedOffset
    if (!isCurrent) return
    if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return this.#reset(fetched)
    if (data.errorCode !== ErrorCode.NONE) return this.#delay(fetched)
    if (data.divergingEpoch.epoch >= 0) {
      const { epoch, endOffset } = data.divergingEpoch
      partition.truncateTo(truncationFor(partition.log, epoch, endOffset), 'diverging-epoch')
      return this.#pauseAfterTruncation(fetched)
    }
    const error = partition.appendAsFollower({
      leaderEpoch: fetched.leaderEpoch,
      records: data.records === null ? null : wholeBatches(data.records),
      highWatermark: data.highWatermark,
      logStartOffset: data.logStartOffset,
    })
    if (error !== ErrorCode.NONE) return this.#delay(fetched)
    fetched.leaderHighWatermark = data.highWatermark
    fetched.leaderLogStartOffset = data.logStartOffset
    if (data.records === null || data.records.length === 0) return
    // Whoever got data goes to the end, so that a full answer cannot starve the others.
    this.#partitions.delete(partition.key)
    this.#partitions.set(partition.key, fetched)
  }

  /** The position is outside of the leader's log: asks for its ends and cuts or restarts the log here. */
  #reset(fetched: Fetched): void {
    const connection = this.#connect()
    if (connection === null) return this.#delay(fetched)
    fetched.isResetting = true
    const { brokerId, settings } = this.#options
    const isCurrent = (): boolean =>
      !this.#isClosed &&
      this.#partitions.get(fetched.partition.key) === fetched &&
      fetched.partition.leaderEpoch === fetched.leaderEpoch
    resetFromLeader({
      connection,
      brokerId,
      partition: fetched.partition,
      timeoutMs: settings.requestTimeoutMs,
      isCurrent,
      step: this.#options.step,
      onStorageFailure: (error) => this.#options.onStorageFailure(fetched.partition, error),
      done: (isReset) => {
        if (isReset) return this.#pauseAfterTruncation(fetched)
        this.#resume(fetched, false)
      },
    })
  }

  #pauseAfterTruncation(fetched: Fetched): void {
    fetched.isResetting = true
    this.#options.afterTruncation(fetched.partition, (isDurable) => {
      if (!this.#isClosed) this.#resume(fetched, isDurable)
    })
  }

  #resume(fetched: Fetched, isGood: boolean): void {
    fetched.isResetting = false
    if (!isGood) this.#delay(fetched)
    this.pump()
  }

  #delay(fetched: Fetched): void {
    fetched.retryAtMs = this.#options.clock.monoMs() + this.#options.settings.backoffMs
  }

  /**
   * A partition that is not in the request in flight would have to wait out the leader's long poll, up to
   * replica.fetch.wait.max.ms; acks=all would wait with it. So the poll is given up and asked anew.
   */
  #interruptLater(nowMs: number): void {
    const asked = this.#inFlight
    let dueMs = Infinity
    // Every step of the broker comes here, and nearly always all partitions are in the request.
    for (const fetched of this.#partitions.values()) {
      const isLeft = asked?.has(fetched) !== true && !fetched.isResetting
      if (isLeft) dueMs = Math.min(dueMs, fetched.retryAtMs)
    }
    this.#cancelTimer()
    if (dueMs === Infinity) return
    const delayMs = Math.max(0, Math.max(dueMs, this.#sentAtMs + LONG_POLL_AFTER_MS) - nowMs)
    this.#timer = this.#options.clock.after(delayMs, 'follower-fetcher.interrupt', () => {
      this.#timer = null
      if (this.#inFlight === asked) this.#disconnect()
      this.pump()
    })
  }

  #nextRetryMs(): number {
    const open = [...this.#partitions.values()].filter(({ isResetting }) => !isResetting)
    const firstMs = open.reduce((least, { retryAtMs }) => Math.min(least, retryAtMs), Infinity)
    return Math.max(this.#retryAtMs, firstMs)
  }

  #pumpAt(atMs: number, nowMs: number): void {
    this.#cancelTimer()
    if (atMs === Infinity) return
    const delayMs = Math.max(MIN_DELAY_MS, atMs - nowMs)
    this.#timer = this.#options.clock.after(delayMs, 'follower-fetcher.retry', () => {
      this.#timer = null
      this.pump()
    })
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
    this.#timer = null
  }

  #connect(): ClientConnection | null {
    if (this.#connection !== null && this.#connection.state !== 'closed') return this.#connection
    const address = this.#options.leaderAddress()
    if (address === null) return null
    const { brokerId, network, clock } = this.#options
    this.#connection = new ClientConnection({
      network,
      clock,
      address,
      clientId: `broker-${brokerId}-fetcher-0`,
    })
    return this.#connection
  }

  /** Also gives up the request in flight: its answer will not be heeded. */
  #disconnect(): void {
    const connection = this.#connection
    if (this.#inFlight !== null) this.#session.onLost()
    this.#connection = null
    this.#inFlight = null
    connection?.close()
  }

  #request(asked: ReadonlyMap<Fetched, Offset>): Input<FetchRequest> {
    const { settings } = this.#options
    const targets = [...asked].map(([{ partition, leaderEpoch }, fetchOffset]) => ({
      topic: partition.topic,
      topicId: partition.topicId,
      partition: partition.partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset,
      lastFetchedEpoch: partition.log.latestEpoch,
      logStartOffset: partition.log.logStartOffset,
      partitionMaxBytes: settings.partitionMaxBytes,
    }))
    return {
      replicaState: {
        replicaId: this.#options.brokerId,
        replicaEpoch: this.#options.brokerEpoch(),
      },
      maxWaitMs: settings.waitMaxMs,
      minBytes: settings.minBytes,
      maxBytes: settings.responseMaxBytes,
      isolationLevel: 0,
      ...this.#session.next(targets),
      rackId: '',
    }
  }
}

/** By topic id and index, as an answer names partitions. */
function byTopic(asked: Iterable<Fetched>): ReadonlyMap<Uuid, ReadonlyMap<number, Fetched>> {
  const topics = new Map<Uuid, Map<number, Fetched>>()
  for (const fetched of asked) {
    const { topicId, partition } = fetched.partition
    const ofTopic = topics.get(topicId)
    if (ofTopic === undefined) topics.set(topicId, new Map([[partition, fetched]]))
    else ofTopic.set(partition, fetched)
  }
  return topics
}

/** As the broker's settings say. */
export function fetcherSettingsOf(config: Config): FetcherSettings {
  return {
    waitMaxMs: config.int('replica.fetch.wait.max.ms'),
    minBytes: config.int('replica.fetch.min.bytes'),
    responseMaxBytes: config.int('replica.fetch.response.max.bytes'),
    partitionMaxBytes: config.int('replica.fetch.max.bytes'),
    backoffMs: config.int('replica.fetch.backoff.ms'),
    requestTimeoutMs: config.int('replica.socket.timeout.ms'),
  }
}
