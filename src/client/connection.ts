import { assert } from '../base/assert.ts'
import { ConnectionError, messageOf, TimeoutError, WireError } from '../base/errors.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { Address, Connection, Network } from '../ports/network.ts'
import { FrameCutter } from '../wire/frame.ts'
import { correlationIdOf, decodeResponse, encodeRequest } from '../wire/request.ts'
import type { Api, Input } from '../wire/schema.ts'

const API_VERSIONS_KEY = 18
const UNSUPPORTED_VERSION = 35
const CORRELATION_ID_BYTES = 4
const DEFAULT_MAX_FRAME_BYTES = 104_857_600
const DEFAULT_MAX_IN_FLIGHT = 100
const DEFAULT_MAX_QUEUED = 10_000
const DEFAULT_SETUP_TIMEOUT_MS = 10_000

/**
 * `idle` until the first request, then `connecting`, `open` and `closed`. A closed connection stays closed:
 * its owner makes a new one.
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'closed'

/** Called once with either an error or the answer, never from inside `request`. */
export type ResponseCallback<Res> = (error: Error | null, response: Res | null) => void

export interface ClientConnectionOptions {
  readonly network: Network
  readonly clock: Clock
  readonly address: Address
  readonly clientId: string | null
  /** Largest answer that is accepted; 100 MiB. */
  readonly maxFrameBytes?: number
  /** Requests that may be written and unanswered; the others wait in line. 100. */
  readonly maxInFlight?: number
  /** Requests that may wait in line; one more is refused. 10,000. */
  readonly maxQueued?: number
  /** How long the connection may take to open; 10 s. */
  readonly setupTimeoutMs?: number
  /** Called once at the end; the error is null after `close` and after an end in order by the other side. */
  readonly onClosed?: (error: Error | null) => void
}

/** A request on its way. Kept free of its type: the answer is given to `finish` as decoded. */
interface Pending {
  readonly correlationId: number
  readonly chunks: readonly Buffer[]
  readonly api: Api<unknown, unknown>
  readonly version: number
  /** Null for a one-way request, which ends when it is written. */
  readonly finish: ((error: Error | null, response: unknown) => void) | null
  readonly timeoutMs: number
  /** When its time is up, by the monotonic clock. */
  readonly deadlineMs: number
}

/**
 * One connection to one broker: frames, correlation ids, pipelining, time-outs, back-pressure.
 *
 * Answers come in the order of the requests (a broker handles one request of a connection at a time), so a
 * wrong correlation id, like any answer that cannot be read, ends the connection. So does a request that
 * was written and not answered in time: what is behind it would wait as well (NetworkClient does the same).
 */
export class ClientConnection {
  readonly address: Address
  readonly #options: ClientConnectionOptions
  readonly #clock: Clock
  readonly #cutter: FrameCutter
  readonly #maxInFlight: number
  readonly #maxQueued: number
  #state: ConnectionState = 'idle'
  #connection: Connection | null = null
  #setupTimer: Timer | null = null
  #wakeTimer: Timer | null = null
  /** The earliest deadline that the timer is set for; Infinity when it is not set. */
  #wakeAtMs = Infinity
  #isBlocked = false
  #lastCorrelationId = -1
  #queued: Pending[] = []
  #inFlight: Pending[] = []

