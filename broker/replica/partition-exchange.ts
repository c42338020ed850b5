import type { BrokerId, LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { ErrorCode } from '../../src/wire/error-codes.ts'
import type { AppendResult, LeaderAppendOptions } from '../log/partition-log.ts'

/** What the log is told of the transaction of an append. */
export type AppendedTransaction = Pick<LeaderAppendOptions, 'guard' | 'transactionVersion'>

/** What a refused append carries besides its error. */
export type Appended =
  | { readonly error: typeof ErrorCode.NONE; readonly result: AppendResult }
  | { readonly error: ErrorCode; readonly result: AppendResult | null }

/** The controller's answer to a proposal. */
export interface IsrAnswer {
  readonly error: ErrorCode
  readonly leaderEpoch: LeaderEpoch
  readonly isr: readonly BrokerId[]
  readonly partitionEpoch: number
}

/** A follower's fetch that passed all checks. */
export interface AcceptedFetch {
  readonly brokerId: BrokerId
  readonly brokerEpoch: number
  /** That the follower is in; the leader's own, or the fetch was not accepted. */
  readonly leaderEpoch: LeaderEpoch
  readonly offset: Offset
  readonly logStartOffset: Offset
}

/** One partition's part of a fetch answer, as the follower takes it in. */
export interface FetchedData {
  readonly leaderEpoch: LeaderEpoch
  readonly records: Buffer | null
  readonly highWatermark: Offset
  readonly logStartOffset: Offset
}
