import type { Clock } from '../../src/ports/clock.ts'

/** Waits for `ms`, but ends at once when the signal is aborted. Never rejects. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      signal.removeEventListener('abort', end)
      clock.cancel(timer)
      resolve()
    }
    const timer = clock.after(Math.max(0, ms), 'connect.sleep', end)
    signal.addEventListener('abort', end)
  })
}

/** Lets everything else that is due run first. */
export function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(0, 'connect.turn', resolve)
  })
}

/** True when `promise` was settled, well or not, within `ms`. */
export function settlesWithin(
  clock: Clock,
  ms: number,
  promise: Promise<unknown>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(Math.max(0, ms), 'connect.deadline', () => resolve(false))
    const end = (): void => {
      clock.cancel(timer)
      resolve(true)
    }
    promise.then(end, end)
  })
}
