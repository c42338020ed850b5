import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type {
  Address,
  Connection,
  ConnectionHandler,
  Listener,
  Network,
} from '../../src/ports/network.ts'
import { ServerConnection } from './connection.ts'
import type { Router } from './router.ts'

export interface AcceptorOptions {
  readonly network: Network
  readonly clock: Clock
  readonly events: EventSink
  readonly name: string
  readonly address: Address
  readonly router: Router
  readonly maxFrameBytes: number
  readonly maxIdleMs: number
  /** max.connections; a further one is closed at once. Asked for at each connection: it can change while the broker runs. */
  readonly maxConnections: () => number
  /** max.connections.per.ip, or what its overrides say of this address. */
  readonly maxConnectionsOf: (host: string) => number
}

const IGNORING: ConnectionHandler = { onData: () => undefined, onClose: () => undefined }

/** One listener of a node and the connections that came through it. */
export class Acceptor {
  readonly #options: AcceptorOptions
  readonly #connections = new Set<ServerConnection>()
  /** How many of them each address has. */
  readonly #countOf = new Map<string, number>()
  #listener: Listener | null = null
  #isClosed = false

  constructor(options: AcceptorOptions) {
    this.#options = options
  }

  listen(done: (error: Error | null, address: Address | null) => void): void {
    const { network, address } = this.#options
    network.listen(
      address,
      (connection) => this.#accept(connection),
      (error, listener) => {
        if (this.#isClosed) listener?.close(() => undefined)
        else this.#listener = listener
        done(error, listener?.address ?? null)
      },
    )
  }

  /** Stops accepting and ends every connection after what was written has been sent. */
  close(): void {
    this.#isClosed = true
    this.#listener?.close(() => undefined)
    this.#listener = null
    for (const connection of this.#connections) connection.close()
    this.#connections.clear()
  }

  #accept(connection: Connection): ConnectionHandler {
    // It was on its way when the listener closed: what stands behind it may be closed already.
    if (this.#isClosed) {
      this.#options.clock.after(0, 'acceptor.closed', () => connection.destroy())
      return IGNORING
    }
    const { name, router, clock, events, maxFrameBytes, maxIdleMs } = this.#options
    const maxConnections = this.#options.maxConnections()
    const { host } = connection.remote
    const server = new ServerConnection({
      connection,
      listenerName: name,
      router,
      clock,
      events,
      maxFrameBytes,
      maxIdleMs,
      onClosed: () => {
        if (this.#connections.delete(server)) this.#forget(host)
      },
    })
    this.#connections.add(server)
    this.#countOf.set(host, (this.#countOf.get(host) ?? 0) + 1)
    const maxOfHost = this.#options.maxConnectionsOf(host)
    const problem =
      this.#connections.size > maxConnections
        ? `more than max.connections=${maxConnections} connections`
        : (this.#countOf.get(host) ?? 0) > maxOfHost
          ? `more than max.connections.per.ip=${maxOfHost} connections of ${host}`
          : null
    if (problem !== null) clock.after(0, 'acceptor.full', () => server.fail(new Error(problem)))
    return server
  }

  #forget(host: string): void {
    const left = (this.#countOf.get(host) ?? 0) - 1
    if (left > 0) this.#countOf.set(host, left)
    else this.#countOf.delete(host)
  }
}
