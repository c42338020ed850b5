import type { Clock, Timer } from '../../src/ports/clock.ts'

export interface PeriodicTask {
  /** `Number.MAX_SAFE_INTEGER` and more, Kafka's way to say so, is never. */
  readonly everyMs: number
  readonly tag: string
  readonly run: () => void
}

/** Steps that are run again and again until the end. */
export class PeriodicTasks {
  readonly #clock: Clock
  readonly #step: (fn: () => void) => void
  readonly #timers = new Map<string, Timer>()
  #isClosed = false

  constructor(clock: Clock, step: (fn: () => void) => void) {
    this.#clock = clock
    this.#step = step
  }

  repeat(task: PeriodicTask): void {
    if (this.#isClosed || task.everyMs >= Number.MAX_SAFE_INTEGER) return
    const timer = this.#clock.after(task.everyMs, task.tag, () => {
      this.#step(task.run)
      this.repeat(task)
    })
    this.#timers.set(task.tag, timer)
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers.values()) this.#clock.cancel(timer)
    this.#timers.clear()
  }
}
