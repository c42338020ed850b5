import { createServer, type Server } from 'node:net'
import type { LinkTable, ListenerRole } from './link-table.ts'
import { ProxiedConnection } from './proxied-connection.ts'

export interface LinkProxyOptions {
  readonly table: LinkTable
  readonly role: ListenerRole
  readonly node: string
  readonly host: string
  /** Where the proxy listens: what the node advertises. */
  readonly proxyPort: number
  /** Where the node listens. */
  readonly port: number
  readonly hostOf: (clientId: string) => string
}

/** Stands before one listener of one node; everybody else dials it instead of the node. */
export class LinkProxy {
  readonly #options: LinkProxyOptions
  readonly #server: Server
  readonly #connections = new Set<ProxiedConnection>()

  constructor(options: LinkProxyOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#connections.add(
        new ProxiedConnection({
          ...options,
          socket,
          onClosed: (connection) => this.#connections.delete(connection),
        }),
      )
    })
    options.table.onChange(() => {
      for (const connection of this.#connections) connection.pump()
    })
  }

  get node(): string {
    return this.#options.node
  }

  get connections(): Iterable<ProxiedConnection> {
    return this.#connections
  }

  listen(): Promise<void> {
    const { host, proxyPort } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port: proxyPort }, resolve)
    })
  }

  close(): Promise<void> {
    for (const connection of [...this.#connections]) connection.reset()
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }
}
