/** Records on their way at once, however small they are. */
const MAX_RECORDS = 50_000

/** Bounds what a source task has on its way to Kafka. One waits for room at a time. */
export class SendWindow {
  readonly #maxBytes: number
  readonly #signal: AbortSignal
  #bytes = 0
  #records = 0
  #waiters: (() => void)[] = []

  constructor(maxBytes: number, signal: AbortSignal) {
    this.#maxBytes = maxBytes
    this.#signal = signal
    signal.addEventListener('abort', () => this.wake())
  }

  get isFull(): boolean {
    return this.#records > 0 && (this.#bytes >= this.#maxBytes || this.#records >= MAX_RECORDS)
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#records += 1
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    this.#records -= 1
    const hasDrained = this.#records === 0 || this.#bytes <= this.#maxBytes / 2
    if (this.#waiters.length > 0 && hasDrained && this.#records <= MAX_RECORDS / 2) this.wake()
  }

  /** Lets all who wait look again. */
  wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter()
  }

  /** True when there is room or a reason to look; false when the task is to stop and there is none. */
  async waitForRoom(): Promise<boolean> {
    if (this.isFull && !this.#signal.aborted) await this.#wait()
    return !this.isFull || !this.#signal.aborted
  }

  /** Resolves when nothing is on its way. */
  async whenEmpty(): Promise<void> {
    while (this.#records > 0) await this.#wait()
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve)
    })
  }
}
