import { crc32 } from 'node:zlib'
import { present } from '../base/assert.ts'
import { ConnectionError } from '../base/errors.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../ports/network.ts'
import { drawLatencyUs, type Latency } from './latency.ts'
import type { Scheduler } from './scheduler.ts'
import { SimChannel } from './sim-channel.ts'
import { type ConnectionRules, SimConnection } from './sim-connection.ts'
import { latencyFactor, type SimHost, type SimLink } from './sim-link.ts'
import { type PipeItem, SimPipe } from './sim-pipe.ts'
import type { SimProcessor } from './sim-processor.ts'
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

/** One life of a node on the network. */
interface Mount {
  readonly host: string
  readonly lifetime: Lifetime
  readonly processor: SimProcessor
}

interface OpenListener {
  readonly address: Address
  readonly accept: Accept
  readonly mount: Mount
}

/**
 * All links of a simulated world. A host is the name of a node. Each direction between two hosts may be
 * cut: what was sent then waits, connection attempts too, and travels on when the link is healed.
 */
export class SimNetwork {
  readonly #options: SimNetworkOptions
  readonly #rules: ConnectionRules
  readonly #hosts = new Map<string, SimHost>()
  readonly #links = new Map<string, SimLink>()
  readonly #listeners = new Map<string, OpenListener>()
  readonly #channels = new Set<SimChannel>()
  readonly #stalled = new Set<SimPipe>()
  /** Ends that vanished with the power of their host; their peers are reset when it is back. */
  readonly #vanished = new Map<string, SimConnection[]>()
  #portNext = FIRST_FREE_PORT
  #outgoingPortNext = FIRST_OUTGOING_PORT

