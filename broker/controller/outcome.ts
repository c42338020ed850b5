import type { Offset } from '../../src/base/ids.ts'
import type { EventField } from '../../src/ports/events.ts'
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'

/** Kafka's limit of one atomic batch; an operation that needs more is refused with POLICY_VIOLATION. */
export const MAX_RECORDS_PER_BATCH = 10_000
/** Kafka's words for that refusal. */
export const BATCH_TOO_LARGE = 'Unable to perform excessively large batch operation.'

/** An event to be told once the records it speaks of are committed. */
export interface PendingEvent {
  readonly kind: string
  readonly fields: Readonly<Record<string, EventField>>
}

/** What an operation wants done: records to append as one batch, and the answer for when they are committed. */
export interface Outcome<Response> {
  readonly records: readonly MetadataRecord[]
  readonly response: Input<Response>
  readonly events?: readonly PendingEvent[]
  /** Soft state that depends on where the log now ends; called right after the append. */
  readonly onAppended?: (lastOffset: Offset) => void
}

/** Why a part of a request was refused, in the two fields that most responses have. */
export interface ApiError {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export const NO_ERROR: ApiError = { errorCode: ErrorCode.NONE, errorMessage: null }

/** Without `message` the text is that of the error code. */
export function apiError(errorCode: ErrorCode, message?: string): ApiError {
  return { errorCode, errorMessage: message ?? errorMessage(errorCode) }
}
