import type { LeaderEpoch, Offset, TimestampMs } from '../base/ids.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { RecordHeader } from '../wire/record-batch.ts'

/** A record as it was read. Key and value share memory with the fetched batch. */
export interface ConsumerRecord extends TopicPartition {
  readonly offset: Offset
  readonly timestampMs: TimestampMs
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly leaderEpoch: LeaderEpoch
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}
