import { present } from '../base/assert.ts'
import { ConnectionError, TimeoutError } from '../base/errors.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { isRetriableError } from './kafka-error.ts'

const JITTER = 0.2
const JITTER_STEPS = 1_000_000

export interface BackoffOptions {
  readonly baseMs: number
  readonly maxMs: number
}

/** Delay before the next try after `failures` (at least 1): doubles up to `maxMs`, give or take 20 % (KIP-580). */
export function backoffMs(failures: number, options: BackoffOptions, random: Random): number {
  const term = options.baseMs * 2 ** Math.min(failures - 1, 30)
  const jitter = 1 - JITTER + (2 * JITTER * random.below(JITTER_STEPS)) / JITTER_STEPS
  return Math.min(term, options.maxMs) * jitter
}

export interface RetryOptions<T> {
  /** What is tried, for messages: `find coordinator of group "a"`. */
  readonly what: string
  readonly clock: Clock
  readonly random: Random
  readonly backoff: BackoffOptions
  /** All tries together, `Infinity` for no limit; the last error is the cause of the `TimeoutError`. */
  readonly timeoutMs: number
  /** Default: `isRetriableError`. */
  readonly isRetriable?: (error: Error) => boolean
  readonly attempt: (
    remainingMs: number,
    done: (error: Error | null, value: T | null) => void,
  ) => void
  readonly done: (error: Error | null, value: T | null) => void
}

/** An operation that can be given up. */
export interface Cancellable {
  /** Ends it with `error` unless it has ended. */
  cancel(error?: Error): void
  /** Ends it without a word. */
  abandon(): void
}

/** Tries until it works, fails for good, or the time is over. `done` is called once. */
export function withRetries<T>(options: RetryOptions<T>): Cancellable {
  const { clock } = options
  const deadlineMs = clock.monoMs() + options.timeoutMs
  let failures = 0
  let isEnded = false
  let timer: Timer | null = null
  let lastError: Error | null = null

  const stop = (): void => {
    isEnded = true
    if (timer !== null) clock.cancel(timer)
    if (deadline !== null) clock.cancel(deadline)
  }
  const end = (error: Error | null, value: T | null): void => {
    if (isEnded) return
    stop()
    options.done(error, value)
  }
  const attempt = (): void => {
    timer = null
    let isAnswered = false
    options.attempt(Math.max(1, deadlineMs - clock.monoMs()), (error, value) => {
      if (isEnded || isAnswered) return
      isAnswered = true
      if (error === null) end(null, value)
      else retry(error)
    })
  }
  const retry = (error: Error): void => {
    const isRetriable = options.isRetriable ?? isRetriableError
    if (!isRetriable(error)) return end(error, null)
    lastError = error
    failures += 1
    timer = clock.after(
      backoffMs(failures, options.backoff, options.random),
      'client.retry',
      attempt,
    )
  }
  const onDeadline = (): void => end(timedOut(options.what, options.timeoutMs, lastError), null)
  const deadline =
    options.timeoutMs === Infinity
      ? null
      : clock.after(options.timeoutMs, 'client.retry.deadline', onDeadline)
  attempt()
  return {
    cancel: (error) =>
      end(error ?? new ConnectionError(`${options.what}: the client was closed`), null),
    abandon: stop,
  }
}

/** The `TimeoutError` of an operation, with the last thing that went wrong as its cause. */
export function timedOut(what: string, timeoutMs: number, last: Error | null): TimeoutError {
  const why = last === null ? '' : `; the last try failed: ${last.message}`
  const error = new TimeoutError(`${what}: not done within ${timeoutMs} ms${why}`)
  if (last !== null) error.cause = last
  return error
}

/** A callback as a promise, for the outer edge. A success without a value is an assertion. */
export function asPromise<T>(
  start: (done: (error: Error | null, value: T | null) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error !== null) reject(error)
      else resolve(present(value, 'the value of an operation that went well'))
    })
  })
}
