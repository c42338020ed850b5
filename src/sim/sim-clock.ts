import { assert } from '../base/assert.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'

/** Wall time at the begin of every simulated world. */
export const SIM_EPOCH_MS = 1_700_000_000_000

export interface SimClockOptions {
  readonly scheduler: Scheduler
  /** Wall clock error of the node, in milliseconds, read at every look. */
  readonly wallOffsetMs: () => number
  /** The life that owns the clock; its timers end with it. */
  readonly lifetime: Lifetime
}

/** Time as one lifetime of a simulated node sees it. */
export class SimClock implements Clock {
  readonly #options: SimClockOptions

  constructor(options: SimClockOptions) {
    this.#options = options
  }

  monoMs(): number {
    return this.#options.scheduler.nowMs
  }

  wallMs(): number {
    return Math.floor(SIM_EPOCH_MS + this.#options.scheduler.nowMs + this.#options.wallOffsetMs())
  }

  after(delayMs: number, tag: string, fn: () => void): Timer {
    assert(delayMs >= 0, `${tag}: a delay of ${delayMs} ms`)
    const { scheduler, lifetime } = this.#options
    return scheduler.after(delayMs * 1000, tag, () => lifetime.run(fn))
  }

  cancel(timer: Timer): void {
    this.#options.scheduler.cancel(timer as ScheduledEvent)
  }
}
