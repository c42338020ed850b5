import { ConnectionError } from '../base/errors.ts'
import { totalBytes } from '../base/chunked-bytes.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { Address, Connection, ConnectionHandler } from '../ports/network.ts'
import type { Scheduler } from './scheduler.ts'
import type { PipeItem, SimPipe } from './sim-pipe.ts'
import type { SimProcessor } from './sim-processor.ts'

/** What the ends of all connections share. */
export interface ConnectionRules {
  readonly scheduler: Scheduler
  readonly highWaterBytes: number
  /** Where to cut what one write sends, so that it arrives in two pieces; 0: in one. */
  readonly cutAt: (length: number) => number
}

export interface SimConnectionOptions {
  readonly rules: ConnectionRules
  readonly lifetime: Lifetime
  readonly processor: SimProcessor
  readonly local: Address
  readonly remote: Address
  readonly outgoing: SimPipe
  readonly incoming: SimPipe
  readonly isOpen: boolean
  readonly onEnded: () => void
  /** The other end, once there is one. */
  readonly peer: () => SimConnection | null
  /** Runs `fn` when word of something has reached the other end. */
  readonly afterLatency: (fn: () => void) => void
}

/** One end of a simulated connection. */
export class SimConnection implements Connection {
  readonly local: Address
  readonly remote: Address
  handler: ConnectionHandler | null = null
  readonly #options: SimConnectionOptions
  #state: 'connecting' | 'open' | 'closing' | 'closed'
  #closesOnceOpen = false
  #unsent: Buffer[] = []
  #unsentBytes = 0
  /** What has reached the host and waits for its processor, in order. */
  #arrivals: PipeItem[] = []
  /** What the handler has not been given because it paused reading. */
  #inbox: PipeItem[] = []
  #isPaused = false
  #wantsDrain = false

  constructor(options: SimConnectionOptions) {
    this.#options = options
    this.local = options.local
    this.remote = options.remote
    this.#state = options.isOpen ? 'open' : 'connecting'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  get incoming(): SimPipe {
    return this.#options.incoming
  }

