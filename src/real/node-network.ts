import { createServer, type Server, Socket } from 'node:net'
import { ConnectionError } from '../base/errors.ts'
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../ports/network.ts'
import { NodeConnection } from './node-connection.ts'

const HIGH_WATER_BYTES = 1024 * 1024
const LARGEST_PORT = 65_535
const BACKLOG = 511

export interface NodeNetworkOptions {
  /** Whether open sockets and listeners let the process end; false unless given. */
  readonly unref?: boolean
  /** Unsent bytes of a connection beyond which `write` asks to wait; 1 MiB unless given. */
  readonly highWaterBytes?: number
}

/** TCP of the machine. */
export class NodeNetwork implements Network {
  readonly #unref: boolean
  readonly #highWaterBytes: number

  constructor(options: NodeNetworkOptions = {}) {
    this.#unref = options.unref ?? false
    this.#highWaterBytes = options.highWaterBytes ?? HIGH_WATER_BYTES
  }

  listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
    done: (error: Error | null, listener: Listener | null) => void,
  ): void {
    const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      const connection = this.#adopt(socket, null)
      connection.handler = accept(connection)
    })
    if (this.#unref) server.unref()
    const fail = (error: Error): void => done(listenError(error, address), null)
    server.once('error', fail)
    server.once('listening', () => {
      server.off('error', fail)
      // A failed accept (no descriptors left) costs that one connection; the listener goes on.
      server.on('error', () => {})
      done(null, listenerOf(server, address))
    })
    if (isPort(address.port, 0)) server.listen({ ...address, backlog: BACKLOG })
    else setImmediate(fail, new Error(`ERR_SOCKET_BAD_PORT: ${address.port} is no port`))
  }

  connect(address: Address, handler: ConnectionHandler): Connection {
    const socket = new Socket()
    const connection = this.#adopt(socket, address)
    connection.handler = handler
    if (isPort(address.port, 1)) {
      socket.setNoDelay(true).setKeepAlive(true)
      socket.connect({ ...address })
    } else {
      socket.destroy(new Error(`ERR_SOCKET_BAD_PORT: ${address.port} is no port`))
    }
    return connection
  }

  #adopt(socket: Socket, remote: Address | null): NodeConnection {
    if (this.#unref) socket.unref()
    return new NodeConnection(socket, remote, this.#highWaterBytes)
  }
}

function listenerOf(server: Server, wanted: Address): Listener {
  const bound = server.address()
  const port = bound === null || typeof bound === 'string' ? wanted.port : bound.port
  return {
    address: { host: wanted.host, port },
    close: (done) => {
      server.close()
      setImmediate(done)
    },
  }
}

function listenError(error: Error, { host, port }: Address): ConnectionError {
  const { code } = error as NodeJS.ErrnoException
  const message =
    code === 'EADDRINUSE'
      ? `port ${port} of ${host} is in use by another program (EADDRINUSE)`
      : `listen on ${host}:${port}: ${error.message}`
  return new ConnectionError(message, { cause: error })
}

function isPort(port: number, smallest: number): boolean {
  return Number.isInteger(port) && port >= smallest && port <= LARGEST_PORT
}
