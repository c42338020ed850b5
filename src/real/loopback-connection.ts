import { ConnectionError } from '../base/errors.ts'
import type { Address, Connection, ConnectionHandler } from '../ports/network.ts'

export interface LoopbackConnectionOptions {
  readonly local: Address
  readonly remote: Address
  readonly highWaterBytes: number
  /** The connection wants `serve` to be called in a later turn. */
  readonly onReady: (connection: LoopbackConnection) => void
}

/** One end of a connection inside the process. What its peer writes waits in its inbox for a turn. */
export class LoopbackConnection implements Connection {
  readonly local: Address
  readonly remote: Address
  handler: ConnectionHandler | null = null
  readonly #options: LoopbackConnectionOptions
  #peer: LoopbackConnection | null = null
  /** `ended`: by this side; nothing is read or sent any more and `onClose` is due. */
  #state: 'connecting' | 'open' | 'ended' | 'closed' = 'connecting'
  #closesOnceOpen = false
  #unsent: Uint8Array[] = []
  #unsentBytes = 0
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  #isEndedByPeer = false
  #failure: Error | null = null
  #isPaused = false
  #isReady = false
  #wantsDrain = false

  constructor(options: LoopbackConnectionOptions) {
    this.#options = options
    this.local = options.local
    this.remote = options.remote
  }

  get isClosed(): boolean {
    return this.#state === 'ended' || this.#state === 'closed'
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.isClosed || this.#closesOnceOpen) return false
    if (this.#queue(chunks) <= this.#options.highWaterBytes) return true
    this.#wantsDrain = true
    return false
  }

  pauseReading(): void {
    this.#isPaused = true
  }

  resumeReading(): void {
    this.#isPaused = false
    if (this.#inboxBytes > 0 || this.#isEndedByPeer) this.#becomeReady()
  }

  close(): void {
    if (this.isClosed) return
    if (this.#peer === null) {
      this.#closesOnceOpen = true
      return
    }
    const peer = this.#peer
    this.#end()
    peer.#isEndedByPeer = true
    peer.#becomeReady()
  }

  destroy(): void {
    if (this.isClosed) return
    const peer = this.#peer
    this.#end()
    const { host, port } = this.local
    peer?.fail(new ConnectionError(`ECONNRESET: connection with ${host}:${port} was reset`))
  }

  /** The accepting end gets to know its peer. */
  joinTo(peer: LoopbackConnection): void {
    this.#peer = peer
    this.#state = 'open'
  }

  /** The connecting end was accepted: sends what was written so far. */
  openTo(peer: LoopbackConnection): void {
    this.#peer = peer
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    if (this.#unsent.length > 0) peer.#receive(this.#unsent)
    this.#unsent = []
    this.#unsentBytes = 0
    if (this.#closesOnceOpen) this.close()
    else this.handler?.onOpen?.()
  }

  /** Ends the connection with an error; what is in the inbox is lost. */
  fail(error: Error): void {
    if (this.isClosed) return
    this.#failure = error
    this.#dropInbox()
    this.#becomeReady()
  }

  /** Hands over what has come since the last turn. */
  serve(): void {
    this.#isReady = false
    if (this.#state === 'closed') return
    if (this.#state === 'ended') this.#finish(null)
    else if (this.#failure !== null) this.#finish(this.#failure)
    else if (!this.#isPaused) this.#serveInbox()
  }

  #serveInbox(): void {
    if (this.#inboxBytes > 0) {
      const bytes = Buffer.concat(this.#inbox, this.#inboxBytes)
      this.#dropInbox()
      this.handler?.onData(bytes)
      if (this.#peer !== null) this.#peer.#taken()
    }
    const isAtEnd = this.#isEndedByPeer && this.#inboxBytes === 0 && !this.#isPaused
    if (isAtEnd && this.#state === 'open') this.#finish(null)
  }

  /** Returns the bytes that now wait to be taken. */
  #queue(chunks: readonly Uint8Array[]): number {
    if (this.#peer !== null) {
      this.#peer.#receive(chunks)
      return this.#peer.#inboxBytes
    }
    for (const chunk of chunks) {
      this.#unsent.push(chunk)
      this.#unsentBytes += chunk.byteLength
    }
    return this.#unsentBytes
  }

  #receive(chunks: readonly Uint8Array[]): void {
    if (this.isClosed || this.#failure !== null) return
    for (const chunk of chunks) {
      this.#inbox.push(chunk)
      this.#inboxBytes += chunk.byteLength
    }
    this.#becomeReady()
  }

  /** The peer's inbox is empty. */
  #taken(): void {
    if (!this.#wantsDrain || this.#state !== 'open') return
    this.#wantsDrain = false
    this.handler?.onDrain?.()
  }

  #becomeReady(): void {
    if (this.#isReady) return
    this.#isReady = true
    this.#options.onReady(this)
  }

  #end(): void {
    this.#state = 'ended'
    this.#dropInbox()
    this.#unsent = []
    this.#becomeReady()
  }

  #finish(error: Error | null): void {
    this.#state = 'closed'
    this.#dropInbox()
    this.handler?.onClose(error)
  }

  #dropInbox(): void {
    this.#inbox = []
    this.#inboxBytes = 0
  }
}
