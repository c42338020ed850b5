import type { Uuid } from '../../src/base/uuid.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import {
  brokerRegistrationApi,
  type BrokerRegistrationRequest,
} from '../../src/wire/messages/62-broker-registration.ts'
import { brokerHeartbeatApi } from '../../src/wire/messages/63-broker-heartbeat.ts'
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
  /** The last metadata offset this broker has applied; -1 when none. */
  readonly metadataOffset: () => number
  /** The registration was accepted: this is the broker's epoch from now on. */
  readonly onRegistered: (brokerEpoch: number) => void
  readonly onUnfenced: () => void
  /** All leaderships have moved away; the broker may stop. */
  readonly onShutdownAllowed: () => void
}

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

  stop(): void {
    this.#isStopped = true
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
    const body = {
      brokerId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: metadataOffset(),
      wantFence: !this.#isReady,
      wantShutDown: this.#wantsShutdown,
    }
    channel.send(brokerHeartbeatApi, HEARTBEAT_VERSION, body, sessionTimeoutMs, (error, answer) => {
      this.#isInFlight = false
      if (this.#isStopped) return
      if (error === null && answer !== null) this.#accept(answer)
      if (this.#isStopped || this.#brokerEpoch === -1) return
      if (this.#hasNews) this.#hurry()
      else this.#scheduleHeartbeat()
    })
  }

  #accept(answer: { errorCode: number; isFenced: boolean; shouldShutDown: boolean }): void {
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
    if (answer.shouldShutDown) {
      this.stop()
      this.#options.onShutdownAllowed()
      return
    }
    const wasUnfenced = this.#isUnfenced
    this.#isUnfenced = !answer.isFenced
    if (this.#isUnfenced && !wasUnfenced) this.#options.onUnfenced()
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
