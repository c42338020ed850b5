import { setTimeout as pause } from 'node:timers/promises'
import { TimeoutError } from '../../src/base/errors.ts'

export interface UntilOptions {
  readonly what: string
  readonly timeoutMs: number
  readonly everyMs?: number
  /** Added to the error when time runs out. */
  readonly state?: () => string
}

/** Polls until `probe` gives a value that is neither null nor false; throws `TimeoutError` with the state. */
export async function until<T>(
  options: UntilOptions,
  probe: () => Promise<T | null | false> | T | null | false,
): Promise<T> {
  const deadlineMs = performance.now() + options.timeoutMs
  for (;;) {
    const seen = await probe()
    if (seen !== null && seen !== false) return seen
    if (performance.now() > deadlineMs) {
      const state = options.state === undefined ? '' : `; ${options.state()}`
      throw new TimeoutError(`waited ${options.timeoutMs} ms for ${options.what}${state}`)
    }
    await pause(options.everyMs ?? 20)
  }
}
