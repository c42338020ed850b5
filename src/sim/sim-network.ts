import { crc32 } from 'node:zlib'
import { ConnectionError } from '../base/errors.ts'
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../ports/network.ts'
import type { Lifetime } from '../base/lifetime.ts'
import { drawLatencyUs, type Latency } from './latency.ts'
import type { Scheduler } from './scheduler.ts'
import { SimConnection } from './sim-connection.ts'
import { type PipeItem, SimPipe } from './sim-pipe.ts'
import type { SimRandom } from './sim-random.ts'
import type { Trace } from './trace.ts'

const FIRST_FREE_PORT = 20_000
const FIRST_OUTGOING_PORT = 40_000
const OWN_HOST_NAMES: ReadonlySet<string> = new Set(['', '0.0.0.0', '127.0.0.1', 'localhost'])

type Accept = (connection: Connection) => ConnectionHandler
type ListenDone = (error: Error | null, listener: Listener | null) => void

export interface SimNetworkOptions {
  readonly scheduler: Scheduler
  readonly random: SimRandom
  readonly trace: Trace
  readonly latency: Latency
  /** This many of a thousand writes arrive in two pieces, cut anywhere. */
  readonly cutPermille: number
  readonly highWaterBytes: number
}

interface OpenListener {
  readonly address: Address
  readonly accept: Accept
  readonly lifetime: Lifetime
}

/**
 * All links of a simulated world. A host is the name of a node. Each direction between two hosts may be
 * cut: what was sent then waits, connection attempts too, and travels on when the link is healed.
 */
export class SimNetwork {
  readonly #options: SimNetworkOptions
  readonly #listeners = new Map<string, OpenListener>()
  readonly #connections = new Set<SimConnection>()
  readonly #cuts = new Set<string>()
  readonly #stalled = new Set<SimPipe>()
  #portNext = FIRST_FREE_PORT
  #outgoingPortNext = FIRST_OUTGOING_PORT

  constructor(options: SimNetworkOptions) {
    this.#options = options
  }

  /** The network as one life of the node `host` uses it. */
  mount(host: string, lifetime: Lifetime): Network {
    const own = (address: Address): Address =>
      OWN_HOST_NAMES.has(address.host) ? { host, port: address.port } : address
    return {
      listen: (address, accept, done) => {
        this.#listen(host, lifetime, own(address), accept, done)
      },
      connect: (address, handler) => this.#connect(host, lifetime, own(address), handler),
    }
  }

  /** From now on nothing travels from one host to the other (the way back stays open). */
  cut(from: string, to: string): void {
    this.#cuts.add(linkName(from, to))
    this.#trace(to, 'network.cut', { from })
  }

