import { ConnectionError } from '../base/errors.ts'
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../ports/network.ts'
import { LoopbackConnection } from './loopback-connection.ts'

const DEFAULT_VIRTUAL_HOST = 'loopback'
const HIGH_WATER_BYTES = 1024 * 1024
const FIRST_FREE_PORT = 1
const FIRST_OUTGOING_PORT = 100_000

type Accept = (connection: Connection) => ConnectionHandler
type ListenDone = (error: Error | null, listener: Listener | null) => void

export interface LoopbackNetworkOptions {
  /** For every address whose host is not virtual. Without it such an address cannot be used. */
  readonly inner?: Network
  /** The host whose ports exist only in here; `loopback` unless given. */
  readonly virtualHost?: string
  /**
   * Whether a connection to an address that somebody listens on through this network stays in the process,
   * also when the host is a real one; true unless given.
   */
  readonly shortcutsInner?: boolean
  readonly highWaterBytes?: number
}

/**
 * The network inside a process, shared by the nodes of a cluster. Ports of the virtual host exist only in
 * here. A listener on any other host is opened by the inner network as well, so clients outside reach it
 * by TCP while connections made through this object skip the sockets. Bytes are copied on the way and
 * arrive in a later turn of the event loop, all that was written in one turn at once.
 */
export class LoopbackNetwork implements Network {
  readonly #inner: Network | null
  readonly #virtualHost: string
  readonly #shortcutsInner: boolean
  readonly #highWaterBytes: number
  readonly #listeners = new Map<string, Accept>()
  #portNext = FIRST_FREE_PORT
  #outgoingPortNext = FIRST_OUTGOING_PORT
  #ready: LoopbackConnection[] = []
  #isScheduled = false

  constructor(options: LoopbackNetworkOptions = {}) {
    this.#inner = options.inner ?? null
    this.#virtualHost = options.virtualHost ?? DEFAULT_VIRTUAL_HOST
    this.#shortcutsInner = options.shortcutsInner ?? true
    this.#highWaterBytes = options.highWaterBytes ?? HIGH_WATER_BYTES
  }

  listen(address: Address, accept: Accept, done: ListenDone): void {
    if (address.host === this.#virtualHost) {
      this.#listenVirtually(address, accept, done)
      return
    }
    if (this.#inner === null) {
      const error = new ConnectionError(`EADDRNOTAVAIL: ${nameOf(address)} is not virtual`)
      setImmediate(done, error, null)
      return
    }
    this.#inner.listen(address, accept, (error, listener) => {
      done(error, listener === null ? null : this.#register(listener, accept))
    })
  }

  connect(address: Address, handler: ConnectionHandler): Connection {
    const isVirtual = address.host === this.#virtualHost
    const accept = this.#listeners.get(nameOf(address))
    if (!isVirtual && this.#inner !== null && (accept === undefined || !this.#shortcutsInner)) {
      return this.#inner.connect(address, handler)
    }
    return this.#connectInside(address, handler)
  }

  #listenVirtually(wanted: Address, accept: Accept, done: ListenDone): void {
    const address = wanted.port === 0 ? this.#freeAddress() : wanted
    if (this.#listeners.has(nameOf(address))) {
      const error = new ConnectionError(`EADDRINUSE: ${nameOf(address)} is in use`)
      setImmediate(done, error, null)
      return
    }
    const listener: Listener = { address, close: (closed) => setImmediate(closed) }
    setImmediate(done, null, this.#register(listener, accept))
  }

  #register(listener: Listener, accept: Accept): Listener {
    const name = nameOf(listener.address)
    this.#listeners.set(name, accept)
    return {
      address: listener.address,
      close: (done) => {
        if (this.#listeners.get(name) === accept) this.#listeners.delete(name)
        listener.close(done)
      },
    }
  }

  #freeAddress(): Address {
    for (;;) {
      const address = { host: this.#virtualHost, port: this.#portNext++ }
      if (!this.#listeners.has(nameOf(address))) return address
    }
  }

  #connectInside(remote: Address, handler: ConnectionHandler): Connection {
    const local = { host: remote.host, port: this.#outgoingPortNext++ }
    const client = this.#createConnection(local, remote)
    client.handler = handler
    setImmediate(() => {
      if (client.isClosed) return
      const accept = this.#listeners.get(nameOf(remote))
      if (accept === undefined) {
        client.fail(new ConnectionError(`ECONNREFUSED: nobody listens on ${nameOf(remote)}`))
        return
      }
      const server = this.#createConnection(remote, local)
      server.joinTo(client)
      server.handler = accept(server)
      client.openTo(server)
    })
    return client
  }

  #createConnection(local: Address, remote: Address): LoopbackConnection {
    return new LoopbackConnection({
      local,
      remote,
      highWaterBytes: this.#highWaterBytes,
      onReady: (connection) => this.#schedule(connection),
    })
  }

  #schedule(connection: LoopbackConnection): void {
    this.#ready.push(connection)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#turn())
  }

  /** Serves all that became ready before this turn. */
  #turn(): void {
    const ready = this.#ready
    this.#ready = []
    this.#isScheduled = false
    let served = 0
    try {
      for (const connection of ready) {
        served += 1
        connection.serve()
      }
    } finally {
      // A handler that threw must not silence the other connections.
      for (const connection of ready.slice(served)) this.#schedule(connection)
    }
  }
}

/** One name for the addresses by which this machine calls itself. */
function nameOf({ host, port }: Address): string {
  const isSelf = host === 'localhost' || host === '0.0.0.0' || host === ''
  return `${isSelf ? '127.0.0.1' : host}:${port}`
}
