import { ConnectionError, TimeoutError } from '../../src/base/errors.ts'
import { MovingConnection, type ClientConnection } from '../../src/client/connection.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Address, Network } from '../../src/ports/network.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import { saysNotController } from '../../src/wire/not-controller.ts'
import type { ControllerSender } from './request-context.ts'

export interface ControllerChannelOptions {
  readonly network: Network
  readonly clock: Clock
  readonly clientId: string
  /** Where the active controller listens; null while nobody leads the quorum. */
  readonly controllerAddress: () => Address | null
  readonly retryBackoffMs: number
}

interface Pending {
  /** Wait before the next attempt; it doubles up to the backoff. A new controller is active in no time. */
  waitMs: number
  readonly deadlineMs: number
  readonly send: (connection: ClientConnection, remainingMs: number) => void
  readonly fail: (error: Error) => void
  readonly what: string
}

const FIRST_WAIT_MS = 2
/** Requests that may wait for a controller before new ones are refused. */
const MAX_WAITING = 1000

/**
 * A broker's requests to the active controller. It follows the quorum leader: while there is none, or
 * when the answer says NOT_CONTROLLER, a request waits and is sent again until its time-out
 * (Kafka's NodeToControllerChannelManager).
 */
export class ControllerChannel implements ControllerSender {
  readonly #options: ControllerChannelOptions
  readonly #waiting = new Map<Pending, Timer>()
  readonly #connection: MovingConnection
  #isClosed = false

  constructor(options: ControllerChannelOptions) {
    this.#options = options
    this.#connection = new MovingConnection(options)
  }

  send<Req, Res>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    done: (error: Error | null, response: Res | null) => void,
  ): void {
    const pending: Pending = {
      waitMs: Math.min(FIRST_WAIT_MS, this.#options.retryBackoffMs),
      deadlineMs: this.#options.clock.monoMs() + timeoutMs,
      what: api.name,
      fail: (error) => {
        done(error, null)
      },
      send: (connection, remainingMs) => {
        connection.request(api, version, body, remainingMs, (error, response) => {
          if (this.#isClosed) done(new ConnectionError('the node is closing'), null)
          else if (error !== null || saysNotController(response)) this.#retryLater(pending)
          else done(null, response)
        })
      },
    }
    this.#attempt(pending)
  }

  /** The quorum has a new leader: waiting requests go there at once. */
  leaderChanged(): void {
    this.#connection.close()
    if (this.#options.controllerAddress() === null) return
    for (const pending of this.#takeWaiting()) this.#attempt(pending)
  }

  close(): void {
    this.#isClosed = true
    this.#connection.close()
    for (const pending of this.#takeWaiting()) {
      pending.fail(new ConnectionError('the node is closing'))
    }
  }

  #attempt(pending: Pending): void {
    const remainingMs = pending.deadlineMs - this.#options.clock.monoMs()
    if (this.#isClosed || remainingMs <= 0) {
      pending.fail(new TimeoutError(`${pending.what}: no controller answered in time`))
      return
    }
    const connection = this.#connection.to(this.#options.controllerAddress())
    if (connection === null) this.#retryLater(pending)
    else pending.send(connection, remainingMs)
  }

  #retryLater(pending: Pending): void {
    if (this.#waiting.size >= MAX_WAITING) {
      pending.fail(
        new ConnectionError(`${pending.what}: ${MAX_WAITING} requests wait for a controller`),
      )
      return
    }
    const { clock, retryBackoffMs } = this.#options
    const { waitMs } = pending
    pending.waitMs = Math.min(2 * waitMs, retryBackoffMs)
    const timer = clock.after(waitMs, 'controller-channel.retry', () => {
      this.#waiting.delete(pending)
      this.#attempt(pending)
    })
    this.#waiting.set(pending, timer)
  }

  #takeWaiting(): readonly Pending[] {
    for (const timer of this.#waiting.values()) this.#options.clock.cancel(timer)
    const waiting = [...this.#waiting.keys()]
    this.#waiting.clear()
    return waiting
  }
}
