import type { Socket } from 'node:net'
import type { LinkTable, ListenerRole } from './link-table.ts'

/** Bytes that wait in the proxy; with more the sender is made to wait, as a full socket would. */
const HIGH_WATER_BYTES = 1024 * 1024

/** Something on its way: bytes, or the end of the stream. */
interface Piece {
  readonly bytes: Buffer | null
  readonly dueMs: number
}

export interface HalfLinkOptions {
  readonly table: LinkTable
  readonly role: ListenerRole
  readonly from: string
  readonly to: string
  readonly source: Socket
  readonly target: Socket
  /** Something that this half had to lose is lost: the connection is over. */
  readonly onLost: () => void
}

/** One direction of one proxied connection: what comes in leaves in order, when the rules of the link let it. */
export class HalfLink {
  /** Waits although no rule says so: bytes of an old connection that are to arrive late. */
  isHeld = false
  readonly from: string
  readonly to: string
  readonly #options: HalfLinkOptions
  #pieces: Piece[] = []
  #waitingBytes = 0
  #isLosing = false
  #isBlocked = false
  #timer: NodeJS.Timeout | null = null
  #isOver = false

  constructor(options: HalfLinkOptions) {
    this.#options = options
    this.from = options.from
    this.to = options.to
    options.target.on('drain', () => {
      this.#isBlocked = false
      this.pump()
    })
  }

  push(bytes: Buffer | null): void {
    if (this.#isOver) return
    if (this.#isLosing && bytes !== null) {
      this.#options.onLost()
      return
    }
    const { table, role, source } = this.#options
    const dueMs = performance.now() + table.delayMs(this.from, this.to, role)
    this.#pieces.push({ bytes, dueMs })
    this.#waitingBytes += bytes?.length ?? 0
    if (this.#waitingBytes > HIGH_WATER_BYTES) source.pause()
    this.pump()
  }

  /** What is under way and what comes later never arrives. */
  lose(): void {
    this.#isLosing = true
    if (this.#waitingBytes > 0) this.#options.onLost()
  }

  /** Sends what may leave now; called when anything changes. */
  pump(): void {
    if (this.#isOver) return
    const { table, role, source, target } = this.#options
    if (this.isHeld || table.isCut(this.from, this.to, role)) return
    while (!this.#isBlocked) {
      const [piece] = this.#pieces
      if (piece === undefined) break
      const waitMs = piece.dueMs - performance.now()
      if (waitMs > 0) {
        this.#wakeIn(waitMs)
        break
      }
      this.#pieces.shift()
      this.#waitingBytes -= piece.bytes?.length ?? 0
      if (piece.bytes === null) target.end()
      else this.#isBlocked = !target.write(piece.bytes)
    }
    if (this.#waitingBytes <= HIGH_WATER_BYTES && source.isPaused()) source.resume()
  }

  end(): void {
    this.#isOver = true
    this.#pieces = []
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #wakeIn(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.pump(), Math.ceil(delayMs))
  }
}
