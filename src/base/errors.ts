/** All errors that this package throws on purpose. `code` is stable; the message may improve. */
export class KafketteError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** Bytes that are not what the protocol says: too long, cut short, an illegal value. */
export class WireError extends KafketteError {
  constructor(message: string) {
    super('WIRE', message)
  }
}

export type DiskErrorCode = 'EIO' | 'ENOSPC' | 'ENOENT' | 'EACCES' | 'EBADF'

/** A disk operation that failed. */
export class DiskError extends KafketteError {
  declare readonly code: DiskErrorCode

  // oxlint-disable-next-line no-useless-constructor -- it narrows the code
  constructor(code: DiskErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options)
  }
}

/** Stored bytes that cannot be right and cannot be repaired without losing committed data. */
export class CorruptionError extends KafketteError {
  constructor(message: string) {
    super('CORRUPTION', message)
  }
}

/** A leader does not have what this node knows to be committed: to follow it would be to destroy the last copy. */
export class CommittedLossError extends KafketteError {
  constructor(message: string) {
    super('COMMITTED_LOSS', message)
  }
}

/** A setting or an option that cannot be used; the message names it, what was given and what is allowed. */
export class ConfigError extends KafketteError {
  constructor(message: string) {
    super('CONFIG', message)
  }
}

/** An answer that did not come in time, with what was awaited. */
export class TimeoutError extends KafketteError {
  constructor(message: string) {
    super('TIMEOUT', message)
  }
}

/**
 * A connection that ended or could not be made. It has no stack: that would show a callback of the network, and
 * while a broker is down these are made by the hundred.
 */
export class ConnectionError extends KafketteError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super('CONNECTION', message, options)
    Error.stackTraceLimit = limit
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
