import type { ProducerId } from '../../src/base/ids.ts'
import type { ErrorCode } from '../../src/wire/error-codes.ts'

/** Key and value as they stand in the log; a null value is a tombstone. */
export interface CoordinatorRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** Writes the records of an outcome as part of this producer's transaction. */
export interface TransactionalProducer {
  readonly producerId: ProducerId
  readonly producerEpoch: number
  /** Of the verification of its transaction; see `CoordinatorLog.append`. */
  readonly guard?: object | null
}

/** The end marker of a producer's transaction. */
export interface TransactionEnd {
  readonly producerId: ProducerId
  readonly producerEpoch: number
  readonly isCommit: boolean
  readonly coordinatorEpoch: number
  /** transaction.version that the transaction coordinator goes by. */
  readonly transactionVersion: number
}

/**
 * What an operation wants done. The runtime appends the records as one batch, replays them into the
 * shard, runs `onAppended`, and sends what is to be sent when all of it is committed.
 */
export interface Outcome<Answer> {
  readonly records: readonly CoordinatorRecord[]
  /** Left out when the shard keeps the request's `Reply` and answers later, or already has. */
  readonly answer?: Answer
  /** The answer tells nothing of uncommitted state, so it need not wait for the commit. */
  readonly leavesAtOnce?: boolean
  /** False allows the records to be spread over several batches. */
  readonly isAtomic?: boolean
  readonly producer?: TransactionalProducer
  /** Written instead of records. */
  readonly end?: TransactionEnd
  /** Runs after the replay, also when there are no records. */
  readonly onAppended?: () => void
  /**
   * Runs when nothing was appended, with the error a client would be told. An operation that keeps
   * its reply answers it here.
   */
  readonly onAppendFailed?: (error: ErrorCode) => void
  /**
   * The next operation, as a step of its own once all that is in the log now is committed. It waits as long as
   * this broker leads the partition, and never runs when it does not any more.
   */
  readonly onCommitted?: () => Outcome<never>
}

/** The way back to one waiting client. Answers at most once; later calls do nothing. */
export interface Reply<Answer> {
  /** Sends when everything in the log so far, this step's records included, is committed. */
  send(answer: Answer): void
  /** Sends the request's own form of an error in the same way, or at once if this step cannot write. */
  fail(error: ErrorCode): void
}

/** Nothing to write and nothing to answer. */
export const NO_OUTCOME: Outcome<never> = { records: [] }
