import { WireError, messageOf } from '../../src/base/errors.ts'
import type { Address } from '../../src/ports/network.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { apiVersionsApi } from '../../src/wire/messages/18-api-versions.ts'
import { decodeRequestHeader, encodeResponse } from '../../src/wire/request.ts'
import { decodeMessage, type Input } from '../../src/wire/schema.ts'
import type { ProtocolCap, VersionRange } from './protocol-cap.ts'
import type { ApiHandler, ListenerKind, NodeServices, ServedApi } from './request-context.ts'

export type AnyHandler = ApiHandler<unknown, unknown>

/** Frames to send, nothing to send, or the end of the connection. */
export type RouteOutcome = readonly Buffer[] | 'none' | 'close'

export interface RequestOrigin {
  readonly listenerName: string
  readonly client: Address
}

/**
 * Finds the handler of a request by API key and version. An unknown key or version, or a body that
 * cannot be read, is a WireError and ends the connection; only ApiVersions answers UNSUPPORTED_VERSION
 * in its version 0, so that a client can start again lower (KIP-511).
 */
export class Router {
  readonly #handlers: ReadonlyMap<number, AnyHandler>
  readonly #listener: ListenerKind
  readonly #services: NodeServices
  readonly #cap: ProtocolCap | null

  /** `cap`: the older release that clients are to see. */
  constructor(
    handlers: readonly AnyHandler[],
    listener: ListenerKind,
    services: NodeServices,
    cap: ProtocolCap | null = null,
  ) {
    this.#handlers = new Map(
      handlers
        .filter((handler) => handler.listeners.includes(listener))
        .map((handler) => [handler.api.key, handler]),
    )
    this.#listener = listener
    this.#services = services
    this.#cap = cap
  }

  /** Throws `WireError`; otherwise `done` is called exactly once, now or later. */
  route(frame: Buffer, origin: RequestOrigin, done: (outcome: RouteOutcome) => void): void {
    const header = decodeRequestHeader(frame)
    const { apiKey, apiVersion, correlationId, clientId, reader } = header
    const handler = this.#handlers.get(apiKey)
    const range = handler === undefined ? null : this.#rangeOf(handler, clientId)
    if (handler === undefined || range === null) {
      throw new WireError(`API key ${apiKey} is not served on listener ${origin.listenerName}`)
    }
    if (apiVersion < range.minVersion || apiVersion > range.maxVersion) {
      if (apiKey !== apiVersionsApi.key) throw unsupportedVersion(handler, range, apiVersion)
      done(this.#refuseApiVersions(range, correlationId))
      return
    }
    const request = decodeMessage(handler.api.request, apiVersion, reader)
    const context = {
      apiVersion,
      clientId,
      listenerName: origin.listenerName,
      client: origin.client,
      listener: this.#listener,
      services: this.#services,
    }
    this.#services.events.emit('request.received', {
      api: handler.api.name,
      version: apiVersion,
      client: clientId ?? '',
    })
    handler.handle(context, request, (response) => {
      if (response === null) done('none')
      else if (response === 'close') done('close')
      else done(this.#encode(handler, apiVersion, correlationId, response))
    })
  }

  /** An answer that its version cannot carry is a fault of ours: it costs this connection, not the broker. */
  #encode(
    { api }: AnyHandler,
    version: number,
    correlationId: number,
    response: Input<unknown>,
  ): RouteOutcome {
    try {
      return encodeResponse(api, version, correlationId, response)
    } catch (error) {
      const fields = { api: api.name, version, reason: messageOf(error) }
      this.#services.events.emit('response.failed', fields)
      return 'close'
    }
  }

  #rangeOf(handler: AnyHandler, clientId: string | null): VersionRange | null {
    const cap = this.#cap
    return cap?.holdsFor(clientId) === true ? cap.limit(handler.api.key, handler) : handler
  }

  #refuseApiVersions(range: VersionRange, correlationId: number): readonly Buffer[] {
    const { minVersion, maxVersion } = range
    return encodeResponse(apiVersionsApi, 0, correlationId, {
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: apiVersionsApi.key, minVersion, maxVersion }],
    })
  }
}

/** The version ranges that a listener serves, by key. */
export function servedApis(
  handlers: readonly AnyHandler[],
  listener: ListenerKind,
  cap: ProtocolCap | null = null,
): readonly ServedApi[] {
  return handlers
    .filter(({ listeners, isHidden }) => listeners.includes(listener) && isHidden !== true)
    .flatMap((handler) => {
      const range = cap === null ? handler : cap.limit(handler.api.key, handler)
      if (range === null) return []
      const { minVersion, maxVersion } = range
      return [{ apiKey: handler.api.key, minVersion, maxVersion }]
    })
    .sort((a, b) => a.apiKey - b.apiKey)
}

function unsupportedVersion(
  { api }: AnyHandler,
  { minVersion, maxVersion }: VersionRange,
  version: number,
): WireError {
  return new WireError(
    `${api.name} v${version} is not served; this broker serves v${minVersion} to v${maxVersion}`,
  )
}
