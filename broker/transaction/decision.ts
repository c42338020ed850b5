import type { ProducerId } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type ClientVersion,
  type ProducerIdentity,
  type Transaction,
} from './transaction.ts'

/** What a coordinator knows when it decides on a request. */
export interface Situation {
  /** Null for a transactional id that nobody has used, or that expired. */
  readonly transaction: Transaction | null
  /** Its newest record is not committed yet (Kafka's pending state). */
  readonly isPending: boolean
  /** A producer id of its own for this request, when an earlier look has found that it needs one. */
  readonly newProducerId: ProducerId | null
  /** Wall clock. */
  readonly nowMs: number
  /** The finalized transaction.version. */
  readonly level: number
}

/** What becomes of a request. */
export type Decision =
  /** `next` is written; then the request is answered. */
  | {
      readonly kind: 'written'
      readonly next: Transaction
      readonly error: ErrorCode
      readonly identity: ProducerIdentity
    }
  /** Nothing is to be written: an error, or what was done before. */
  | { readonly kind: 'answered'; readonly error: ErrorCode; readonly identity: ProducerIdentity }
  /** To be decided again with a new producer id. */
  | { readonly kind: 'needs-producer-id' }

export const NO_IDENTITY: ProducerIdentity = {
  producerId: NO_PRODUCER_ID,
  producerEpoch: NO_PRODUCER_EPOCH,
}

export function refused(error: ErrorCode): Decision {
  return { kind: 'answered', error, identity: NO_IDENTITY }
}

export function identityOf({ producerId, producerEpoch }: ProducerIdentity): ProducerIdentity {
  return { producerId, producerEpoch }
}

/** Protocol 2 needs a record that tells of it, which transaction.version 0 does not allow. */
export function canRecord(clientVersion: ClientVersion, level: number): boolean {
  return clientVersion === 0 || level > 0
}

/** `next` is written and answered with `identity`, or with an error that makes the client ask again. */
export function written(
  next: Transaction,
  identity: ProducerIdentity,
  error: ErrorCode = ErrorCode.NONE,
): Decision {
  return { kind: 'written', next, error, identity }
}
