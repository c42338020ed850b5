import type { Clock, Timer } from '../../src/ports/clock.ts'

export interface PeriodicTaskOptions {
  readonly clock: Clock
  readonly tag: string
  readonly intervalMs: number
  /** Returns whether there is more to do than one run may. */
  readonly run: () => boolean
}

/** Pause between two runs of which the first has not done everything. */
const CONTINUE_AFTER_MS = 10

/** Runs something every interval until it is stopped, and again soon when there is more to do. */
export class PeriodicTask {
  readonly #options: PeriodicTaskOptions
  #timer: Timer | null = null
  #isStopped = false

  constructor(options: PeriodicTaskOptions) {
    this.#options = options
    this.#schedule(options.intervalMs)
  }

  /** May be called from within a run. */
  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
    this.#timer = null
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return
    const { clock, tag, run, intervalMs } = this.#options
    this.#timer = clock.after(delayMs, tag, () => {
      this.#timer = null
      const hasMore = run()
      this.#schedule(hasMore ? CONTINUE_AFTER_MS : intervalMs)
    })
  }
}
