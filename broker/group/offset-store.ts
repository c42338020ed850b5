import type { Offset, ProducerId, TimestampMs } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { OffsetCommitValue } from '../../src/wire/records/group-coordinator.ts'

const NO_PRODUCER_ID = -1

/** A committed offset. */
export interface CommittedOffset {
  readonly offset: Offset
  /** -1 when the client did not tell. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: TimestampMs
  /** When the client's own retention ends, -1 without one. */
  readonly expireTimestampMs: TimestampMs
  readonly topicId: Uuid
  /** Where the commit stands in the log. */
  readonly recordOffset: Offset
}

export type PartitionOffsets = ReadonlyMap<number, CommittedOffset>
export type TopicOffsets = ReadonlyMap<string, PartitionOffsets>

/** Offsets by group, topic and partition. Empty maps are not kept. */
class OffsetTable {
  readonly groups = new Map<string, Map<string, Map<number, CommittedOffset>>>()

  get(groupId: string, topic: string, partition: number): CommittedOffset | null {
    return this.groups.get(groupId)?.get(topic)?.get(partition) ?? null
  }

  put(groupId: string, topic: string, partition: number, offset: CommittedOffset): void {
    const topics = this.groups.get(groupId) ?? new Map<string, Map<number, CommittedOffset>>()
    const partitions = topics.get(topic) ?? new Map<number, CommittedOffset>()
    partitions.set(partition, offset)
    topics.set(topic, partitions)
    this.groups.set(groupId, topics)
  }

  delete(groupId: string, topic: string, partition: number): void {
    const topics = this.groups.get(groupId)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    partitions.delete(partition)
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.groups.delete(groupId)
  }
}

const NO_OFFSETS: TopicOffsets = new Map()

/**
 * All committed offsets of one partition of `__consumer_offsets`, and those of open transactions,
 * which count when the end marker arrives. Changed by replay only.
 */
export class OffsetStore {
  readonly #committed = new OffsetTable()
  readonly #pending = new Map<ProducerId, OffsetTable>()

  get groupIds(): Iterable<string> {
    return this.#committed.groups.keys()
  }

  get(groupId: string, topic: string, partition: number): CommittedOffset | null {
    return this.#committed.get(groupId, topic, partition)
  }

  topicsOf(groupId: string): TopicOffsets {
    return this.#committed.groups.get(groupId) ?? NO_OFFSETS
  }

  /** Offsets of open transactions by producer and group. */
  pending(): readonly (readonly [ProducerId, ReadonlyMap<string, TopicOffsets>])[] {
    return [...this.#pending].map(([producerId, { groups }]) => [producerId, groups] as const)
  }

  /** An open transaction holds a commit of this partition. */
  isPending(groupId: string, topic: string, partition: number): boolean {
    for (const table of this.#pending.values()) {
      if (table.get(groupId, topic, partition) !== null) return true
    }
    return false
  }

  /** Offsets of open transactions, by topic; a partition may appear once per producer. */
  pendingTopicsOf(groupId: string): readonly TopicOffsets[] {
    return [...this.#pending.values()].flatMap((table) => table.groups.get(groupId) ?? [])
  }

  replayCommit(
    groupId: string,
    topic: string,
    partition: number,
    offset: CommittedOffset,
    producerId: ProducerId,
  ): void {
    if (producerId === NO_PRODUCER_ID) {
      this.#committed.put(groupId, topic, partition, offset)
      return
    }
    const table = this.#pending.get(producerId) ?? new OffsetTable()
    table.put(groupId, topic, partition, offset)
    this.#pending.set(producerId, table)
  }

  /** A tombstone drops the offset and what open transactions hold of it. */
  replayDelete(groupId: string, topic: string, partition: number): void {
    this.#committed.delete(groupId, topic, partition)
    for (const table of this.#pending.values()) table.delete(groupId, topic, partition)
  }

  /** The later record wins, so a commit made after the transactional one stays. */
  replayTransactionEnd(producerId: ProducerId, isCommitted: boolean): void {
    const table = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (table === undefined || !isCommitted) return
    for (const [groupId, topics] of table.groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) {
          const current = this.#committed.get(groupId, topic, partition)
          if (current !== null && current.recordOffset > offset.recordOffset) continue
          this.#committed.put(groupId, topic, partition, offset)
        }
      }
    }
  }
}

export function committedOffsetOf(value: OffsetCommitValue, recordOffset: Offset): CommittedOffset {
  return {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestampMs: value.commitTimestamp,
    expireTimestampMs: value.expireTimestamp,
    topicId: value.topicId,
    recordOffset,
  }
}
