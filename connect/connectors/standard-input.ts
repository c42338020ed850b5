const EMPTY = Buffer.alloc(0)
/** Bytes kept before the stream is told to wait. */
const MAX_HELD_BYTES = 1_048_576

/** The bytes of the process's standard input, for one reader. */
export class StandardInput {
  readonly #waitMs: number
  readonly #signal: AbortSignal
  #held: Buffer[] = []
  #heldBytes = 0
  #onBytes: (() => void) | null = null
  #hasBegun = false

  constructor(waitMs: number, signal: AbortSignal) {
    this.#waitMs = waitMs
    this.#signal = signal
  }

  /** What has come, after a wait of at most `waitMs` that ends at once when the task is to stop. */
  async read(): Promise<Buffer | null> {
    if (!this.#hasBegun) this.#begin()
    if (this.#heldBytes === 0 && !this.#signal.aborted) await this.#wait()
    if (this.#heldBytes === 0) return null
    const bytes = this.#held.length === 1 ? (this.#held[0] ?? EMPTY) : Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    process.stdin.resume()
    return bytes
  }

  /** Lets the process end although standard input is open. */
  close(): Promise<void> {
    if (this.#hasBegun) process.stdin.destroy()
    return Promise.resolve()
  }

  #begin(): void {
    this.#hasBegun = true
    process.stdin.on('data', (bytes: Buffer) => {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
      if (this.#heldBytes >= MAX_HELD_BYTES) process.stdin.pause()
      this.#onBytes?.()
    })
    process.stdin.on('error', () => this.#onBytes?.())
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#signal.removeEventListener('abort', end)
        this.#onBytes = null
        resolve()
      }
      const timer = setTimeout(end, this.#waitMs)
      this.#signal.addEventListener('abort', end)
      this.#onBytes = end
    })
  }
}
