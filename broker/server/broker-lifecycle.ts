import { TimeoutError } from '../../src/base/errors.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import {
  brokerRegistrationApi,
  type BrokerRegistrationRequest,
} from '../../src/wire/messages/62-broker-registration.ts'
import {
  brokerHeartbeatApi,
  type BrokerHeartbeatResponse,
} from '../../src/wire/messages/63-broker-heartbeat.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { ControllerSender } from './request-context.ts'

export interface BrokerLifecycleOptions {
  readonly brokerId: number
  readonly incarnationId: Uuid
  readonly channel: ControllerSender
  readonly clock: Clock
  readonly events: EventSink
  /** Cluster id, listeners, rack, log directory and last clean epoch of this broker. */
  readonly registration: Input<BrokerRegistrationRequest>
  readonly heartbeatIntervalMs: number
  readonly sessionTimeoutMs: number
  /** How long the controller may not know of a log directory that has failed: log.dir.failure.timeout.ms. */
  readonly directoryTimeoutMs: number
  /** The last metadata offset this broker has applied; -1 when none. */
  readonly metadataOffset: () => number
  /** The registration was accepted: this is the broker's epoch from now on. */
  readonly onRegistered: (brokerEpoch: number) => void
  readonly onUnfenced: () => void
  /** All leaderships have moved away; the broker may stop. */
  readonly onShutdownAllowed: () => void
  /** The controller could not be told of a failed log directory in time; clients would be sent here for ever. */
  readonly onFatal: (error: Error) => void
}

type HeartbeatAnswer = Pick<BrokerHeartbeatResponse, 'errorCode' | 'isFenced' | 'shouldShutDown'>

/** Wait after a refused registration, and between heartbeats that hurry to become unfenced. */
const RETRY_MS = 20
const REGISTRATION_VERSION = 4
const HEARTBEAT_VERSION = 1

/**
 * A broker's life as the controller knows it (KIP-631): registered, fenced, unfenced once it has
 * caught up with the metadata, and on the way out a controlled shutdown that first moves its leaders.
 */
export class BrokerLifecycle {
  readonly #options: BrokerLifecycleOptions
  #brokerEpoch = -1
  #isReady = false
  #isUnfenced = false
  #wantsShutdown = false
  #isStopped = false
  #isInFlight = false
  /** Something changed while a heartbeat was under way, which could not tell it. */
  #hasNews = false
  #timer: Timer | null = null
  /** Log directories that have failed; with a timer while the controller does not know. */
  readonly #offlineDirectories = new Map<Uuid, Timer | null>()

  constructor(options: BrokerLifecycleOptions) {
    this.#options = options
  }

  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  get isUnfenced(): boolean {
    return this.#isUnfenced
  }

  start(): void {
    this.#register()
  }

  /** The broker serves its partitions: from now on heartbeats ask to be unfenced. */
  ready(): void {
    this.#isReady = true
    this.#hurry()
  }

  /** Asks the controller to move all leaderships away, then calls `onShutdownAllowed`. */
  beginControlledShutdown(): void {
    this.#wantsShutdown = true
    this.#hurry()
  }

  /** A log directory of the registration has failed: heartbeats tell it from now on. */
  directoryFailed(id: Uuid): void {
    if (this.#isStopped || this.#offlineDirectories.has(id)) return
    const { clock, directoryTimeoutMs, onFatal } = this.#options
    const timer = clock.after(directoryTimeoutMs, 'broker-lifecycle.directory', () => {
      this.#offlineDirectories.set(id, null)
      if (this.#isStopped) return
      onFatal(
        new TimeoutError(`the controller could not be told of the offline log directory ${id}`),
      )
    })
    this.#offlineDirectories.set(id, timer)
    this.#hurry()
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#offlineDirectories.values()) {
      if (timer !== null) this.#options.clock.cancel(timer)
    }
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
  }

  #register(): void {
    const { channel, registration, sessionTimeoutMs, brokerId, incarnationId } = this.#options
    const body = { ...registration, brokerId, incarnationId }
    channel.send(
      brokerRegistrationApi,
      REGISTRATION_VERSION,
      body,
      sessionTimeoutMs,
      (error, response) => {
        if (this.#isStopped) return
        if (error !== null || response === null || response.errorCode !== ErrorCode.NONE) {
          this.#reportRefusal('registration', response?.errorCode)
          this.#after(RETRY_MS, () => {
            this.#register()
          })
          return
        }
        this.#brokerEpoch = response.brokerEpoch
        this.#options.onRegistered(response.brokerEpoch)
        this.#heartbeat()
      },
    )
  }

  #heartbeat(): void {
    const { channel, brokerId, sessionTimeoutMs, metadataOffset } = this.#options
    this.#isInFlight = true
    this.#hasNews = false
    const told = [...this.#offlineDirectories.keys()]
    const body = {
      brokerId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: metadataOffset(),
      wantFence: !this.#isReady,
      wantShutDown: this.#wantsShutdown,
      offlineLogDirs: told,
    }
    channel.send(brokerHeartbeatApi, HEARTBEAT_VERSION, body, sessionTimeoutMs, (error, answer) => {
      this.#isInFlight = false
      if (this.#isStopped) return
      if (error === null && answer !== null) this.#accept(answer, told)
      if (this.#isStopped || this.#brokerEpoch === -1) return
      if (this.#hasNews) this.#hurry()
      else this.#scheduleHeartbeat()
    })
  }

  #accept(answer: HeartbeatAnswer, toldDirectories: readonly Uuid[]): void {
    if (
      answer.errorCode === ErrorCode.STALE_BROKER_EPOCH ||
      answer.errorCode === ErrorCode.BROKER_ID_NOT_REGISTERED
    ) {
      this.#reportRefusal('heartbeat', answer.errorCode)
      this.#brokerEpoch = -1
      this.#isUnfenced = false
      this.#after(RETRY_MS, () => {
        this.#register()
      })
      return
    }
    if (answer.errorCode !== ErrorCode.NONE) return
    for (const id of toldDirectories) this.#settleDirectory(id)
    if (answer.shouldShutDown) {
      this.stop()
      this.#options.onShutdownAllowed()
      return
    }
    const wasUnfenced = this.#isUnfenced
    this.#isUnfenced = !answer.isFenced
    if (this.#isUnfenced && !wasUnfenced) this.#options.onUnfenced()
  }

  #settleDirectory(id: Uuid): void {
    const timer = this.#offlineDirectories.get(id) ?? null
    if (timer !== null) this.#options.clock.cancel(timer)
    this.#offlineDirectories.set(id, null)
  }

  #scheduleHeartbeat(): void {
    const isWaiting = (this.#isReady && !this.#isUnfenced) || this.#wantsShutdown
    this.#after(isWaiting ? RETRY_MS : this.#options.heartbeatIntervalMs, () => {
      this.#heartbeat()
    })
  }

  #hurry(): void {
    if (this.#isStopped || this.#brokerEpoch === -1) return
    if (this.#isInFlight) {
      this.#hasNews = true
      return
    }
    this.#after(0, () => {
      this.#heartbeat()
    })
  }

  #after(delayMs: number, fn: () => void): void {
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
    this.#timer = this.#options.clock.after(delayMs, 'broker-lifecycle', fn)
  }

  #reportRefusal(what: string, code: number | undefined): void {
    if (code === undefined || code === ErrorCode.NONE) return
    this.#options.events.emit('broker.refused', { request: what, error: errorName(code) })
  }
}
