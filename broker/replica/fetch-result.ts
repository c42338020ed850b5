import type { BrokerId, LeaderEpoch, Offset, ProducerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { ErrorCode } from '../../src/wire/error-codes.ts'

/** A Fetch request as the replication layer sees it; the same for all versions. */
export interface FetchInput {
  /** The follower's broker id; -1 for a consumer. */
  readonly replicaId: BrokerId
  /** Epoch of the follower's registration; -1 when the request has none. */
  readonly replicaEpoch: number
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** 0 read_uncommitted, 1 read_committed. */
  readonly isolationLevel: number
  /** Of the request: consumers may read from followers at 11 and above only. */
  readonly version: number
  readonly clientId: string | null
  /** client.rack of a consumer; '' when it has none. */
  readonly rackId: string
  /** Where the request came in: a consumer is sent only to brokers that have this listener. */
  readonly listenerName: string
  readonly entries: readonly FetchEntry[]
}

export interface FetchEntry {
  readonly topic: string
  /** `ZERO_UUID` when the request names topics. */
  readonly topicId: Uuid
  readonly partition: number
  /** -1: unchecked. */
  readonly currentLeaderEpoch: LeaderEpoch
  readonly fetchOffset: Offset
  /** -1: no check for divergence. */
  readonly lastFetchedEpoch: LeaderEpoch
  /** Log start of a follower; -1 for a consumer. */
  readonly logStartOffset: Offset
  readonly maxBytes: number
}

/** One partition of a Fetch answer. Offsets are -1 where they are not known, as in Kafka's error answers. */
export interface FetchPartitionResult {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
  readonly error: ErrorCode
  readonly highWatermark: Offset
  readonly lastStableOffset: Offset
  readonly logStartOffset: Offset
  /** Null for read_uncommitted and for followers. */
  readonly abortedTransactions:
    | readonly { readonly producerId: ProducerId; readonly firstOffset: Offset }[]
    | null
  /** Whole batches; empty when there is nothing to read or an error. */
  readonly records: Buffer
  readonly divergingEpoch: { readonly epoch: LeaderEpoch; readonly endOffset: Offset } | null
  /** Known to this broker; -1 and -1 when it hosts no such partition. */
  readonly currentLeader: { readonly leaderId: BrokerId; readonly leaderEpoch: LeaderEpoch }
  readonly preferredReadReplica: BrokerId
}

export const NO_RECORDS = Buffer.alloc(0)
export const UNKNOWN_LEADER = { leaderId: -1, leaderEpoch: -1 } as const

/** The answer for a partition that cannot be read. */
export function fetchFailure(
  entry: Pick<FetchEntry, 'topic' | 'topicId' | 'partition'>,
  error: ErrorCode,
  currentLeader: FetchPartitionResult['currentLeader'] = UNKNOWN_LEADER,
): FetchPartitionResult {
  return {
    topic: entry.topic,
    topicId: entry.topicId,
    partition: entry.partition,
    error,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    records: NO_RECORDS,
    divergingEpoch: null,
    currentLeader,
    preferredReadReplica: -1,
  }
}
