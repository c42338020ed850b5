import { assert } from '../base/assert.ts'
import type { Clock, Timer } from '../ports/clock.ts'

/** `setTimeout` takes no more. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export interface NodeClockOptions {
  /** Whether pending timers let the process end; false unless given. */
  readonly unref?: boolean
}

/** The machine's time. A timer never runs early, which `setTimeout` alone does not promise. */
export class NodeClock implements Clock {
  readonly #unref: boolean

  constructor(options: NodeClockOptions = {}) {
    this.#unref = options.unref ?? false
  }

  monoMs(): number {
    return performance.now()
  }

  wallMs(): number {
    return Date.now()
  }

  after(delayMs: number, tag: string, fn: () => void): Timer {
    assert(delayMs >= 0, `${tag}: a delay of ${delayMs} ms`)
    const timer = new NodeTimer(tag, performance.now() + delayMs, fn, this.#unref)
    timer.arm(delayMs)
    return timer
  }

  cancel(timer: Timer): void {
    assert(timer instanceof NodeTimer, `timer ${timer.tag} is of another clock`)
    timer.cancel()
  }
}

class NodeTimer implements Timer {
  readonly tag: string
  readonly #dueMs: number
  readonly #unref: boolean
  #fn: (() => void) | null
  #timeout: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null

  constructor(tag: string, dueMs: number, fn: () => void, unref: boolean) {
    this.tag = tag
    this.#dueMs = dueMs
    this.#fn = fn
    this.#unref = unref
  }

  arm(delayMs: number): void {
    if (delayMs === Infinity) return
    if (delayMs === 0) {
      this.#immediate = setImmediate(() => this.#fire())
      if (this.#unref) this.#immediate.unref()
      return
    }
    const timeoutMs = Math.min(Math.ceil(delayMs), LONGEST_TIMEOUT_MS)
    this.#timeout = setTimeout(() => this.#fire(), timeoutMs)
    if (this.#unref) this.#timeout.unref()
  }

  cancel(): void {
    this.#fn = null
    if (this.#timeout !== null) clearTimeout(this.#timeout)
    if (this.#immediate !== null) clearImmediate(this.#immediate)
  }

  #fire(): void {
    const leftMs = this.#dueMs - performance.now()
    if (leftMs > 0) {
      this.arm(leftMs)
      return
    }
    const fn = this.#fn
    this.#fn = null
    fn?.()
  }
}
