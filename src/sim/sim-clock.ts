import { assert } from '../base/assert.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'
import type { SimProcessor } from './sim-processor.ts'
import type { SimTime } from './sim-time.ts'

/** Wall time at the begin of every simulated world. */
export const SIM_EPOCH_MS = 1_700_000_000_000

export interface SimClockOptions {
  readonly scheduler: Scheduler
  readonly time: SimTime
  readonly processor: SimProcessor
  /** Wall clock error of the node, in milliseconds, read at every look. */
  readonly wallOffsetMs: () => number
  /** The life that owns the clock; its timers end with it. */
  readonly lifetime: Lifetime
}

class SimTimer implements Timer {
  readonly tag: string
  readonly clock: SimClock
  /** By the node's own monotonic clock. */
  readonly dueMs: number
  /** Null once the timer has run or was cancelled. */
  fn: (() => void) | null
  event: ScheduledEvent | null = null

  constructor(tag: string, clock: SimClock, dueMs: number, fn: () => void) {
    this.tag = tag
    this.clock = clock
    this.dueMs = dueMs
    this.fn = fn
  }
}

/** Time as one lifetime of a simulated node sees it. */
export class SimClock implements Clock {
  readonly #options: SimClockOptions

  constructor(options: SimClockOptions) {
    this.#options = options
  }

  monoMs(): number {
    return this.#options.time.monoMs(this.#options.scheduler.nowUs)
  }

  wallMs(): number {
    return Math.floor(SIM_EPOCH_MS + this.#options.scheduler.nowMs + this.#options.wallOffsetMs())
  }

  after(delayMs: number, tag: string, fn: () => void): Timer {
    if (!(delayMs >= 0)) assert(false, `${tag}: a delay of ${delayMs} ms`)
    const timer = new SimTimer(tag, this, this.monoMs() + delayMs, fn)
    if (delayMs !== Infinity) this.#schedule(timer, delayMs)
    return timer
  }

  cancel(timer: Timer): void {
    const own = timer as SimTimer
    own.fn = null
    if (own.event !== null) this.#options.scheduler.cancel(own.event)
    own.event = null
  }

  /** The node's rate has changed: every timer is due when the clock says so. */
  rateChanged(): void {
    const { scheduler } = this.#options
    for (const timer of scheduler.owners()) {
      if (!(timer instanceof SimTimer) || timer.clock !== this || timer.event === null) continue
      scheduler.cancel(timer.event)
      this.#schedule(timer, Math.max(0, timer.dueMs - this.monoMs()))
    }
  }

  #schedule(timer: SimTimer, delayMs: number): void {
    const { scheduler, time } = this.#options
    const fire = (): void => this.#fire(timer)
    timer.event = scheduler.after(time.worldUs(delayMs), timer.tag, fire, timer)
  }

  #fire(timer: SimTimer): void {
    timer.event = null
    const earlyMs = timer.dueMs - this.monoMs()
    if (earlyMs > 0) {
      this.#schedule(timer, earlyMs)
      return
    }
    const { processor, lifetime } = this.#options
    // Between its time and its turn on a busy or paused node a timer can still be cancelled.
    processor.deliver(lifetime, 'timer', () => {
      const { fn } = timer
      timer.fn = null
      fn?.()
    })
  }
}
