import { assert } from '../../src/base/assert.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'

/** `ready`: nothing is left to wait for; `expired`: the deadline came first; `closed`: the broker goes away. */
export type CompletionReason = 'ready' | 'expired' | 'closed'

/** Something that waits for a change of one of some partitions. */
export interface DelayedOperation {
  /** Looks again after `key` changed; null is the first look. Must be cheap and must not answer. */
  isReady(key: string | null): boolean
  /** Called exactly once. */
  complete(reason: CompletionReason): void
}

export interface PurgatoryOptions {
  readonly clock: Clock
  /** Names the timers in traces. */
  readonly name: string
  /** Operations that may wait; one more is completed as expired at once. */
  readonly limit: number
}

interface Entry {
  readonly operation: DelayedOperation
  readonly keys: readonly string[]
  readonly deadlineMs: number
  /** Those that wait as long as it does; null when it waits without a deadline. */
  readonly cohort: Cohort | null
  isDone: boolean
}

/**
 * The entries of one time-out. They expire in the order in which they came, so one timer, set for the first,
 * serves all: nearly all are ready before, and a timer for each would be set in vain.
 */
interface Cohort {
  readonly timeoutMs: number
  readonly entries: Set<Entry>
  timer: Timer | null
}

/**
 * Where requests wait. An entry is found by the keys (partitions) it depends on and is completed once: when
 * it becomes ready, at its deadline, or when the purgatory closes. A completion may cause further changes:
 * their keys are queued and looked at after it, so nothing is nested.
 */
export class Purgatory {
  readonly #options: PurgatoryOptions
  readonly #byKey = new Map<string, Set<Entry>>()
  readonly #changedKeys = new Set<string>()
  readonly #cohorts = new Map<number, Cohort>()
  #size = 0
  #isChecking = false
  #isClosed = false

  constructor(options: PurgatoryOptions) {
    assert(options.limit >= 1, 'a purgatory holds at least one operation')
    this.#options = options
  }

  /** Operations that wait now. */
  get size(): number {
    return this.#size
  }

  /** Completes a ready operation at once; keeps any other until a key changes or `timeoutMs` have passed. */
  watch(operation: DelayedOperation, keys: readonly string[], timeoutMs: number): void {
    if (operation.isReady(null)) return operation.complete('ready')
    if (this.#isClosed) return operation.complete('closed')
    if (this.#size >= this.#options.limit) return operation.complete('expired')
    const cohort = timeoutMs === Infinity ? null : this.#cohort(Math.max(0, timeoutMs))
    const deadlineMs = this.#options.clock.monoMs() + timeoutMs
    const entry: Entry = { operation, keys, deadlineMs, cohort, isDone: false }
    this.#size += 1
    for (const key of keys) this.#watchers(key).add(entry)
    if (cohort === null) return
    cohort.entries.add(entry)
    if (cohort.timer === null) this.#wakeAfter(cohort, cohort.timeoutMs)
  }

  /** `key` changed: completes what waits on it and is ready now. */
  check(key: string): void {
    if (!this.#byKey.has(key)) return
    this.#changedKeys.add(key)
    if (this.#isChecking) return
    this.#isChecking = true
    try {
      for (const changed of this.#changedKeys) {
        this.#changedKeys.delete(changed)
        this.#checkKey(changed)
      }
    } finally {
      this.#isChecking = false
    }
  }

  /** Completes all that wait; later operations complete at once. */
  close(): void {
    this.#isClosed = true
    const entries = new Set([...this.#byKey.values()].flatMap((watchers) => [...watchers]))
    for (const entry of entries) this.#finish(entry, 'closed')
    for (const { timer } of this.#cohorts.values()) {
      if (timer !== null) this.#options.clock.cancel(timer)
    }
    this.#cohorts.clear()
  }

  #cohort(timeoutMs: number): Cohort {
    const known = this.#cohorts.get(timeoutMs)
    if (known !== undefined) return known
    const cohort: Cohort = { timeoutMs, entries: new Set(), timer: null }
    this.#cohorts.set(timeoutMs, cohort)
    return cohort
  }

  #wakeAfter(cohort: Cohort, delayMs: number): void {
    cohort.timer = this.#options.clock.after(delayMs, this.#options.name, () => {
      cohort.timer = null
      this.#expire(cohort)
    })
  }

  /** Completes what is due and waits for the next; a cohort without entries is given up. */
  #expire(cohort: Cohort): void {
    const nowMs = this.#options.clock.monoMs()
    for (const entry of cohort.entries) {
      if (entry.deadlineMs > nowMs) {
        if (cohort.timer === null) this.#wakeAfter(cohort, entry.deadlineMs - nowMs)
        return
      }
      this.#finish(entry, 'expired')
    }
    if (cohort.timer === null) this.#cohorts.delete(cohort.timeoutMs)
  }

  #checkKey(key: string): void {
    const watchers = this.#byKey.get(key)
    if (watchers === undefined) return
    for (const entry of Array.from(watchers)) {
      if (!entry.isDone && entry.operation.isReady(key)) this.#finish(entry, 'ready')
    }
  }

  #watchers(key: string): Set<Entry> {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const watchers = new Set<Entry>()
    this.#byKey.set(key, watchers)
    return watchers
  }

  #finish(entry: Entry, reason: CompletionReason): void {
    if (entry.isDone) return
    entry.isDone = true
    this.#size -= 1
    entry.cohort?.entries.delete(entry)
    for (const key of entry.keys) {
      const watchers = this.#byKey.get(key)
      watchers?.delete(entry)
      if (watchers?.size === 0) this.#byKey.delete(key)
    }
    entry.operation.complete(reason)
  }
}