  constructor(options: ClientConnectionOptions) {
    this.#options = options
    this.#clock = options.clock
    this.address = options.address
    this.#maxInFlight = options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT
    this.#maxQueued = options.maxQueued ?? DEFAULT_MAX_QUEUED
    assert(this.#maxInFlight >= 1, 'maxInFlight is at least 1')
    assert(this.#maxQueued >= 1, 'maxQueued is at least 1')
    this.#cutter = new FrameCutter(options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES, (frame) =>
      this.#onFrame(frame),
    )
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Requests that have not ended yet, written or waiting. */
  get pendingCount(): number {
    return this.#inFlight.length + this.#queued.length
  }

  /**
   * Sends a request and gives its answer to `done`, or a `TimeoutError` after `timeoutMs`, or a
   * `ConnectionError` when the connection ends first, or a `WireError` for a body that cannot be encoded
   * at this version or an answer that cannot be read. `Infinity` waits for ever.
   */
  request<Req, Res>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    done: ResponseCallback<Res>,
  ): void {
    const refusal = this.#refusal(api.name)
    if (refusal !== null) return this.#later(() => done(refusal, null))
    const correlationId = this.#nextCorrelationId()
    let chunks: readonly Buffer[]
    try {
      chunks = encodeRequest(api, version, correlationId, this.#options.clientId, body)
    } catch (error) {
      const problem = error instanceof Error ? error : new WireError(messageOf(error))
      return this.#later(() => done(problem, null))
    }
    const deadlineMs = this.#clock.monoMs() + Math.max(0, timeoutMs)
    const finish = done as (error: Error | null, response: unknown) => void
    this.#enqueue({ correlationId, api, version, chunks, finish, timeoutMs, deadlineMs })
    this.#wakeAt(deadlineMs)
  }

  /**
   * Sends a request that has no answer (Produce with acks=0). False when it was not taken because the
   * connection is closed or its line is full. Throws `WireError` for a body that cannot be encoded.
   */
  requestOneWay<Req, Res>(api: Api<Req, Res>, version: number, body: Input<Req>): boolean {
    if (this.#refusal(api.name) !== null) return false
    const correlationId = this.#nextCorrelationId()
    const chunks = encodeRequest(api, version, correlationId, this.#options.clientId, body)
    const never = { timeoutMs: Infinity, deadlineMs: Infinity }
    this.#enqueue({ correlationId, api, version, chunks, finish: null, ...never })
    return true
  }

  /** Sends what is written, ends the connection and fails all that is pending. Safe to call twice. */
  close(): void {
    if (this.#state === 'closed') return
    this.#connection?.close()
    this.#end(null, new ConnectionError(`connection to ${this.#name()} was closed`))
  }

  #enqueue(pending: Pending): void {
    this.#queued.push(pending)
    if (this.#state === 'idle') this.#connect()
    else this.#writeQueued()
  }

  #connect(): void {
    assert(this.#state === 'idle', 'a connection is opened once')
    this.#state = 'connecting'
    const timeoutMs = this.#options.setupTimeoutMs ?? DEFAULT_SETUP_TIMEOUT_MS
    this.#setupTimer = this.#clock.after(timeoutMs, 'client.connect.timeout', () =>
      this.#fail(new ConnectionError(`no connection to ${this.#name()} within ${timeoutMs} ms`)),
    )
    this.#connection = this.#options.network.connect(this.address, {
      onOpen: () => this.#onOpen(),
      onData: (bytes) => this.#onData(bytes),
      onDrain: () => this.#onDrain(),
      onClose: (error) => this.#onClose(error),
    })
  }

  #onOpen(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    this.#cancelSetupTimer()
    this.#writeQueued()
  }

  #onDrain(): void {
    this.#isBlocked = false
    this.#writeQueued()
  }

  #onClose(error: Error | null): void {
    if (this.#state === 'closed') return
    const why = error === null ? 'the other side closed it' : messageOf(error)
    const problem = new ConnectionError(`connection to ${this.#name()} ended: ${why}`, {
      cause: error,
    })
    this.#end(error === null ? null : problem, problem)
  }

  #onData(bytes: Buffer): void {
    if (this.#state === 'closed') return
    try {
      this.#cutter.push(bytes)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#fail(badAnswer(this.#name(), error))
    }
  }

  #onFrame(frame: Buffer): void {
    if (this.#state === 'closed') return
    const pending = this.#inFlight[0]
    if (pending === undefined) throw new WireError('an answer came that was not asked for')
    const correlationId = correlationIdOf(frame)
    if (correlationId !== pending.correlationId) {
      throw new WireError(
        `answer ${correlationId} came where ${pending.correlationId} (${pending.api.name}) was due`,
      )
    }
    this.#inFlight.shift()
    let response: unknown
    try {
      response = decodeAnswer(pending.api, pending.version, frame)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      const problem = new WireError(`answer to ${pending.api.name} is unreadable: ${error.message}`)
      this.#fail(badAnswer(this.#name(), problem))
      pending.finish?.(problem, null)
      return
    }
    pending.finish?.(null, response)
    this.#writeQueued()
  }

