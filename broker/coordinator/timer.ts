import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Outcome } from './outcome.ts'

/** What runs when a timer is due: an operation of the shard that answers nobody of its own. */
export type TimedOperation = () => Outcome<never>

/** Timers by name, of one shard. Setting a name again replaces it; all end with the shard. */
export class ShardTimers {
  readonly #clock: Clock
  readonly #run: (operation: TimedOperation) => void
  readonly #timers = new Map<string, Timer>()

  /** `run` performs a due operation as one step of the shard. */
  constructor(clock: Clock, run: (operation: TimedOperation) => void) {
    this.#clock = clock
    this.#run = run
  }

  get size(): number {
    return this.#timers.size
  }

  has(name: string): boolean {
    return this.#timers.has(name)
  }

  schedule(name: string, delayMs: number, operation: TimedOperation): void {
    this.cancel(name)
    const timer = this.#clock.after(delayMs, name, () => {
      if (this.#timers.get(name) !== timer) return
      this.#timers.delete(name)
      this.#run(operation)
    })
    this.#timers.set(name, timer)
  }

  cancel(name: string): void {
    const timer = this.#timers.get(name)
    if (timer === undefined) return
    this.#timers.delete(name)
    this.#clock.cancel(timer)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) this.#clock.cancel(timer)
    this.#timers.clear()
  }
}
