import { Socket } from 'node:net'
import { resetSocket } from '../../real/reset-socket.ts'
import { HalfLink } from './half-link.ts'
import type { LinkTable, ListenerRole } from './link-table.ts'

/** Size, API key, API version, correlation id, length of the client id. */
const HEADER_BYTES = 14

export interface ProxiedConnectionOptions {
  readonly table: LinkTable
  readonly role: ListenerRole
  /** The node whose listener this is, and where it really listens. */
  readonly node: string
  readonly port: number
  readonly host: string
  readonly socket: Socket
  /** Which host calls itself so. */
  readonly hostOf: (clientId: string) => string
  readonly onClosed: (connection: ProxiedConnection) => void
}

/**
 * One connection through a proxy. Who dials is read from the client id of its first request, which both Kafkette
 * and Apache Kafka give between nodes too: so one proxy a listener gives every ordered pair of hosts its own link,
 * and needs neither root nor an address for each of them.
 */
export class ProxiedConnection {
  readonly node: string
  readonly role: ListenerRole
  readonly #options: ProxiedConnectionOptions
  readonly #upstream = new Socket()
  #halves: readonly [HalfLink, HalfLink] | null = null
  /** Bytes until it is known who dials. */
  #head: Buffer = Buffer.alloc(0)
  #isOver = false

  constructor(options: ProxiedConnectionOptions) {
    this.#options = options
    this.node = options.node
    this.role = options.role
    const { socket } = options
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => {
      this.#onRequestBytes(bytes)
    })
    socket.on('end', () => this.#halves?.[0].push(null))
    for (const each of [socket, this.#upstream]) {
      each.on('error', () => this.reset())
      each.on('close', () => this.#onSocketClosed())
    }
  }

  /** Whoever dialled; null until its first request. */
  get client(): string | null {
    return this.#halves?.[0].from ?? null
  }

  pump(): void {
    for (const half of this.#halves ?? []) half.pump()
  }

  hold(): void {
    for (const half of this.#halves ?? []) half.isHeld = true
  }

  release(): void {
    for (const half of this.#halves ?? []) half.isHeld = false
    this.pump()
  }

  /** What this host sent or sends never arrives, and the connection is reset as soon as something was lost. */
  loseFrom(host: string): void {
    for (const half of this.#halves ?? []) if (half.from === host) half.lose()
  }

  /** Both ends see a reset; what is under way is gone. */
  reset(): void {
    if (this.#isOver) return
    this.#end()
    resetSocket(this.#options.socket)
    resetSocket(this.#upstream)
  }

  #onRequestBytes(bytes: Buffer): void {
    if (this.#halves !== null) {
      this.#halves[0].push(bytes)
      return
    }
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const clientId = clientIdOf(this.#head)
    if (clientId === null) return
    this.#dial(this.#options.hostOf(clientId))
    this.#onRequestBytes(this.#head)
  }

  #dial(client: string): void {
    const { table, role, node, host, port, socket } = this.#options
    const common = { table, role, onLost: () => this.reset() }
    const upstream = this.#upstream.setNoDelay(true)
    this.#halves = [
      new HalfLink({ ...common, from: client, to: node, source: socket, target: upstream }),
      new HalfLink({ ...common, from: node, to: client, source: upstream, target: socket }),
    ]
    upstream.on('data', (bytes: Buffer) => this.#halves?.[1].push(bytes))
    upstream.on('end', () => this.#halves?.[1].push(null))
    upstream.connect({ host, port })
  }

  /** A socket that is gone without an error: the other one goes when it has sent what is due. */
  #onSocketClosed(): void {
    if (this.#isOver) return
    if (this.#options.socket.destroyed && this.#upstream.destroyed) this.#end()
    else if (this.#halves === null) this.reset()
  }

  #end(): void {
    this.#isOver = true
    for (const half of this.#halves ?? []) half.end()
    this.#options.onClosed(this)
  }
}

/** The client id of a request; null while its header is not complete. */
function clientIdOf(bytes: Buffer): string | null {
  if (bytes.length < HEADER_BYTES) return null
  const length = bytes.readInt16BE(HEADER_BYTES - 2)
  if (length <= 0) return ''
  if (bytes.length < HEADER_BYTES + length) return null
  return bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + length)
}
