import { present } from '../base/assert.ts'
import type { Config } from '../base/config-def.ts'
import { ConnectionError } from '../base/errors.ts'
import type { BrokerId } from '../base/ids.ts'
import type { EventField } from '../ports/events.ts'
import type { ApiVersions } from './api-versions.ts'
import { BrokerChannel, type Call, type CallDone } from './broker-channel.ts'
import { parseAddresses, type ClientPorts } from './client-ports.ts'
import { Metadata, type ClusterNode } from './metadata.ts'
import { backoffMs, type BackoffOptions } from './retry.ts'

/** A broker by id; or whichever can be reached; or the one that Metadata names as controller. */
export type Target = BrokerId | 'any' | 'controller'

/**
 * Requests of one lane to one broker share a connection. A broker answers one request of a connection at
 * a time, so those that wait (JoinGroup, Fetch) must not stand before others.
 */
export type Lane = 'main' | 'coordinator' | 'fetch'

/** The state of reaching one broker at one address. */
interface Peer {
  readonly node: ClusterNode
  readonly channels: Map<Lane, BrokerChannel>
  failures: number
  /** No new connection before this. */
  retryAtMs: number
}

/**
 * The connections of one client: bootstrap servers first, then the brokers that Metadata names. When none of
 * these can be reached it begins again with the bootstrap servers (KIP-899).
 */
export class Cluster {
  readonly metadata = new Metadata()
  readonly ports: ClientPorts
  readonly config: Config
  readonly clientId: string
  readonly #bootstrap: readonly ClusterNode[]
  readonly #reconnect: BackoffOptions
  readonly #peers = new Map<BrokerId, Peer>()
  #isClosed = false
  /** As the broker with the newest features told them. */
  #features: ApiVersions | null = null

  constructor(config: Config, ports: ClientPorts) {
    this.config = config
    this.ports = ports
    this.clientId = config.string('client.id')
    this.#bootstrap = parseAddresses(config.list('bootstrap.servers')).map(
      ({ host, port }, index) => ({ id: -1 - index, host, port, rack: null }),
    )
    this.#reconnect = {
      baseMs: config.long('reconnect.backoff.ms'),
      maxMs: config.long('reconnect.backoff.max.ms'),
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The finalized level of a feature, of the newest that a broker told; 0: there is none. */
  featureLevel(name: string): number {
    return this.#features?.featureLevel(name) ?? 0
  }

  /** `retry.backoff.ms` and its maximum. */
  get retryBackoff(): BackoffOptions {
    return {
      baseMs: this.config.long('retry.backoff.ms'),
      maxMs: this.config.long('retry.backoff.max.ms'),
    }
  }

  get requestTimeoutMs(): number {
    return this.config.int('request.timeout.ms')
  }

  /** Fails at once with `ConnectionError` when the broker is unknown or was lost a moment ago. */
  request<Req, Res>(to: Target, lane: Lane, call: Call<Req, Res>, done: CallDone<Res>): void {
    const channel = this.#channel(to, lane)
    if (channel instanceof Error) return this.#later(() => done(channel, null, -1))
    channel.request(call, done)
  }

  requestOneWay<Req, Res>(
    to: Target,
    lane: Lane,
    call: Call<Req, Res>,
    done: (error: Error | null) => void,
  ): void {
    const channel = this.#channel(to, lane)
    if (channel instanceof Error) return this.#later(() => done(channel))
    channel.requestOneWay(call, done)
  }

  /** True when a request to this broker would not be refused at once. */
  canReach(id: BrokerId): boolean {
    const node = this.metadata.nodes.get(id)
    return !this.#isClosed && node !== undefined && this.#isUsable(this.#peer(node))
  }

  /** Makes a broker that FindCoordinator named known. */
  learn(node: ClusterNode): void {
    if (!this.metadata.nodes.has(node.id)) this.metadata.learnNodes([node])
  }

  /** Begins again with the bootstrap servers. */
  rebootstrap(why: string): void {
    this.emit('client.rebootstrapped', { why })
    this.metadata.forgetNodes()
    this.dropUnknownPeers()
  }

  /** Closes idle connections to brokers that are in the metadata no more. */
  dropUnknownPeers(): void {
    const known = this.metadata.nodes
    for (const [id, peer] of this.#peers) {
      if (known.has(id) || (known.size === 0 && id < 0)) continue
      const channels = [...peer.channels.values()]
      if (channels.some((channel) => channel.pendingCount > 0)) continue
      this.#peers.delete(id)
      for (const channel of channels) channel.close()
    }
  }

  emit(kind: string, fields: Readonly<Record<string, EventField>>): void {
    this.ports.events?.emit(kind, { client: this.clientId, ...fields })
  }

