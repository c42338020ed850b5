import type { Address, Connection, ConnectionHandler, Listener } from '../../src/ports/network.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import { present } from '../../src/base/assert.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { FrameCutter } from '../../src/wire/frame.ts'
import { apis } from '../../src/wire/messages/index.ts'
import {
  apiVersionsApi,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from '../../src/wire/messages/18-api-versions.ts'
import { decodeRequestHeader, encodeResponse } from '../../src/wire/request.ts'
import { decodeMessage, type Api, type Input } from '../../src/wire/schema.ts'

const SIZE_PREFIX_BYTES = 4

/** One request as a broker saw it. */
export interface SeenRequest<Req> {
  readonly api: string
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly body: Req
  readonly atMs: number
  /** Counts the connections of the broker. */
  readonly connection: number
}

export interface Reply<Res> {
  (body: Input<Res>): void
  /** Ends the connection without an answer. */
  drop(): void
  /** Goes on without an answer, as for Produce with acks=0. */
  skip(): void
  /** Answers with these bytes, framed but otherwise as they are. */
  raw(bytes: Buffer): void
}

export type Handler<Req, Res> = (request: SeenRequest<Req>, reply: Reply<Res>) => void

interface BrokerConnection {
  readonly number: number
  readonly connection: Connection
  readonly frames: Buffer[]
  isBusy: boolean
}

/** Advertised ranges by api key, instead of all that the tables know. */
export type Ranges = ReadonlyMap<number, readonly [min: number, max: number]>

/**
 * A broker that answers by script, with the real codec over any network. Like a real one it handles the requests of
 * a connection one after the other. A request without a handler drops the connection.
 */
export class ScriptedBroker {
  readonly address: Address
  readonly seen: SeenRequest<unknown>[] = []
  readonly #ports: Pick<NodePorts, 'clock' | 'network'>
  readonly #handlers = new Map<number, Handler<unknown, unknown>>()
  readonly #open = new Set<BrokerConnection>()
  #ranges: Ranges | null = null
  #features = new Map<string, number>()
  #listener: Listener | null = null
  #connections = 0

  constructor(ports: Pick<NodePorts, 'clock' | 'network'>, address: Address) {
    this.#ports = ports
    this.address = address
    this.on(apiVersionsApi, (request, reply) => this.#onApiVersions(request, reply))
  }

  /** Connections made so far. */
  get connectionCount(): number {
    return this.#connections
  }

  get openCount(): number {
    return this.#open.size
  }

  /** Answers an API from now on, instead of what was set before. */
  on<Req, Res>(api: Api<Req, Res>, handler: Handler<Req, Res>): void {
    this.#handlers.set(api.key, handler as Handler<unknown, unknown>)
  }

  /** Lets the next requests of an API be handled by these, one each, and the handler set before after them. */
  next<Req, Res>(api: Api<Req, Res>, ...handlers: readonly Handler<Req, Res>[]): void {
    const usual = this.#handlers.get(api.key) as Handler<Req, Res> | undefined
    const queue = [...handlers]
    this.on(api, (request, reply) => {
      const handler = queue.shift() ?? usual
      present(handler, `a handler of ${api.name}`)(request, reply)
    })
  }

  advertise(ranges: Ranges): void {
    this.#ranges = ranges
  }

  /** Finalized features that new connections are told of. */
  finalize(features: Readonly<Record<string, number>>): void {
    this.#features = new Map(Object.entries(features))
  }

  requests<Req, Res>(api: Api<Req, Res>): readonly SeenRequest<Req>[] {
    return this.seen.filter((each) => each.api === api.name) as readonly SeenRequest<Req>[]
  }

  listen(): void {
    this.#ports.network.listen(
      this.address,
      (connection) => this.#accept(connection),
      (error, listener) => {
        if (error !== null) throw error
        this.#listener = listener
      },
    )
  }

  /** Stops listening and drops all connections. `listen` brings it back. */
  stop(): void {
    this.#listener?.close(() => undefined)
    this.#listener = null
    this.dropConnections()
  }

  dropConnections(): void {
    for (const each of this.#open) each.connection.destroy()
    this.#open.clear()
  }

  #accept(connection: Connection): ConnectionHandler {
    this.#connections += 1
    const state: BrokerConnection = {
      number: this.#connections,
      connection,
      frames: [],
      isBusy: false,
    }
    this.#open.add(state)
    const cutter = new FrameCutter(100_000_000, (frame) => state.frames.push(frame))
    return {
      onData: (bytes) => {
        cutter.push(bytes)
        this.#handleNext(state)
      },
      onClose: () => this.#open.delete(state),
    }
  }

  #handleNext(state: BrokerConnection): void {
    if (state.isBusy || !this.#open.has(state)) return
    const frame = state.frames.shift()
    if (frame === undefined) return
    state.isBusy = true
    const header = decodeRequestHeader(frame)
    const api = apis.find((each) => each.key === header.apiKey)
    const handler = this.#handlers.get(header.apiKey)
    if (api === undefined || handler === undefined) return this.#drop(state)
    const isKnown = header.apiVersion <= api.request.validVersions[1]
    const request: SeenRequest<unknown> = {
      api: api.name,
      version: header.apiVersion,
      correlationId: header.correlationId,
      clientId: header.clientId,
      body: isKnown ? decodeMessage(api.request, header.apiVersion, header.reader) : null,
      atMs: this.#ports.clock.monoMs(),
      connection: state.number,
    }
    this.seen.push(request)
    handler(request, this.#replyTo(state, api, request))
  }

  #replyTo(
    state: BrokerConnection,
    api: Api<unknown, unknown>,
    request: SeenRequest<unknown>,
  ): Reply<unknown> {
    const goOn = (chunks: readonly Buffer[]): void => {
      if (!this.#open.has(state)) return
      if (chunks.length > 0) state.connection.write(chunks)
      state.isBusy = false
      this.#handleNext(state)
    }
    const reply = (body: Input<unknown>): void => {
      goOn(encodeResponse(api, request.version, request.correlationId, body as never))
    }
    return Object.assign(reply, {
      drop: () => this.#drop(state),
      skip: () => goOn([]),
      raw: (bytes: Buffer) => {
        const size = Buffer.alloc(4)
        size.writeInt32BE(bytes.length)
        goOn([size, bytes])
      },
    })
  }

  #drop(state: BrokerConnection): void {
    this.#open.delete(state)
    state.connection.destroy()
  }

  #onApiVersions(
    request: SeenRequest<ApiVersionsRequest>,
    reply: Reply<ApiVersionsResponse>,
  ): void {
    const ranges: Ranges =
      this.#ranges ?? new Map(apis.map((api) => [api.key, api.request.validVersions]))
    const newest = ranges.get(apiVersionsApi.key)?.[1] ?? 0
    if (request.version > newest) return reply.raw(unsupportedVersion(request, newest))
    const apiKeys = [...ranges].map(([apiKey, [minVersion, maxVersion]]) => ({
      apiKey,
      minVersion,
      maxVersion,
    }))
    const finalizedFeatures = [...this.#features].map(([name, level]) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    }))
    reply({
      apiKeys,
      ...(request.version >= 3 && { finalizedFeatures, finalizedFeaturesEpoch: 1 }),
    })
  }
}

/** The version 0 body that a broker sends to a client that is too new (KIP-511). */
function unsupportedVersion(request: SeenRequest<unknown>, newest: number): Buffer {
  const frame = encodeResponse(apiVersionsApi, 0, request.correlationId, {
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: apiVersionsApi.key, minVersion: 0, maxVersion: newest }],
  })
  return Buffer.concat(frame).subarray(SIZE_PREFIX_BYTES)
}
