import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Lookup } from './hosted-partitions.ts'
import type { Partition } from './partition.ts'

/** One entry of OffsetForLeaderEpoch. */
export interface EpochEntry {
  readonly topic: string
  readonly partition: number
  /** The leader epoch the asker believes in; -1: unchecked. */
  readonly currentLeaderEpoch: LeaderEpoch
  /** The epoch asked about. */
  readonly leaderEpoch: LeaderEpoch
}

export interface EpochResult {
  readonly topic: string
  readonly partition: number
  readonly error: ErrorCode
  /** The largest epoch known that is not above the one asked about; -1 when there is none. */
  readonly leaderEpoch: LeaderEpoch
  /** Where that epoch ends: the start of the next, or the log end; -1 when unknown. */
  readonly endOffset: Offset
}

/** Answers one entry of OffsetForLeaderEpoch; only the leader answers (KIP-101, KIP-279, KIP-320). */
export function lookUpEpoch(partition: Partition, entry: EpochEntry): EpochResult {
  const error = partition.accessError(entry.currentLeaderEpoch, true)
  if (error !== ErrorCode.NONE) return epochFailure(entry, error)
  const end = partition.log.endOffsetForEpoch(entry.leaderEpoch)
  return {
    topic: entry.topic,
    partition: entry.partition,
    error: ErrorCode.NONE,
    leaderEpoch: end.epoch,
    endOffset: end.endOffset,
  }
}

/** The answer for a partition that cannot be asked. */
export function epochFailure(entry: EpochEntry, error: ErrorCode): EpochResult {
  const { topic, partition } = entry
  return { topic, partition, error, leaderEpoch: -1, endOffset: -1 }
}

/** All entries of a request, in their order. */
export function lookUpEpochs(
  entries: readonly EpochEntry[],
  find: (topic: string, partition: number) => Lookup,
): readonly EpochResult[] {
  return entries.map((entry) => {
    const { partition, error } = find(entry.topic, entry.partition)
    return partition === null ? epochFailure(entry, error) : lookUpEpoch(partition, entry)
  })
}
