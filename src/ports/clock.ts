/** A timer that was set; only good for `Clock.cancel`. */
export interface Timer {
  readonly tag: string
}

/** Time and timers of one node. Milliseconds throughout; fractions are allowed. */
export interface Clock {
  /** Monotonic time. Never goes back; use it for every time-out and deadline. */
  monoMs(): number
  /** Wall time since the Unix epoch, whole. May jump; use it only for timestamps that are stored or shown. */
  wallMs(): number
  /**
   * Runs `fn` once when `delayMs` (at least 0; `Infinity` is never) have passed, never early and never from
   * inside this call. `tag` names the purpose in traces.
   */
  after(delayMs: number, tag: string, fn: () => void): Timer
  /** Safe to call on a timer that has already run. */
  cancel(timer: Timer): void
}
