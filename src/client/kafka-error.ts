import { ConnectionError, KafketteError, TimeoutError } from '../base/errors.ts'
import { ErrorCode, errorMessage, errorName, isRetriable } from '../wire/error-codes.ts'

/** After these a topic's leaders are looked up again (Java's InvalidMetadataException). */
const NEEDS_METADATA: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.LISTENER_NOT_FOUND,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

/** After these a group's coordinator is looked up again. */
const NEEDS_COORDINATOR: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

/**
 * An error code that a broker answered. `code` is its name (`NOT_LEADER_OR_FOLLOWER`), `errorCode` its number.
 */
export class KafkaError extends KafketteError {
  readonly errorCode: number

  constructor(errorCode: number, detail?: string | null, options?: { readonly cause?: unknown }) {
    const text = detail ?? errorMessage(errorCode)
    super(errorName(errorCode), text === '' ? errorName(errorCode) : text, options)
    this.errorCode = errorCode
  }

  get isRetriable(): boolean {
    return isRetriable(this.errorCode)
  }
}

/** Asked of a broker that does not serve it in any version that we speak, or not in the one that is needed. */
export class UnsupportedVersionError extends KafkaError {
  constructor(message: string) {
    super(ErrorCode.UNSUPPORTED_VERSION, message)
  }
}

/** True for what may go well on another try: retriable codes, lost connections, missing answers. */
export function isRetriableError(error: Error): boolean {
  if (error instanceof KafkaError) return error.isRetriable
  return error instanceof ConnectionError || error instanceof TimeoutError
}

export function needsMetadata(errorCode: number): boolean {
  return NEEDS_METADATA.has(errorCode)
}

export function needsCoordinator(errorCode: number): boolean {
  return NEEDS_COORDINATOR.has(errorCode)
}

/** The first error among results, one that a retry does not help before the others. */
export function firstProblem(
  results: readonly { readonly errorCode: number; readonly errorMessage?: string | null }[],
): KafkaError | null {
  const errors = results
    .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
    .map(({ errorCode, errorMessage }) => new KafkaError(errorCode, errorMessage))
  return errors.find((error) => !error.isRetriable) ?? errors[0] ?? null
}
