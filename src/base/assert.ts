/** A broken promise inside our own code. It stops the node; it is never a client's fault. */
export class AssertionError extends Error {
  readonly code = 'ASSERTION'
}

/** Throws `AssertionError` unless `condition` holds. For programmer errors and corrupt state only. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Returns `value`, or throws `AssertionError` when it is null or undefined. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new AssertionError(`${what} is missing`)
  return value
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected value ${String(value)}`)
}
