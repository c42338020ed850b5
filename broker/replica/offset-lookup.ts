import type { BrokerId, LeaderEpoch, Offset, TimestampMs } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Lookup } from './hosted-partitions.ts'
import type { Partition } from './partition.ts'

const CONSUMER_ID = -1
const DEBUGGING_REPLICA_ID = -2
const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1
/** OFFSET_NOT_AVAILABLE is understood from this version on; LEADER_NOT_AVAILABLE stands for it before. */
const OFFSET_NOT_AVAILABLE_VERSION = 5

/** Timestamps of ListOffsets with a meaning of their own, and the version each came with. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
const SPECIAL_SINCE: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

/** A ListOffsets request. */
export interface ListOffsetsInput {
  /** A broker id, -1 for a client, -2 for a debugging tool. */
  readonly replicaId: BrokerId
  /** 0 read_uncommitted, 1 read_committed. */
  readonly isolationLevel: number
  readonly version: number
  readonly entries: readonly ListOffsetsEntry[]
}

export interface ListOffsetsEntry {
  readonly topic: string
  readonly partition: number
  /** -1: unchecked. */
  readonly currentLeaderEpoch: LeaderEpoch
  /** Milliseconds, or one of Kafka's special values below zero. */
  readonly timestamp: TimestampMs
}

export interface ListOffsetsResult {
  readonly topic: string
  readonly partition: number
  readonly error: ErrorCode
  readonly timestamp: TimestampMs
  /** -1: there is no such record. */
  readonly offset: Offset
  readonly leaderEpoch: LeaderEpoch
}

interface Found {
  readonly offset: Offset
  readonly timestampMs: TimestampMs
  readonly leaderEpoch: LeaderEpoch
}

const NOTHING: Found = { offset: -1, timestampMs: -1, leaderEpoch: -1 }

/**
 * Answers one entry of ListOffsets. A client is told of an offset only below what it may fetch. While the
 * high watermark of a new leader lags behind the start of its epoch, "latest" is not answered to clients:
 * it could go back (KIP-207).
 */
export function lookUpOffset(
  partition: Partition,
  entry: ListOffsetsEntry,
  input: Pick<ListOffsetsInput, 'replicaId' | 'isolationLevel' | 'version'>,
): ListOffsetsResult {
  if (input.isolationLevel !== READ_UNCOMMITTED && input.isolationLevel !== READ_COMMITTED) {
    return offsetFailure(entry, ErrorCode.UNKNOWN_SERVER_ERROR)
  }
  const since = entry.timestamp < 0 ? SPECIAL_SINCE.get(entry.timestamp) : 1
  if (since === undefined || input.version < since) {
    return offsetFailure(entry, ErrorCode.UNSUPPORTED_VERSION)
  }
  const needsLeader = input.replicaId !== DEBUGGING_REPLICA_ID
  const error = partition.accessError(entry.currentLeaderEpoch, needsLeader)
  if (error !== ErrorCode.NONE) {
    partition.tell('partition.lookup-refused', { errorCode: error })
    return offsetFailure(entry, error)
  }
  const found = find(partition, entry.timestamp, input)
  if (found === 'not-available') {
    partition.tell('partition.end-withheld', { highWatermark: partition.log.highWatermark })
    const isUnderstood = input.version >= OFFSET_NOT_AVAILABLE_VERSION
    return offsetFailure(
      entry,
      isUnderstood ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.LEADER_NOT_AVAILABLE,
    )
  }
  return {
    topic: entry.topic,
    partition: entry.partition,
    error: ErrorCode.NONE,
    timestamp: found.timestampMs,
    offset: found.offset,
    leaderEpoch: found.leaderEpoch,
  }
}

/** The answer for a partition that cannot be asked. */
export function offsetFailure(
  entry: Pick<ListOffsetsEntry, 'topic' | 'partition'>,
  error: ErrorCode,
): ListOffsetsResult {
  const { topic, partition } = entry
  return { topic, partition, error, timestamp: -1, offset: -1, leaderEpoch: -1 }
}

function find(
  partition: Partition,
  timestamp: TimestampMs,
  input: Pick<ListOffsetsInput, 'replicaId' | 'isolationLevel'>,
): Found | 'not-available' {
  const { log } = partition
  const isClient = input.replicaId === CONSUMER_ID
  const end = isClient ? clientEnd(partition, input.isolationLevel) : log.logEndOffset
  const isLagging = isClient && (partition.leaderRole?.epochStartOffset ?? -1) > log.highWatermark
  switch (timestamp) {
    case LATEST:
      if (isLagging) return 'not-available'
      return { offset: end, timestampMs: -1, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL: {
      const offset = log.logStartOffset
      return { offset, timestampMs: -1, leaderEpoch: log.epochAt(offset) }
    }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING
    default: {
      const found =
        timestamp === MAX_TIMESTAMP
          ? (log.maxTimestamp() ?? firstOf(partition))
          : log.findOffsetByTimestamp(timestamp, log.logEndOffset)
      if (found !== null && found.offset >= 0 && found.offset < end) return found
      return isLagging ? 'not-available' : NOTHING
    }
  }
}

/** Where no record has a time, the first of them has the largest. */
function firstOf({ log }: Partition): Found | null {
  const offset = log.logStartOffset
  if (offset >= log.logEndOffset) return null
  return { offset, timestampMs: -1, leaderEpoch: log.epochAt(offset) }
}

function clientEnd(partition: Partition, isolationLevel: number): Offset {
  const { log } = partition
  return isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark
}

/** All entries of a request, in their order; a partition listed twice is INVALID_REQUEST. */
export function lookUpOffsets(
  input: ListOffsetsInput,
  find: (topic: string, partition: number) => Lookup,
): readonly ListOffsetsResult[] {
  const counts = new Map<string, number>()
  for (const { topic, partition } of input.entries) {
    const key = topicPartitionKey(topic, partition)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return input.entries.map((entry) => {
    const isRepeated = (counts.get(topicPartitionKey(entry.topic, entry.partition)) ?? 0) > 1
    if (isRepeated) return offsetFailure(entry, ErrorCode.INVALID_REQUEST)
    const { partition, error } = find(entry.topic, entry.partition)
    return partition === null ? offsetFailure(entry, error) : lookUpOffset(partition, entry, input)
  })
}