  heal(from: string, to: string): void {
    if (!this.#cuts.delete(linkName(from, to))) return
    this.#trace(to, 'network.healed', { from })
    for (const pipe of this.#stalled) {
      if (pipe.from !== from || pipe.to !== to) continue
      this.#stalled.delete(pipe)
      pipe.resume()
    }
  }

  healAll(): void {
    for (const link of this.#cuts) {
      const [from = '', to = ''] = link.split(' ')
      this.heal(from, to)
    }
  }

  /** The node is gone: no listener, and a reset for every peer as soon as it can reach them. */
  crash(host: string): void {
    for (const [name, listener] of this.#listeners) {
      if (listener.address.host === host) this.#listeners.delete(name)
    }
    for (const connection of this.#connections) {
      if (connection.local.host === host) connection.abandon()
    }
  }

  #listen(
    host: string,
    lifetime: Lifetime,
    wanted: Address,
    accept: Accept,
    done: ListenDone,
  ): void {
    const answer = (error: Error | null, listener: Listener | null): void => {
      this.#options.scheduler.after(0, 'network.listen', () => {
        lifetime.run(() => done(error, listener))
      })
    }
    if (!lifetime.isAlive) return
    const address = wanted.port === 0 ? this.#freeAddress(wanted.host) : wanted
    const name = addressName(address)
    if (address.host !== host) {
      answer(new ConnectionError(`EADDRNOTAVAIL: ${name} is not an address of ${host}`), null)
      return
    }
    if (this.#listeners.has(name)) {
      answer(new ConnectionError(`EADDRINUSE: ${name} is in use`), null)
      return
    }
    const listener: OpenListener = { address, accept, lifetime }
    this.#listeners.set(name, listener)
    answer(null, {
      address,
      close: (closed) => {
        if (this.#listeners.get(name) === listener) this.#listeners.delete(name)
        this.#options.scheduler.after(0, 'network.listener-closed', () => lifetime.run(closed))
      },
    })
  }

  #freeAddress(host: string): Address {
    let address = { host, port: this.#portNext++ }
    while (this.#listeners.has(addressName(address))) address = { host, port: this.#portNext++ }
    return address
  }

  #connect(
    host: string,
    lifetime: Lifetime,
    remote: Address,
    handler: ConnectionHandler,
  ): Connection {
    const local = { host, port: this.#outgoingPortNext++ }
    let server: SimConnection | null = null
    const toServer = this.#pipe(local, remote, (item) => {
      if (item.kind === 'open') server = this.#accept(local, remote, toServer, toClient, client)
      else server?.arrived(item)
    })
    const toClient = this.#pipe(remote, local, (item) => client.arrived(item))
    const client: SimConnection = new SimConnection({
      ...this.#connectionOptions(),
      lifetime,
      local,
      remote,
      outgoing: toServer,
      incoming: toClient,
      isOpen: false,
      onTaken: () => this.#afterLatency(() => server?.drained()),
    })
    client.handler = handler
    if (!lifetime.isAlive) return client
    this.#connections.add(client)
    toServer.send({ kind: 'open' })
    return client
  }

  /** A connection attempt is here; null when nobody listens. */
  #accept(
    from: Address,
    to: Address,
    toServer: SimPipe,
    toClient: SimPipe,
    client: SimConnection,
  ): SimConnection | null {
    const listener = this.#listeners.get(addressName(to))
    if (listener === undefined) {
      toClient.send({ kind: 'refused' })
      return null
    }
    const connection = new SimConnection({
      ...this.#connectionOptions(),
      lifetime: listener.lifetime,
      local: to,
      remote: from,
      outgoing: toClient,
      incoming: toServer,
      isOpen: true,
      onTaken: () => this.#afterLatency(() => client.drained()),
    })
    this.#connections.add(connection)
    toClient.send({ kind: 'accepted' })
    listener.lifetime.run(() => {
      connection.handler = listener.accept(connection)
    })
    return connection
  }

  #connectionOptions(): Pick<
    ConstructorParameters<typeof SimConnection>[0],
    'scheduler' | 'highWaterBytes' | 'cut' | 'onEnded'
  > {
    const { scheduler, highWaterBytes } = this.#options
    return {
      scheduler,
      highWaterBytes,
      cut: (bytes) => this.#cutBytes(bytes),
      onEnded: (connection) => this.#connections.delete(connection),
    }
  }

  #pipe(from: Address, to: Address, onArrived: (item: PipeItem) => void): SimPipe {
    const { scheduler, latency, random } = this.#options
    const link = linkName(from.host, to.host)
    return new SimPipe({
      scheduler,
      from: from.host,
      to: to.host,
      latencyUs: () => drawLatencyUs(latency, random),
      isCut: () => this.#cuts.has(link),
      onStalled: (pipe) => this.#stalled.add(pipe),
      onArrived: (item) => {
        const bytes = item.kind === 'data' ? item.bytes : null
        this.#trace(to.host, `network.${item.kind}`, {
          from: addressName(from),
          port: to.port,
          ...(bytes === null ? {} : { bytes: bytes.length, crc: crc32(bytes) }),
        })
        onArrived(item)
      },
    })
  }

  #cutBytes(bytes: Buffer): readonly Buffer[] {
    const { random, cutPermille } = this.#options
    if (bytes.length < 2 || !random.chance(cutPermille)) return [bytes]
    const at = 1 + random.below(bytes.length - 1)
    return [bytes.subarray(0, at), bytes.subarray(at)]
  }

  #afterLatency(fn: () => void): void {
    const { scheduler, random, latency } = this.#options
    scheduler.after(drawLatencyUs(latency, random), 'network.drained', fn)
  }

  #trace(node: string, kind: string, fields: Parameters<Trace['add']>[3]): void {
    this.#options.trace.add(this.#options.scheduler.nowUs, node, kind, fields)
  }
}

function linkName(from: string, to: string): string {
  return `${from} ${to}`
}

function addressName(address: Address): string {
  return `${address.host}:${address.port}`
}
