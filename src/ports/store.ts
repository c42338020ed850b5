/**
 * Small node-level state by key: quorum vote and term, recovery points, high watermarks, offsets of a
 * standalone Connect worker. Values are plain data (what msgpackr can carry, but not undefined); what `get`
 * returns is read only. A put is visible at once and
 * durable after the next `sync` that was asked for later has answered.
 */
export interface Store {
  get(key: string): unknown
  put(key: string, value: unknown): void
  delete(key: string): void
  /** Keys that begin with `prefix`, sorted by code unit. */
  keys(prefix: string): readonly string[]
  /** Answers later, never from inside, when all earlier puts and deletes are durable. */
  sync(done: (error: Error | null) => void): void
  close(): void
}
