import { WireError, messageOf } from '../../src/base/errors.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Connection, ConnectionHandler } from '../../src/ports/network.ts'
import { FrameCutter } from '../../src/wire/frame.ts'
import type { Router } from './router.ts'

export interface ServerConnectionOptions {
  readonly connection: Connection
  readonly listenerName: string
  readonly router: Router
  readonly clock: Clock
  readonly events: EventSink
  /** socket.request.max.bytes */
  readonly maxFrameBytes: number
  /** connections.max.idle.ms */
  readonly maxIdleMs: number
  readonly onClosed: () => void
}

/** How many complete requests, and bytes of them, may wait behind the one in progress before reading stops. */
const MAX_QUEUED_FRAMES = 16
const MAX_QUEUED_BYTES = 1024 * 1024
const MIN_IDLE_CHECK_MS = 1000

/**
 * One client's connection: cuts its bytes into requests and answers them strictly one after the
 * other, as the Java broker does; that order is what keeps pipelined idempotent producers correct.
 * A frame that cannot be read ends the connection with one event; the broker goes on.
 */
export class ServerConnection implements ConnectionHandler {
  readonly #options: ServerConnectionOptions
  readonly #cutter: FrameCutter
  readonly #queue: Buffer[] = []
  #queuedBytes = 0
  /** A request is with its handler. */
  #isBusy = false
  /** `#next` is at work further up the stack: what is answered at once must not call it again. */
  #isDispatching = false
  #isWriteBlocked = false
  #isPaused = false
  #isClosed = false
  #lastActivityMs: number
  #idleTimer: Timer | null = null

  constructor(options: ServerConnectionOptions) {
    this.#options = options
    this.#cutter = new FrameCutter(options.maxFrameBytes, (frame) => {
      this.#queue.push(frame)
      this.#queuedBytes += frame.length
    })
    this.#lastActivityMs = options.clock.monoMs()
    this.#watchIdle(options.maxIdleMs)
  }

  onData(bytes: Buffer): void {
    if (this.#isClosed) return
    this.#lastActivityMs = this.#options.clock.monoMs()
    try {
      this.#cutter.push(bytes)
    } catch (error) {
      this.fail(error)
      return
    }
    this.#next()
  }

  onDrain(): void {
    this.#isWriteBlocked = false
    this.#lastActivityMs = this.#options.clock.monoMs()
    this.#next()
  }

  onClose(): void {
    this.#end()
  }

  /** Closes after what was written has been sent. */
  close(): void {
    this.#options.connection.close()
    this.#end()
  }

  /** Drops the connection because of what the client sent, and says why. */
  fail(error: unknown): void {
    if (this.#isClosed) return
    const { connection, events, listenerName } = this.#options
    events.emit('connection.refused', {
      client: `${connection.remote.host}:${connection.remote.port}`,
      listener: listenerName,
      reason: messageOf(error),
    })
    connection.destroy()
    this.#end()
  }

  #next(): void {
    if (this.#isDispatching) return
    this.#isDispatching = true
    while (!this.#isBusy && !this.#isWriteBlocked && !this.#isClosed) {
      const frame = this.#queue.shift()
      if (frame === undefined) break
      this.#queuedBytes -= frame.length
      this.#dispatch(frame)
    }
    this.#isDispatching = false
    this.#throttleReading()
  }

  #dispatch(frame: Buffer): void {
    const { connection, router, listenerName } = this.#options
    this.#isBusy = true
    let isAnswered = false
    try {
      router.route(frame, { listenerName, client: connection.remote }, (outcome) => {
        if (isAnswered) return
        isAnswered = true
        this.#finish(outcome)
      })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.fail(error)
    }
  }

  #finish(outcome: readonly Buffer[] | 'none' | 'close'): void {
    if (this.#isClosed) {
      const { events, listenerName } = this.#options
      events.emit('connection.answer-dropped', { listener: listenerName })
      return
    }
    this.#isBusy = false
    this.#lastActivityMs = this.#options.clock.monoMs()
    if (outcome === 'close') {
      this.close()
      return
    }
    if (outcome !== 'none') this.#isWriteBlocked = !this.#options.connection.write(outcome)
    this.#next()
  }

  #throttleReading(): void {
    if (this.#isClosed) return
    const shouldPause =
      this.#queue.length > MAX_QUEUED_FRAMES || this.#queuedBytes > MAX_QUEUED_BYTES
    if (shouldPause === this.#isPaused) return
    this.#isPaused = shouldPause
    if (shouldPause) this.#options.connection.pauseReading()
    else this.#options.connection.resumeReading()
  }

  /** Below zero, connections.max.idle.ms is without limit. */
  #watchIdle(delayMs: number): void {
    const { clock, maxIdleMs } = this.#options
    if (maxIdleMs < 0) return
    this.#idleTimer = clock.after(Math.max(delayMs, MIN_IDLE_CHECK_MS), 'connection.idle', () => {
      const restMs = this.#lastActivityMs + maxIdleMs - clock.monoMs()
      if (restMs > 0 || this.#isBusy) return this.#watchIdle(restMs)
      // What a client does not read is never sent: to wait for that would keep the connection for ever.
      if (this.#isWriteBlocked) this.fail(new Error(`nothing read for ${maxIdleMs} ms`))
      else this.close()
    })
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#queue.length = 0
    this.#queuedBytes = 0
    if (this.#idleTimer !== null) this.#options.clock.cancel(this.#idleTimer)
    this.#options.onClosed()
  }
}