  /** Ends all connections; what is pending fails with `ConnectionError`. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const channels = [...this.#peers.values()].flatMap((peer) => [...peer.channels.values()])
    this.#peers.clear()
    for (const channel of channels) channel.close()
  }

  #channel(to: Target, lane: Lane): BrokerChannel | ConnectionError {
    if (this.#isClosed) return new ConnectionError('the client is closed')
    const peer = this.#choose(to)
    if (peer instanceof Error) return peer
    const open = peer.channels.get(lane)
    if (open !== undefined) return open
    if (peer.retryAtMs > this.ports.clock.monoMs()) {
      return new ConnectionError(`${describe(peer.node)} was lost, not tried again yet`)
    }
    return this.#open(peer, lane)
  }

  #choose(to: Target): Peer | ConnectionError {
    const { nodes, controllerId } = this.metadata
    if (typeof to === 'number') {
      const node = nodes.get(to) ?? this.#bootstrap.find((each) => each.id === to)
      return node === undefined ? new ConnectionError(`broker ${to} is unknown`) : this.#peer(node)
    }
    const controller = to === 'controller' ? nodes.get(controllerId) : undefined
    if (controller !== undefined && this.#isUsable(this.#peer(controller))) {
      return this.#peer(controller)
    }
    const best = this.#leastLoaded([...nodes.values()])
    if (best !== null) return best
    if (nodes.size > 0) {
      const isAllowed = this.config.string('metadata.recovery.strategy').toLowerCase() !== 'none'
      if (!isAllowed) return new ConnectionError('no known broker can be reached')
      this.rebootstrap('no known broker can be reached')
    }
    const names = this.#bootstrap.map(describe).join(', ')
    return (
      this.#leastLoaded(this.#bootstrap) ??
      new ConnectionError(`none of the bootstrap servers can be reached: ${names}`)
    )
  }

  /** A connected broker with the fewest requests, else a random one that may be tried now. */
  #leastLoaded(nodes: readonly ClusterNode[]): Peer | null {
    const usable = nodes.map((node) => this.#peer(node)).filter((peer) => this.#isUsable(peer))
    if (usable.length === 0) return null
    const connected = usable.filter((peer) => peer.channels.get('main')?.isReady === true)
    if (connected.length > 0) {
      return connected.reduce((a, b) => (loadOf(b) < loadOf(a) ? b : a))
    }
    const opening = usable.find((peer) => peer.channels.has('main'))
    return opening ?? present(usable[this.ports.random.below(usable.length)], 'a usable broker')
  }

  #isUsable(peer: Peer): boolean {
    return peer.channels.size > 0 || peer.retryAtMs <= this.ports.clock.monoMs()
  }

  #peer(node: ClusterNode): Peer {
    const old = this.#peers.get(node.id)
    if (old !== undefined && old.node.host === node.host && old.node.port === node.port) return old
    const peer: Peer = { node, channels: new Map(), failures: 0, retryAtMs: 0 }
    this.#peers.set(node.id, peer)
    for (const channel of old?.channels.values() ?? []) channel.close()
    return peer
  }

  #open(peer: Peer, lane: Lane): BrokerChannel {
    const { clock, network } = this.ports
    const { host, port, id } = peer.node
    const channel: BrokerChannel = new BrokerChannel({
      network,
      clock,
      address: { host, port },
      clientId: this.clientId,
      setupTimeoutMs: this.config.long('socket.connection.setup.timeout.ms'),
      requestTimeoutMs: this.requestTimeoutMs,
      onReady: () => {
        peer.failures = 0
        this.#learnFeatures(channel.versions)
        this.emit('client.connected', { broker: id, address: `${host}:${port}`, lane })
      },
      onClosed: (error) => this.#onClosed(peer, lane, error),
    })
    peer.channels.set(lane, channel)
    return channel
  }

  #learnFeatures(versions: ApiVersions | null): void {
    const known = this.#features?.featuresEpoch ?? -Infinity
    if (versions !== null && versions.featuresEpoch >= known) this.#features = versions
  }

  #onClosed(peer: Peer, lane: Lane, error: Error | null): void {
    peer.channels.delete(lane)
    const { id, host, port } = peer.node
    const why = error === null ? null : error.message
    this.emit('client.disconnected', { broker: id, address: `${host}:${port}`, lane, why })
    if (error === null) return
    peer.failures += 1
    const delayMs = backoffMs(peer.failures, this.#reconnect, this.ports.random)
    peer.retryAtMs = this.ports.clock.monoMs() + delayMs
  }

  #later(fn: () => void): void {
    this.ports.clock.after(0, 'client.refused', fn)
  }
}

function loadOf(peer: Peer): number {
  let load = 0
  for (const channel of peer.channels.values()) load += channel.pendingCount
  return load
}

function describe(node: ClusterNode): string {
  return `${node.host}:${node.port}`
}
