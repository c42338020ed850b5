import { ZERO_UUID } from '../base/uuid.ts'
import type { Timer } from '../ports/clock.ts'
import { ErrorCode, isRetriable } from '../wire/error-codes.ts'
import { metadataApi, type MetadataResponse } from '../wire/messages/03-metadata.ts'
import type { Cluster } from './cluster.ts'
import { KafkaError } from './kafka-error.ts'
import type { TopicMetadata } from './metadata.ts'
import { backoffMs, timedOut } from './retry.ts'

export interface MetadataUpdaterOptions {
  /** Ask brokers to create topics that are missing, where they are set up for it. */
  readonly allowAutoTopicCreation: boolean
}

interface TopicWaiter {
  readonly topic: string
  readonly partitionCount: number
  readonly done: (error: Error | null, topic: TopicMetadata | null) => void
  readonly timer: Timer
}

interface RefreshWaiter {
  /** Number of requests that were sent before it asked. */
  readonly after: number
  readonly done: () => void
}

/**
 * Keeps a cluster's metadata fresh: at once for a new topic, after an error that says it is stale (but not more
 * often than `retry.backoff.ms`), and every `metadata.max.age.ms`.
 */
export class MetadataUpdater {
  readonly #cluster: Cluster
  readonly #options: MetadataUpdaterOptions
  readonly #tracked = new Set<string>()
  readonly #listeners = new Set<() => void>()
  #waiters: TopicWaiter[] = []
  #refreshWaiters: RefreshWaiter[] = []
  #sentCount = 0
  #wantsAll = false
  #isInFlight = false
  #isStale = false
  /** Asked for something new while a request was under way: the next one does not wait. */
  #isUrgent = false
  /** Answers in a row that left something open, with the failed requests. */
  #failures = 0
  #failingSinceMs: number | null = null
  #lastError: Error | null = null
  #timer: Timer | null = null
  #isClosed = false