  /**
   * One timer serves all requests of the connection: it stays set when they are answered, and finds nothing to
   * do then. Nearly every request is answered in time, so a timer for each would be set in vain.
   */
  #wakeAt(deadlineMs: number): void {
    if (deadlineMs >= this.#wakeAtMs) return
    this.#cancelWake()
    this.#wakeAtMs = deadlineMs
    const delayMs = Math.max(0, deadlineMs - this.#clock.monoMs())
    this.#wakeTimer = this.#clock.after(delayMs, 'client.timeout', () => this.#onWake())
  }

  #onWake(): void {
    this.#wakeTimer = null
    this.#wakeAtMs = Infinity
    const nowMs = this.#clock.monoMs()
    for (const pending of [...this.#inFlight, ...this.#queued]) {
      if (pending.deadlineMs <= nowMs && this.#isPending(pending)) this.#onTimeout(pending)
    }
    let nextMs = Infinity
    for (const { deadlineMs } of this.#inFlight) nextMs = Math.min(nextMs, deadlineMs)
    for (const { deadlineMs } of this.#queued) nextMs = Math.min(nextMs, deadlineMs)
    this.#wakeAt(nextMs)
  }

  /** One that timed out before it may have ended the connection, and all others with it. */
  #isPending(pending: Pending): boolean {
    return this.#inFlight.includes(pending) || this.#queued.includes(pending)
  }

  #onTimeout(pending: Pending): void {
    const problem = new TimeoutError(
      `${this.#name()} did not answer ${pending.api.name} within ${pending.timeoutMs} ms`,
    )
    const waiting = this.#queued.indexOf(pending)
    if (waiting >= 0) {
      this.#queued.splice(waiting, 1)
    } else {
      this.#inFlight.splice(this.#inFlight.indexOf(pending), 1)
      this.#fail(new ConnectionError(`connection dropped: ${problem.message}`))
    }
    pending.finish?.(problem, null)
  }

  #writeQueued(): void {
    const connection = this.#connection
    while (
      this.#state === 'open' &&
      !this.#isBlocked &&
      this.#inFlight.length < this.#maxInFlight
    ) {
      const pending = this.#queued.shift()
      if (pending === undefined || connection === null) return
      if (pending.finish !== null) this.#inFlight.push(pending)
      this.#isBlocked = !connection.write(pending.chunks)
    }
  }

  /** Ends the connection because of `problem`. */
  #fail(problem: ConnectionError): void {
    if (this.#state === 'closed') return
    this.#connection?.destroy()
    this.#end(problem, problem)
  }

  #end(error: Error | null, pendingError: ConnectionError): void {
    assert(this.#state !== 'closed', 'a connection ends once')
    this.#state = 'closed'
    this.#cancelSetupTimer()
    this.#cancelWake()
    const pending = [...this.#inFlight, ...this.#queued]
    this.#inFlight = []
    this.#queued = []
    this.#options.onClosed?.(error)
    for (const each of pending) each.finish?.(pendingError, null)
  }

  #refusal(name: string): ConnectionError | null {
    if (this.#state === 'closed') {
      return new ConnectionError(`connection to ${this.#name()} is closed, ${name} was not sent`)
    }
    if (this.#queued.length < this.#maxQueued) return null
    return new ConnectionError(
      `${this.#maxQueued} requests wait for ${this.#name()}, ${name} was not sent`,
    )
  }

  #nextCorrelationId(): number {
    this.#lastCorrelationId = (this.#lastCorrelationId + 1) % 0x8000_0000
    return this.#lastCorrelationId
  }

  #cancelWake(): void {
    if (this.#wakeTimer !== null) this.#clock.cancel(this.#wakeTimer)
    this.#wakeTimer = null
    this.#wakeAtMs = Infinity
  }

  #cancelSetupTimer(): void {
    if (this.#setupTimer !== null) this.#clock.cancel(this.#setupTimer)
    this.#setupTimer = null
  }

  #later(fn: () => void): void {
    this.#clock.after(0, 'client.refused', fn)
  }

  #name(): string {
    return `${this.address.host}:${this.address.port}`
  }
}

/** A broker that lacks the ApiVersions version asked for answers in version 0 with error 35 (KIP-511). */
function decodeAnswer<Req, Res>(api: Api<Req, Res>, version: number, frame: Buffer): Res {
  const isFallback =
    api.key === API_VERSIONS_KEY &&
    frame.length >= CORRELATION_ID_BYTES + 2 &&
    frame.readInt16BE(CORRELATION_ID_BYTES) === UNSUPPORTED_VERSION
  return decodeResponse(api, isFallback ? 0 : version, frame).body
}

function badAnswer(name: string, error: WireError): ConnectionError {
  return new ConnectionError(`connection to ${name} dropped: ${error.message}`, { cause: error })
}

export interface MovingConnectionOptions {
  readonly network: Network
  readonly clock: Clock
  readonly clientId: string
}

/** One connection at a time to whoever is in charge now, made when it is asked for. */
export class MovingConnection {
  readonly #options: MovingConnectionOptions
  #current: ClientConnection | null = null

  constructor(options: MovingConnectionOptions) {
    this.#options = options
  }

  /** The connection to this address: the one that there is, or a new one in its place. Null without an address. */
  to(address: Address | null): ClientConnection | null {
    const current = this.#current
    const isSame =
      address !== null &&
      current?.address.host === address.host &&
      current.address.port === address.port
    if (isSame && current !== null && current.state !== 'closed') return current
    this.close()
    if (address === null) return null
    const { network, clock, clientId } = this.#options
    this.#current = new ClientConnection({ network, clock, address, clientId })
    return this.#current
  }

  /** Ends the one that there is; the next question makes another. */
  close(): void {
    const current = this.#current
    this.#current = null
    current?.close()
  }
}