  constructor(options: SimNetworkOptions) {
    this.#options = options
    const { scheduler, highWaterBytes, cutPermille, random } = options
    this.#rules = {
      scheduler,
      highWaterBytes,
      cutAt: (length) =>
        length < 2 || cutPermille === 0 || !random.chance(cutPermille)
          ? 0
          : 1 + random.below(length - 1),
    }
  }

  /** The network as one life of the node `host` uses it. */
  mount(host: string, lifetime: Lifetime, processor: SimProcessor): Network {
    const mount: Mount = { host, lifetime, processor }
    const own = (address: Address): Address =>
      OWN_HOST_NAMES.has(address.host) ? { host, port: address.port } : address
    return {
      listen: (address, accept, done) => this.#listen(mount, own(address), accept, done),
      connect: (address, handler) => this.#connect(mount, own(address), handler),
    }
  }

  /** From now on nothing travels from one host to the other (the way back stays open). */
  cut(from: string, to: string): void {
    this.#link(from, to).isCut = true
    this.#trace(to, 'network.cut', { from })
  }

  heal(from: string, to: string): void {
    const link = this.#link(from, to)
    if (!link.isCut) return
    link.isCut = false
    this.#trace(to, 'network.healed', { from })
    this.#resumeStalled()
  }

  /** Undoes every cut, hold, loss and latency factor. */
  healAll(): void {
    for (const { from, to } of this.#links.values()) this.heal(from.name, to.name)
    for (const { name } of this.#hosts.values()) this.setLatencyFactor(name, 1)
    for (const channel of this.#channels) {
      for (const pipe of channel.pipes) {
        pipe.stopLosing()
        pipe.release()
      }
    }
  }

  /** Resets every open connection between two hosts; both sides notice, each in its time. */
  reset(a: string, b: string): void {
    const channels = this.#channelsBetween(a, b).filter(({ server }) => server !== null)
    this.#trace(b, 'network.reset-all', { from: a, connections: channels.length })
    for (const channel of channels) channel.breakOff(this.#options.random)
  }

  /**
   * What is under way on the connections that are open now waits, in both directions, and so does what is
   * sent on them later. New connections are free, so a retry overtakes what it repeats.
   */
  hold(a: string, b: string): void {
    const channels = this.#channelsBetween(a, b)
    this.#trace(b, 'network.held', { from: a, connections: channels.length })
    for (const { pipes } of channels) for (const pipe of pipes) pipe.hold()
  }

  release(a: string, b: string): void {
    const channels = this.#channelsBetween(a, b)
    this.#trace(b, 'network.released', { from: a, connections: channels.length })
    for (const { pipes } of channels) for (const pipe of pipes) pipe.release()
  }

  /**
   * What `from` has sent or sends on the connections that are open now never arrives; each is reset as
   * soon as something was lost.
   */
  loseFrom(from: string, to: string): void {
    const channels = this.#channelsBetween(from, to).filter(({ server }) => server !== null)
    this.#trace(to, 'network.losing', { from, connections: channels.length })
    for (const { pipes } of channels) {
      for (const pipe of pipes) if (pipe.link.from.name === from) pipe.lose()
    }
  }

  /** Whether something that this host sent has not been taken by whom it is for, though it may yet be. */
  isUnderWayFrom(host: string): boolean {
    for (const { isOver, pipes } of this.#channels) {
      if (isOver) continue
      if (pipes.some(({ link, bufferedBytes }) => link.from.name === host && bufferedBytes > 0)) {
        return true
      }
    }
    return false
  }

  /** Everything to and from this host takes so many times as long. */
  setLatencyFactor(host: string, factor: number): void {
    const found = this.#host(host)
    if (found.latencyFactor === factor) return
    found.latencyFactor = factor
    this.#trace(host, 'network.latency-changed', { factor })
  }

  /**
   * The node is gone: no listener, and a reset for every peer as soon as it can reach them. With
   * `isSilent` its machine is gone too: its peers hear nothing until it is back.
   */
  crash(host: string, isSilent: boolean): void {
    for (const [name, listener] of this.#listeners) {
      if (listener.address.host === host) this.#listeners.delete(name)
    }
    const vanished: SimConnection[] = []
    for (const channel of this.#channels) {
      for (const end of channel.ends) {
        if (end.local.host !== host) continue
        if (!isSilent) end.abandon()
        else if (end.vanish()) vanished.push(end)
      }
    }
    if (!isSilent) return
    this.#host(host).isDark = true
    this.#vanished.set(host, vanished)
  }

  /** The machine is back: whoever still speaks to the old life is reset. */
  restart(host: string): void {
    this.#host(host).isDark = false
    for (const end of this.#vanished.get(host) ?? []) end.outgoing.send({ kind: 'reset' })
    this.#vanished.delete(host)
    this.#resumeStalled()
  }

  #listen(mount: Mount, wanted: Address, accept: Accept, done: ListenDone): void {
    const { host, lifetime, processor } = mount
    const later = (tag: string, fn: () => void): void => {
      this.#options.scheduler.after(0, tag, () => processor.deliver(lifetime, 'message', fn))
    }
    if (!lifetime.isAlive) return
    const address = wanted.port === 0 ? this.#freeAddress(wanted.host) : wanted
    const name = addressName(address)
    const refuse = (message: string): void =>
      later('network.listen', () => done(new ConnectionError(message), null))
    if (address.host !== host) {
      refuse(`EADDRNOTAVAIL: ${name} is not an address of ${host}`)
      return
    }
    if (this.#listeners.has(name)) {
      refuse(`EADDRINUSE: ${name} is in use`)
      return
    }
    const open: OpenListener = { address, accept, mount }
    this.#listeners.set(name, open)
    const listener: Listener = {
      address,
      close: (closed) => {
        if (this.#listeners.get(name) === open) this.#listeners.delete(name)
        later('network.listener-closed', closed)
      },
    }
    later('network.listen', () => done(null, listener))
  }

  #freeAddress(host: string): Address {
    let address = { host, port: this.#portNext++ }
    while (this.#listeners.has(addressName(address))) address = { host, port: this.#portNext++ }
    return address
  }

  #connect(mount: Mount, remote: Address, handler: ConnectionHandler): Connection {
    const local = { host: mount.host, port: this.#outgoingPortNext++ }
    let channel: SimChannel | null = null
    const opened = (): SimChannel => present(channel, 'channel of a connection')
    const toServer = this.#pipe(local, remote, opened, (item) => {
      if (item.kind === 'open') this.#accept(opened())
      else opened().server?.arrived(item)
    })
    const toClient = this.#pipe(remote, local, opened, (item) => client.arrived(item))
    const client = new SimConnection({
      rules: this.#rules,
      ...mount,
      local,
      remote,
      outgoing: toServer,
      incoming: toClient,
      isOpen: false,
      onEnded: () => this.#forget(opened()),
      peer: () => opened().server,
      afterLatency: (fn) => this.#afterLatency(toClient.link, fn),
    })
    client.handler = handler
    channel = new SimChannel(toServer, toClient, client)
    if (!mount.lifetime.isAlive) return client
    this.#channels.add(channel)
    toServer.send({ kind: 'open' })
    return client
  }

  /**
   * A connection attempt is here, and is answered by the host itself: its code may be busy or paused. It is
   * refused when nobody listens.
   */
  #accept(channel: SimChannel): void {
    const { toServer, toClient, client } = channel
    const listener = this.#listeners.get(addressName(client.remote))
    if (listener === undefined) {
      toClient.send({ kind: 'refused' })
      this.#forget(channel)
      return
    }
    const { mount, accept } = listener
    const server = new SimConnection({
      rules: this.#rules,
      ...mount,
      local: client.remote,
      remote: client.local,
      outgoing: toClient,
      incoming: toServer,
      isOpen: true,
      onEnded: () => this.#forget(channel),
      peer: () => client,
      afterLatency: (fn) => this.#afterLatency(toServer.link, fn),
    })
    channel.server = server
    toClient.send({ kind: 'accepted' })
    mount.processor.deliver(mount.lifetime, 'message', () => {
      server.handler = accept(server)
    })
  }

  #pipe(
    from: Address,
    to: Address,
    channel: () => SimChannel,
    onArrived: (item: PipeItem) => void,
  ): SimPipe {
    const { scheduler } = this.#options
    const sender = addressName(from)
    const { host, port } = to
    return new SimPipe({
      scheduler,
      link: this.#link(from.host, host),
      latencyUs: this.#latencyUs,
      onStalled: this.#onStalled,
      onArrived: (item) => {
        if (item.kind === 'data') {
          const { bytes } = item
          const fields = { bytes: bytes.length, crc: crc32(bytes), from: sender, port }
          this.#trace(host, 'network.data', fields)
        } else {
          this.#trace(host, `network.${item.kind}`, { from: sender, port })
        }
        onArrived(item)
      },
      onLost: () => channel().breakOff(null),
    })
  }

  readonly #latencyUs = (link: SimLink): number => {
    const { latency, random } = this.#options
    return drawLatencyUs(latency, random) * latencyFactor(link)
  }

  readonly #onStalled = (pipe: SimPipe): void => {
    this.#stalled.add(pipe)
  }

  #resumeStalled(): void {
    for (const pipe of this.#stalled) if (pipe.resume()) this.#stalled.delete(pipe)
  }

  #forget(channel: SimChannel): void {
    if (channel.isOver) this.#channels.delete(channel)
  }

  #channelsBetween(a: string, b: string): readonly SimChannel[] {
    return [...this.#channels].filter((channel) => channel.isBetween(a, b))
  }

  #host(name: string): SimHost {
    let host = this.#hosts.get(name)
    if (host === undefined) {
      host = { name, isDark: false, latencyFactor: 1 }
      this.#hosts.set(name, host)
    }
    return host
  }

  #link(from: string, to: string): SimLink {
    const name = `${from} ${to}`
    let link = this.#links.get(name)
    if (link === undefined) {
      link = { from: this.#host(from), to: this.#host(to), isCut: false }
      this.#links.set(name, link)
    }
    return link
  }

  #afterLatency(link: SimLink, fn: () => void): void {
    this.#options.scheduler.after(this.#latencyUs(link), 'network.drained', fn)
  }

  #trace(node: string, kind: string, fields: Parameters<Trace['add']>[3]): void {
    this.#options.trace.add(this.#options.scheduler.nowUs, node, kind, fields)
  }
}

function addressName(address: Address): string {
  return `${address.host}:${address.port}`
}
