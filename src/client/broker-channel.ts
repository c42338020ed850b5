import { ConnectionError, TimeoutError } from '../base/errors.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { Address, Network } from '../ports/network.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { apiVersionsApi, type ApiVersionsResponse } from '../wire/messages/18-api-versions.ts'
import type { Api, Input } from '../wire/schema.ts'
import { ApiVersions, type VersionLimits } from './api-versions.ts'
import { ClientConnection } from './connection.ts'
import { KafkaError } from './kafka-error.ts'

const FIRST_API_VERSIONS_VERSION = 4
const SOFTWARE = { clientSoftwareName: 'kafkette', clientSoftwareVersion: '0.1.0' } as const

/** One request whose version is chosen when the broker's ranges are known. */
export interface Call<Req, Res> {
  readonly api: Api<Req, Res>
  /** The body for the version chosen; fields that the version lacks may be left out. */
  readonly body: (version: number) => Input<Req>
  readonly limits?: VersionLimits
  readonly timeoutMs: number
}

/** Called once, never from inside the call. `version` is the one used, -1 when there was none. */
export type CallDone<Res> = (error: Error | null, response: Res | null, version: number) => void

export interface BrokerChannelOptions {
  readonly network: Network
  readonly clock: Clock
  readonly address: Address
  readonly clientId: string | null
  readonly setupTimeoutMs: number
  /** For the ApiVersions request itself. */
  readonly requestTimeoutMs: number
  /** The broker's versions are known; calls flow from now on. */
  readonly onReady?: () => void
  readonly onClosed?: (error: Error | null) => void
}

interface WaitingCall {
  readonly start: () => void
  readonly fail: (error: Error) => void
  readonly timer: Timer
}

/**
 * A connection that speaks versions: it begins with ApiVersions (v4, lower when the broker says so, KIP-511)
 * and then sends each call in the newest version that both sides know. Opened by the first call.
 */
export class BrokerChannel {
  readonly #options: BrokerChannelOptions
  readonly #connection: ClientConnection
  #versions: ApiVersions | null = null
  #isNegotiating = false
  #waiting: WaitingCall[] = []

  constructor(options: BrokerChannelOptions) {
    this.#options = options
    this.#connection = new ClientConnection({
      network: options.network,
      clock: options.clock,
      address: options.address,
      clientId: options.clientId,
      setupTimeoutMs: options.setupTimeoutMs,
      onClosed: (error) => this.#onClosed(error),
    })
  }

  get isReady(): boolean {
    return this.#versions !== null && this.#connection.state === 'open'
  }

  get isClosed(): boolean {
    return this.#connection.state === 'closed'
  }

  get pendingCount(): number {
    return this.#connection.pendingCount + this.#waiting.length
  }

  /** What the broker serves; null before it has said so. */
  get versions(): ApiVersions | null {
    return this.#versions
  }

  request<Req, Res>(call: Call<Req, Res>, done: CallDone<Res>): void {
    this.#whenReady(call.api.name, call.timeoutMs, (error, versions, remainingMs) => {
      if (error !== null || versions === null) return done(error, null, -1)
      const version = versions.choose(call.api, call.limits)
      if (version instanceof KafkaError) {
        this.#options.clock.after(0, 'client.refused', () => done(version, null, -1))
        return
      }
      this.#connection.request(
        call.api,
        version,
        call.body(version),
        remainingMs,
        (failed, response) => done(failed, response, version),
      )
    })
  }

  /** A call without an answer (Produce with acks=0); `done` says whether it was handed to the connection. */
  requestOneWay<Req, Res>(call: Call<Req, Res>, done: (error: Error | null) => void): void {
    this.#whenReady(call.api.name, call.timeoutMs, (error, versions) => {
      if (error !== null || versions === null) return done(error)
      const version = versions.choose(call.api, call.limits)
      const problem = version instanceof KafkaError ? version : this.#sendOneWay(call, version)
      this.#options.clock.after(0, 'client.one-way', () => done(problem))
    })
  }

  close(): void {
    this.#connection.close()
  }

  #sendOneWay<Req, Res>(call: Call<Req, Res>, version: number): Error | null {
    const isTaken = this.#connection.requestOneWay(call.api, version, call.body(version))
    return isTaken ? null : new ConnectionError(`${call.api.name} was not sent`)
  }

  #whenReady(
    name: string,
    timeoutMs: number,
    go: (error: Error | null, versions: ApiVersions | null, remainingMs: number) => void,
  ): void {
    if (this.#versions !== null) return go(null, this.#versions, timeoutMs)
    const { clock, address } = this.#options
    const deadlineMs = clock.monoMs() + timeoutMs
    const waiting: WaitingCall = {
      start: () => go(null, this.#versions, Math.max(1, deadlineMs - clock.monoMs())),
      fail: (error) => go(error, null, 0),
      timer: clock.after(timeoutMs, `client.${name}.timeout`, () => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting)
        const where = `${address.host}:${address.port}`
        waiting.fail(new TimeoutError(`${where} did not answer within ${timeoutMs} ms (${name})`))
      }),
    }
    this.#waiting.push(waiting)
    if (!this.#isNegotiating) this.#negotiate(FIRST_API_VERSIONS_VERSION)
  }

  #negotiate(version: number): void {
    this.#isNegotiating = true
    const timeoutMs = this.#options.setupTimeoutMs + this.#options.requestTimeoutMs
    const body = version >= 3 ? SOFTWARE : {}
    this.#connection.request(apiVersionsApi, version, body, timeoutMs, (error, response) => {
      if (error !== null || response === null) this.#failAll(error)
      else this.#onVersions(version, response)
    })
  }

  #onVersions(version: number, response: ApiVersionsResponse): void {
    if (response.errorCode === ErrorCode.UNSUPPORTED_VERSION && version > 0) {
      const own = response.apiKeys.find((each) => each.apiKey === apiVersionsApi.key)
      return this.#negotiate(
        own === undefined ? 0 : Math.max(0, Math.min(own.maxVersion, version - 1)),
      )
    }
    if (response.errorCode !== ErrorCode.NONE) {
      this.#failAll(new KafkaError(response.errorCode, 'the broker refused ApiVersions'))
      this.#connection.close()
      return
    }
    this.#versions = new ApiVersions(response)
    this.#options.onReady?.()
    for (const waiting of this.#takeWaiting()) waiting.start()
  }

  #onClosed(error: Error | null): void {
    this.#options.onClosed?.(error)
    const { host, port } = this.#options.address
    this.#failAll(error ?? new ConnectionError(`connection to ${host}:${port} was closed`))
  }

  #failAll(error: Error | null): void {
    const problem = error ?? new ConnectionError('the broker gave no versions')
    for (const waiting of this.#takeWaiting()) waiting.fail(problem)
  }

  #takeWaiting(): readonly WaitingCall[] {
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) this.#options.clock.cancel(each.timer)
    return waiting
  }
}
