import { ConnectionError } from '../base/errors.ts'
import type { Address, Connection, ConnectionHandler } from '../ports/network.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { Scheduler } from './scheduler.ts'
import type { PipeItem, SimPipe } from './sim-pipe.ts'

export interface SimConnectionOptions {
  readonly scheduler: Scheduler
  readonly lifetime: Lifetime
  readonly local: Address
  readonly remote: Address
  readonly outgoing: SimPipe
  readonly incoming: SimPipe
  readonly isOpen: boolean
  readonly highWaterBytes: number
  /** Cuts what one write sends into the pieces that arrive. */
  readonly cut: (bytes: Buffer) => readonly Buffer[]
  readonly onEnded: (connection: SimConnection) => void
  /** The other end has taken all that was sent. */
  readonly onTaken: () => void
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
  #inbox: PipeItem[] = []
  #isPaused = false
  #wantsDrain = false

  constructor(options: SimConnectionOptions) {
    this.#options = options
    this.local = options.local
    this.remote = options.remote
    this.#state = options.isOpen ? 'open' : 'connecting'
  }

  get lifetime(): Lifetime {
    return this.#options.lifetime
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isEnding()) return false
    const bytes = Buffer.concat(chunks)
    if (bytes.length > 0) {
      if (this.#state === 'connecting') this.#unsent.push(bytes)
      else this.#send(bytes)
    }
    const unsentBytes = this.#unsent.reduce((sum, chunk) => sum + chunk.length, 0)
    const { outgoing, highWaterBytes } = this.#options
    if (outgoing.bufferedBytes + unsentBytes <= highWaterBytes) return true
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
    this.#options.scheduler.after(0, 'network.resume', () => this.#drainInbox())
  }

  close(): void {
    if (this.#isEnding()) return
    if (this.#state === 'connecting') {
      this.#closesOnceOpen = true
      return
    }
    this.#state = 'closing'
    this.#dropInbox()
    const { outgoing, scheduler } = this.#options
    outgoing.send({ kind: 'end' })
    scheduler.after(outgoing.untilLastArrivalUs(), 'network.closed', () => this.#finish(null))
  }

  destroy(): void {
    if (this.#state === 'closed') return
    this.abandon()
    const { scheduler, lifetime } = this.#options
    scheduler.after(0, 'network.destroyed', () => {
      lifetime.run(() => this.handler?.onClose(null))
    })
  }

  /** The end of a crashed node: its peer is reset, its handler hears nothing. */
  abandon(): void {
    if (this.#state === 'closed') return
    this.#end()
    this.#options.outgoing.send({ kind: 'reset' })
  }

  /** Something from the other end is here. */
  arrived(item: PipeItem): void {
    if (this.#state === 'closed') {
      if (item.kind === 'data') this.#taken(item.bytes)
    } else if (item.kind === 'accepted') {
      this.#becomeOpen()
    } else if (item.kind === 'refused') {
      this.#finish(new ConnectionError(`ECONNREFUSED: ${this.remote.host}:${this.remote.port}`))
    } else if (item.kind === 'reset') {
      const { host, port } = this.remote
      const reset = new ConnectionError(`ECONNRESET: connection with ${host}:${port} was reset`)
      this.#finish(this.#state === 'closing' ? null : reset)
    } else if (this.#isPaused || this.#inbox.length > 0) {
      this.#inbox.push(item)
    } else {
      this.#take(item)
    }
  }

  /** The other end has taken all bytes. */
  drained(): void {
    if (!this.#wantsDrain || this.#state !== 'open') return
    if (this.#options.outgoing.bufferedBytes > 0) return
    this.#wantsDrain = false
    this.#options.lifetime.run(() => this.handler?.onDrain?.())
  }

  #isEnding(): boolean {
    return this.#closesOnceOpen || this.#state === 'closing' || this.#state === 'closed'
  }

  #send(bytes: Buffer): void {
    for (const piece of this.#options.cut(bytes)) {
      this.#options.outgoing.send({ kind: 'data', bytes: piece })
    }
  }

  #becomeOpen(): void {
    this.#state = 'open'
    const unsent = this.#unsent
    this.#unsent = []
    for (const bytes of unsent) this.#send(bytes)
    if (!this.#closesOnceOpen) {
      this.#options.lifetime.run(() => this.handler?.onOpen?.())
      return
    }
    this.#closesOnceOpen = false
    this.close()
  }

  #drainInbox(): void {
    while (!this.#isPaused && this.#state === 'open') {
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
      if (this.#state !== 'open') return
      this.#options.lifetime.run(() => this.handler?.onData(item.bytes))
    }
  }

  #taken(bytes: Buffer): void {
    this.#options.incoming.bufferedBytes -= bytes.length
    if (this.#options.incoming.bufferedBytes === 0) this.#options.onTaken()
  }

  #finish(error: Error | null): void {
    if (this.#state === 'closed') return
    this.#end()
    this.#options.lifetime.run(() => this.handler?.onClose(error))
  }

  #end(): void {
    this.#state = 'closed'
    this.#unsent = []
    this.#dropInbox()
    this.#options.onEnded(this)
  }

  #dropInbox(): void {
    for (const item of this.#inbox) {
      if (item.kind === 'data') this.#options.incoming.bufferedBytes -= item.bytes.length
    }
    this.#inbox = []
  }
}