  get outgoing(): SimPipe {
    return this.#options.outgoing
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isEnding()) return false
    const bytes = joined(chunks)
    if (bytes.length > 0) {
      if (this.#state === 'connecting') this.#keepUnsent(bytes)
      else this.#send(bytes)
    }
    const { outgoing, rules } = this.#options
    if (outgoing.bufferedBytes + this.#unsentBytes <= rules.highWaterBytes) return true
    this.#wantsDrain = true
    return false
  }

  pauseReading(): void {
    this.#isPaused = true
  }

  resumeReading(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.#inbox.length === 0) return
    this.#later(0, 'network.resume', () => this.#drainInbox())
  }

  close(): void {
    if (this.#isEnding()) return
    if (this.#state === 'connecting') {
      this.#closesOnceOpen = true
      return
    }
    this.#state = 'closing'
    this.#dropInbox()
    const { outgoing } = this.#options
    outgoing.send({ kind: 'end' })
    this.#later(outgoing.untilLastArrivalUs(), 'network.closed', () => this.#finish(null))
  }

  destroy(): void {
    if (this.#state === 'closed') return
    this.abandon()
    this.#later(0, 'network.destroyed', () => this.handler?.onClose(null))
  }

  /** The end of a crashed node: its peer is reset, its handler hears nothing. */
  abandon(): void {
    if (this.#state === 'closed') return
    this.#end()
    this.#options.outgoing.send({ kind: 'reset' })
  }

  /** The end of a machine without power: the peer hears nothing. Says whether it was open. */
  vanish(): boolean {
    if (this.#state === 'closed') return false
    this.#end()
    return true
  }

  /** Something from the other end has reached this host; its code hears of it when its turn comes. */
  arrived(item: PipeItem): void {
    if (this.#state === 'closed') {
      if (item.kind === 'data') this.#taken(item.bytes)
      return
    }
    this.#arrivals.push(item)
    this.#options.processor.deliver(this.#options.lifetime, 'message', this.#handleArrival)
  }

  /** The other end has taken all bytes. */
  drained(): void {
    if (!this.#wantsDrain || this.#state !== 'open') return
    if (this.#options.outgoing.bufferedBytes > 0) return
    this.#wantsDrain = false
    this.#options.processor.deliver(this.#options.lifetime, 'message', () => {
      if (this.#state === 'open') this.handler?.onDrain?.()
    })
  }

  get wantsDrain(): boolean {
    return this.#wantsDrain
  }

  readonly #handleArrival = (): void => {
    const arrivals = this.#arrivals
    const item = arrivals.length === 1 ? arrivals.pop() : arrivals.shift()
    if (item === undefined) return
    if (item.kind === 'data' || item.kind === 'end') {
      if (this.#isPaused || this.#inbox.length > 0) this.#inbox.push(item)
      else this.#take(item)
    } else if (item.kind === 'accepted') {
      this.#becomeOpen()
    } else if (item.kind === 'refused') {
      this.#finish(new ConnectionError(`ECONNREFUSED: ${this.remote.host}:${this.remote.port}`))
    } else if (item.kind === 'reset') {
      const { host, port } = this.remote
      const reset = new ConnectionError(`ECONNRESET: connection with ${host}:${port} was reset`)
      this.#finish(this.#state === 'closing' ? null : reset)
    }
  }

  #later(delayUs: number, tag: string, fn: () => void): void {
    const { rules, processor, lifetime } = this.#options
    rules.scheduler.after(delayUs, tag, () => processor.deliver(lifetime, 'message', fn))
  }

  #isEnding(): boolean {
    return this.#closesOnceOpen || this.#state === 'closing' || this.#state === 'closed'
  }

  #keepUnsent(bytes: Buffer): void {
    this.#unsent.push(bytes)
    this.#unsentBytes += bytes.length
  }

  #send(bytes: Buffer): void {
    const { outgoing, rules } = this.#options
    const cutAt = rules.cutAt(bytes.length)
    if (cutAt === 0) {
      outgoing.send({ kind: 'data', bytes })
      return
    }
    outgoing.send({ kind: 'data', bytes: bytes.subarray(0, cutAt) })
    outgoing.send({ kind: 'data', bytes: bytes.subarray(cutAt) })
  }

  #becomeOpen(): void {
    this.#state = 'open'
    const unsent = this.#unsent
    this.#unsent = []
    this.#unsentBytes = 0
    for (const bytes of unsent) this.#send(bytes)
    if (!this.#closesOnceOpen) {
      this.handler?.onOpen?.()
      return
    }
    this.#closesOnceOpen = false
    this.close()
  }

  #drainInbox(): void {
    while (!this.#isPaused && this.#state === 'open' && this.#options.lifetime.isAlive) {
      const item = this.#inbox.shift()
      if (item === undefined) return
      this.#take(item)
    }
  }

  #take(item: PipeItem): void {
    if (item.kind === 'end') {
      this.#finish(null)
    } else if (item.kind === 'data') {
      this.#taken(item.bytes)
      if (this.#state === 'open') this.handler?.onData(item.bytes)
    }
  }

  #taken(bytes: Buffer): void {
    const { incoming, peer, afterLatency } = this.#options
    incoming.bufferedBytes -= bytes.length
    if (incoming.bufferedBytes > 0 || peer()?.wantsDrain !== true) return
    afterLatency(() => peer()?.drained())
  }

  #finish(error: Error | null): void {
    if (this.#state === 'closed') return
    this.#end()
    this.handler?.onClose(error)
  }

  #end(): void {
    this.#state = 'closed'
    this.#unsent = []
    this.#unsentBytes = 0
    for (const item of this.#arrivals.splice(0)) this.#drop(item)
    this.#dropInbox()
    this.#options.onEnded()
  }

  #dropInbox(): void {
    for (const item of this.#inbox.splice(0)) this.#drop(item)
  }

  #drop(item: PipeItem): void {
    if (item.kind === 'data') this.#options.incoming.bufferedBytes -= item.bytes.length
  }
}

/** Always a copy: no two nodes may share memory, whatever they do with it. */
function joined(chunks: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(totalBytes(chunks))
  let position = 0
  for (const chunk of chunks) {
    bytes.set(chunk, position)
    position += chunk.byteLength
  }
  return bytes
}
