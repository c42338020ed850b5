import type { Lifetime } from '../base/lifetime.ts'
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../ports/network.ts'

/** A network whose user can be killed; part of `ScopedPorts`. */
export class ScopedNetwork implements Network {
  readonly #inner: Network
  readonly #lifetime: Lifetime
  readonly #connections = new Set<Connection>()
  readonly #listeners = new Set<Listener>()

  constructor(inner: Network, lifetime: Lifetime) {
    this.#inner = inner
    this.#lifetime = lifetime
  }

  listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
    done: (error: Error | null, listener: Listener | null) => void,
  ): void {
    if (!this.#lifetime.isAlive) return
    this.#inner.listen(
      address,
      (connection) => this.#accept(connection, accept),
      (error, listener) => {
        if (listener !== null && !this.#lifetime.isAlive) listener.close(ignore)
        else this.#lifetime.run(() => done(error, listener && this.#follow(listener)))
      },
    )
  }

  connect(address: Address, handler: ConnectionHandler): Connection {
    if (!this.#lifetime.isAlive) return deadConnection(address)
    const connection = this.#inner.connect(address, {
      onOpen: () => this.#lifetime.run(() => handler.onOpen?.()),
      ...this.#guard(handler, () => connection),
    })
    this.#connections.add(connection)
    return connection
  }

  end(): void {
    for (const listener of this.#listeners) listener.close(ignore)
    this.#listeners.clear()
    for (const connection of this.#connections) connection.destroy()
    this.#connections.clear()
  }

  #accept(
    connection: Connection,
    accept: (connection: Connection) => ConnectionHandler,
  ): ConnectionHandler {
    let handler: ConnectionHandler | null = null
    this.#connections.add(connection)
    this.#lifetime.run(() => {
      handler = accept(connection)
    })
    if (handler === null) {
      connection.destroy()
      this.#connections.delete(connection)
      return { onData: ignore, onClose: ignore }
    }
    return this.#guard(handler, () => connection)
  }

  #guard(handler: ConnectionHandler, connection: () => Connection): ConnectionHandler {
    return {
      onData: (bytes) => this.#lifetime.run(() => handler.onData(bytes)),
      onDrain: () => this.#lifetime.run(() => handler.onDrain?.()),
      onClose: (error) => {
        this.#connections.delete(connection())
        this.#lifetime.run(() => handler.onClose(error))
      },
    }
  }

  #follow(listener: Listener): Listener {
    this.#listeners.add(listener)
    return {
      address: listener.address,
      close: (done) => {
        this.#listeners.delete(listener)
        listener.close(() => this.#lifetime.run(done))
      },
    }
  }
}

/** What a killed node gets for a connection: nothing ever comes of it. */
function deadConnection(remote: Address): Connection {
  return {
    local: { host: '', port: 0 },
    remote,
    write: () => false,
    pauseReading: ignore,
    resumeReading: ignore,
    close: ignore,
    destroy: ignore,
  }
}

function ignore(): void {}
