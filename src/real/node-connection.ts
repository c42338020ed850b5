import { nextTick } from 'node:process'
import type { Socket } from 'node:net'
import { ConnectionError } from '../base/errors.ts'
import type { Address, Connection, ConnectionHandler } from '../ports/network.ts'
import { resetSocket } from './reset-socket.ts'

/** How long a connection that we ended waits for the other side to end it too. */
const LINGER_MS = 250

/**
 * A connection over a socket. What is written in one turn leaves in one system call. A connection ended
 * by `close` goes on reading, and forgets what it reads, until the other side ends too: were the socket
 * closed with unread bytes, the system would reset the connection and the other side lose our last words.
 */
export class NodeConnection implements Connection {
  handler: ConnectionHandler | null = null
  readonly #socket: Socket
  readonly #highWaterBytes: number
  #local: Address
  #remote: Address
  #error: Error | null = null
  #isEnding = false
  #isEndedByPeer = false
  #isCorked = false
  #wantsDrain = false

  constructor(socket: Socket, remote: Address | null, highWaterBytes: number) {
    this.#socket = socket
    // Below its own mark the socket would not tell when it has drained.
    this.#highWaterBytes = Math.max(highWaterBytes, socket.writableHighWaterMark)
    this.#local = localOf(socket)
    this.#remote = remote ?? { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.#follow(remote !== null)
  }

  /** Host `''` and port 0 until an outgoing connection is open. */
  get local(): Address {
    return this.#local
  }

  get remote(): Address {
    return this.#remote
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isEnding || this.#socket.destroyed) return false
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      nextTick(() => this.#uncork())
    }
    for (const chunk of chunks) this.#socket.write(chunk)
    if (this.#socket.writableLength <= this.#highWaterBytes) return true
    this.#wantsDrain = true
    return false
  }

  pauseReading(): void {
    if (!this.#isEnding) this.#socket.pause()
  }

  resumeReading(): void {
    this.#socket.resume()
  }

  close(): void {
    if (this.#isEnding || this.#socket.destroyed) return
    this.#isEnding = true
    this.#uncork()
    this.#socket.once('finish', () => this.#linger())
    this.#socket.end()
    this.#socket.resume()
  }

  destroy(): void {
    this.#isEnding = true
    if (!this.#socket.destroyed) resetSocket(this.#socket)
  }

  #follow(isOutgoing: boolean): void {
    const socket = this.#socket
    if (isOutgoing) {
      socket.once('connect', () => {
        this.#local = localOf(socket)
        if (!this.#isEnding) this.handler?.onOpen?.()
      })
    }
    socket.on('data', (bytes: Buffer) => {
      if (!this.#isEnding) this.handler?.onData(bytes)
    })
    socket.on('drain', () => {
      if (!this.#wantsDrain || this.#isEnding) return
      this.#wantsDrain = false
      this.handler?.onDrain?.()
    })
    socket.once('end', () => {
      this.#isEndedByPeer = true
    })
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.once('close', () => {
      const isOrderly = this.#isEnding || this.#isEndedByPeer || this.#error === null
      this.handler?.onClose(isOrderly ? null : this.#connectionError(this.#error))
    })
  }

  #uncork(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  #linger(): void {
    if (this.#socket.destroyed) return
    const timeout = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
    this.#socket.once('close', () => clearTimeout(timeout))
  }

  #connectionError(cause: Error | null): ConnectionError {
    const { host, port } = this.#remote
    const reason = cause?.message ?? 'lost'
    return new ConnectionError(`connection with ${host}:${port}: ${reason}`, { cause })
  }
}

function localOf(socket: Socket): Address {
  return { host: socket.localAddress ?? '', port: socket.localPort ?? 0 }
}