  constructor(cluster: Cluster, options: MetadataUpdaterOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  /** Called after every answer. Returns what ends the subscription. */
  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Includes topics in every refresh, and fetches them now when one is new. */
  track(topics: Iterable<string>): void {
    let isNew = false
    for (const topic of topics) {
      if (this.#tracked.has(topic)) continue
      this.#tracked.add(topic)
      isNew ||= this.#cluster.metadata.topic(topic) === null
    }
    if (isNew) this.#refreshNow()
  }

  untrack(topics: Iterable<string>): void {
    for (const topic of topics) this.#tracked.delete(topic)
  }

  /** For subscriptions by pattern: every refresh asks for all topics. */
  trackAll(isWanted: boolean): void {
    if (this.#wantsAll === isWanted) return
    this.#wantsAll = isWanted
    if (isWanted) this.#refreshNow()
  }

  /** Asks now and calls `done` when an answer to a request sent from now on was taken over. */
  refresh(done: () => void): void {
    this.#refreshWaiters.push({ after: this.#sentCount, done })
    this.#refreshNow()
  }

  /** Something shows that the metadata is stale: refresh as soon as the back-off allows. */
  requestUpdate(): void {
    this.#isStale = true
    this.#schedule()
  }

  /**
   * The topic when it has at least `partitionCount` partitions, or why it cannot be had: an error for good or a
   * `TimeoutError`.
   */
  whenTopic(
    topic: string,
    partitionCount: number,
    timeoutMs: number,
    done: (error: Error | null, topic: TopicMetadata | null) => void,
  ): void {
    const { clock } = this.#cluster.ports
    const waiter: TopicWaiter = {
      topic,
      partitionCount,
      done,
      timer: clock.after(timeoutMs, 'client.topic.timeout', () => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter)
        done(timedOut(`metadata of topic "${topic}"`, timeoutMs, this.#reasonFor(topic)), null)
      }),
    }
    this.#waiters.push(waiter)
    if (this.#topicFor(waiter) !== null) {
      clock.after(0, 'client.topic.known', () => this.#serveWaiters())
    } else if (this.#tracked.has(topic)) this.requestUpdate()
    else this.track([topic])
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer()
    const waiters = this.#waiters
    this.#waiters = []
    this.#refreshWaiters = []
    this.#listeners.clear()
    for (const waiter of waiters) {
      this.#cluster.ports.clock.cancel(waiter.timer)
      waiter.done(new KafkaError(ErrorCode.NETWORK_EXCEPTION, 'the client was closed'), null)
    }
  }

  #refreshNow(): void {
    this.#isStale = true
    this.#isUrgent = true
    if (this.#isClosed || this.#isInFlight) return
    this.#send()
  }

  #schedule(): void {
    if (this.#isClosed || this.#isInFlight || !this.#isStale) return
    if (this.#timer !== null) {
      if (this.#timer.tag === 'client.metadata.backoff') return
      this.#cancelTimer()
    }
    const { clock, random } = this.#cluster.ports
    const delayMs = backoffMs(Math.max(1, this.#failures), this.#cluster.retryBackoff, random)
    this.#timer = clock.after(delayMs, 'client.metadata.backoff', () => {
      this.#timer = null
      this.#send()
    })
  }

  #send(): void {
    this.#cancelTimer()
    this.#isInFlight = true
    this.#isStale = false
    this.#isUrgent = false
    this.#sentCount += 1
    const isFull = this.#wantsAll
    const topics = [...this.#tracked].map((name) => ({ name, topicId: ZERO_UUID }))
    const { allowAutoTopicCreation } = this.#options
    this.#cluster.request(
      'any',
      'main',
      {
        api: metadataApi,
        limits: { min: 1 },
        timeoutMs: this.#cluster.requestTimeoutMs,
        body: (version) => ({
          topics: isFull ? null : topics,
          ...(version >= 4 ? { allowAutoTopicCreation: allowAutoTopicCreation && !isFull } : {}),
        }),
      },
      (error, response) => this.#onAnswer(error, response, isFull),
    )
  }

  #onAnswer(error: Error | null, response: MetadataResponse | null, isFull: boolean): void {
    this.#isInFlight = false
    if (this.#isClosed) return
    const problem = error ?? problemIn(response)
    if (problem !== null || response === null) {
      this.#onFailure(problem)
    } else {
      this.#failingSinceMs = null
      this.#cluster.metadata.apply(response, isFull)
      this.#cluster.dropUnknownPeers()
      this.#serveWaiters()
      this.#serveRefreshes()
      const isOpen = this.#waiters.length > 0 || this.#hasLeaderlessTopic()
      this.#failures = isOpen ? this.#failures + 1 : 0
      this.#isStale ||= isOpen
      for (const listener of [...this.#listeners]) listener()
    }
    if (this.#isInFlight || this.#isClosed) return
    if (this.#isUrgent && problem === null) this.#send()
    else if (this.#isStale) this.#schedule()
    else this.#scheduleMaxAge()
  }

  #onFailure(error: Error | null): void {
    const nowMs = this.#cluster.ports.clock.monoMs()
    this.#failures += 1
    this.#lastError = error
    this.#isStale = true
    this.#failingSinceMs ??= nowMs
    const triggerMs = this.#cluster.config.long('metadata.recovery.rebootstrap.trigger.ms')
    const isAsked =
      error instanceof KafkaError && error.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED
    if (isAsked || nowMs - this.#failingSinceMs > triggerMs) {
      this.#failingSinceMs = null
      this.#cluster.rebootstrap(isAsked ? 'the broker asked for it' : 'no metadata for too long')
    }
  }

  #scheduleMaxAge(): void {
    this.#cancelTimer()
    const { clock } = this.#cluster.ports
    const maxAgeMs = this.#cluster.config.long('metadata.max.age.ms')
    if (maxAgeMs === Infinity || this.#isClosed || this.#isInFlight) return
    this.#timer = clock.after(maxAgeMs, 'client.metadata.max-age', () => {
      this.#timer = null
      this.#send()
    })
  }

  #serveWaiters(): void {
    const { metadata, ports } = this.#cluster
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      const topic = this.#topicFor(waiter)
      const code = metadata.errorOf(waiter.topic)
      const isFatal = code !== ErrorCode.NONE && !isRetriable(code)
      if (topic === null && !isFatal) {
        this.#waiters.push(waiter)
        continue
      }
      ports.clock.cancel(waiter.timer)
      if (topic !== null) waiter.done(null, topic)
      else waiter.done(new KafkaError(code, `topic "${waiter.topic}"`), null)
    }
  }

  #serveRefreshes(): void {
    const isServed = (waiter: RefreshWaiter): boolean => waiter.after < this.#sentCount
    const served = this.#refreshWaiters.filter(isServed)
    this.#refreshWaiters = this.#refreshWaiters.filter((waiter) => !isServed(waiter))
    if (this.#refreshWaiters.length > 0) this.#isStale = true
    for (const waiter of served) waiter.done()
  }

  #topicFor(waiter: TopicWaiter): TopicMetadata | null {
    const topic = this.#cluster.metadata.topic(waiter.topic)
    return topic !== null && topic.partitions.length >= waiter.partitionCount ? topic : null
  }

  /** A tracked topic of which something is missing that may soon be there. */
  #hasLeaderlessTopic(): boolean {
    const { metadata } = this.#cluster
    for (const name of this.#tracked) {
      if (isRetriable(metadata.errorOf(name))) return true
      if (metadata.topic(name)?.partitions.some((each) => each.leader < 0) === true) return true
    }
    return false
  }

  #reasonFor(topic: string): Error | null {
    const code = this.#cluster.metadata.errorOf(topic)
    return code === ErrorCode.NONE ? this.#lastError : new KafkaError(code)
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#cluster.ports.clock.cancel(this.#timer)
    this.#timer = null
  }
}

function problemIn(response: MetadataResponse | null): KafkaError | null {
  if (response === null || response.errorCode === ErrorCode.NONE) return null
  return new KafkaError(response.errorCode)
}
