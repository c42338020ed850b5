import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { offsetAfter } from './batches.ts'
import {
  fetchFailure,
  NO_RECORDS,
  type FetchEntry,
  type FetchPartitionResult,
} from './fetch-result.ts'
import type { Partition } from './partition.ts'
import { throwStorageError } from './storage-failure.ts'

/** Who reads; it decides how far the log may be seen. */
export type PartitionReader =
  | { readonly kind: 'follower'; readonly brokerId: BrokerId; readonly brokerEpoch: number }
  | {
      readonly kind: 'consumer'
      readonly isCommittedOnly: boolean
      readonly needsLeader: boolean
      /** The follower that this consumer should read `partition` from instead; null: none (KIP-392). */
      readonly preferred: ((partition: Partition, fetchOffset: Offset) => BrokerId | null) | null
    }

export interface PartitionRead {
  readonly reader: PartitionReader
  readonly entry: FetchEntry
  readonly maxBytes: number
  /** The first batch is given even when it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
  /** Whether a follower's position counts: true on the first read of a request, false on the one after waiting. */
  readonly updatesFollower: boolean
}

/** The end of what `reader` may see: the log end, the high watermark or the last stable offset. */
export function visibleEnd(partition: Partition, reader: PartitionReader): Offset {
  const { log } = partition
  if (reader.kind === 'follower') return log.logEndOffset
  return reader.isCommittedOnly ? log.lastStableOffset : log.highWatermark
}

/**
 * Reads one partition for a Fetch (semantics of Kafka's Partition.fetchRecords): epoch and role checks,
 * divergence (truncation on fetch, as KIP-595 has it), range, bytes, and for a follower its position.
 * Throws `StorageFailure`.
 */
export function readPartition(partition: Partition, read: PartitionRead): FetchPartitionResult {
  const { entry, reader } = read
  const error = accessError(partition, read)
  if (error !== ErrorCode.NONE) {
    partition.tell('partition.fetch-refused', { errorCode: error, reader: reader.kind })
    return fetchFailure(entry, error, leaderOf(partition))
  }
  const { log } = partition
  const { fetchOffset } = entry
  const preferred = reader.kind === 'consumer' ? reader.preferred?.(partition, fetchOffset) : null
  if (typeof preferred === 'number') return answer(partition, { preferredReadReplica: preferred })
  const diverging = entry.lastFetchedEpoch === -1 ? null : divergence(partition, entry)
  const isOutside =
    fetchOffset < log.logStartOffset || (diverging === null && fetchOffset > log.logEndOffset)
  if (isOutside || diverging === 'unknown') {
    partition.tell('partition.fetch-out-of-range', { reader: reader.kind, fetchOffset })
    return answer(partition, { error: ErrorCode.OFFSET_OUT_OF_RANGE })
  }
  if (diverging !== null) {
    partition.tell('partition.fetch-diverging', { reader: reader.kind, fetchOffset, ...diverging })
    return answer(partition, { divergingEpoch: diverging })
  }
  const records = readRecords(partition, read)
  if (reader.kind === 'follower' && read.updatesFollower && entry.currentLeaderEpoch !== -1) {
    partition.onFollowerFetch({
      brokerId: reader.brokerId,
      brokerEpoch: reader.brokerEpoch,
      leaderEpoch: entry.currentLeaderEpoch,
      offset: fetchOffset,
      logStartOffset: entry.logStartOffset,
    })
  }
  const needsAborted = reader.kind === 'consumer' && reader.isCommittedOnly
  const abortedTransactions = needsAborted ? abortedIn(partition, fetchOffset, records) : null
  return answer(partition, { records, abortedTransactions })
}

/** Leader and epoch as this replica knows them. */
export function leaderOf(partition: Partition): FetchPartitionResult['currentLeader'] {
  return { leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch }
}

function accessError(partition: Partition, read: PartitionRead): ErrorCode {
  const { reader, entry } = read
  const needsLeader = reader.kind === 'follower' || reader.needsLeader
  const error = partition.accessError(entry.currentLeaderEpoch, needsLeader)
  if (error !== ErrorCode.NONE || reader.kind === 'consumer') return error
  const isAssigned = partition.leaderRole?.followers.has(reader.brokerId) === true
  if (!isAssigned) {
    // The follower may know of a newer assignment than this leader does: both errors make it try again.
    return entry.currentLeaderEpoch === -1
      ? ErrorCode.NOT_LEADER_OR_FOLLOWER
      : ErrorCode.UNKNOWN_LEADER_EPOCH
  }
  return partition.isFromPastLife(reader.brokerId, reader.brokerEpoch)
    ? ErrorCode.NOT_LEADER_OR_FOLLOWER
    : ErrorCode.NONE
}

/** Where the reader's log leaves the one here; null when it does not, `unknown` when it cannot be told. */
function divergence(
  partition: Partition,
  entry: FetchEntry,
): FetchPartitionResult['divergingEpoch'] | 'unknown' {
  const end = partition.log.endOffsetForEpoch(entry.lastFetchedEpoch)
  if (end.epoch === -1 || end.endOffset === -1) return 'unknown'
  const isDiverging = end.epoch < entry.lastFetchedEpoch || end.endOffset < entry.fetchOffset
  return isDiverging ? end : null
}

function readRecords(partition: Partition, request: PartitionRead): Buffer {
  const endOffset = visibleEnd(partition, request.reader)
  const offset = request.entry.fetchOffset
  if (offset >= endOffset) return NO_RECORDS
  const { maxBytes, minOneBatch } = request
  const { error, records } = partition.log.read({ offset, maxBytes, minOneBatch, endOffset })
  throwStorageError(error, partition.key)
  return records
}

function abortedIn(
  partition: Partition,
  from: Offset,
  records: Buffer,
): NonNullable<FetchPartitionResult['abortedTransactions']> {
  return records.length === 0 ? [] : partition.log.abortedTransactions(from, offsetAfter(records))
}

function answer(partition: Partition, given: Partial<FetchPartitionResult>): FetchPartitionResult {
  const { log } = partition
  return {
    topic: partition.topic,
    topicId: partition.topicId,
    partition: partition.partition,
    error: given.error ?? ErrorCode.NONE,
    highWatermark: given.highWatermark ?? log.highWatermark,
    lastStableOffset: given.lastStableOffset ?? log.lastStableOffset,
    logStartOffset: given.logStartOffset ?? log.logStartOffset,
    abortedTransactions: given.abortedTransactions ?? null,
    records: given.records ?? NO_RECORDS,
    divergingEpoch: given.divergingEpoch ?? null,
    currentLeader: given.currentLeader ?? leaderOf(partition),
    preferredReadReplica: given.preferredReadReplica ?? -1,
  }
}
