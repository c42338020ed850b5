import type { CodecId } from '../../src/wire/record-batch.ts'

/**
 * The settings of one partition's log, under Kafka's topic names in camel case. Sizes in bytes,
 * times in ms.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** A segment is rolled up to so much earlier, drawn anew for each. */
  readonly segmentJitterMs: number
  readonly indexIntervalBytes: number
  readonly segmentIndexBytes: number
  readonly maxMessageBytes: number
  /** compression.type: what clients send is stored in this codec; null: as it came. */
  readonly compressionCodec: CodecId | null
  /** compression.*.level of that codec; null: its default. */
  readonly compressionLevel: number | null
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  /** `delete`, `compact`, both or (Kafka 4.x) none. */
  readonly cleanupPolicy: readonly string[]
  /** -1: no limit. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
  readonly producerIdExpirationMs: number
  /** transaction.partition.verification.enable. */
  readonly transactionVerificationEnabled: boolean
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  /** How long tombstones and markers stay after the first compaction. */
  readonly deleteRetentionMs: number
  /** A flush after so many records that are not synced. */
  readonly flushMessages: number
  /** A flush after so long with records that are not synced, looked at by the flush scheduler. */
  readonly flushMs: number
}

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  indexIntervalBytes: 4096,
  segmentIndexBytes: 10_485_760,
  maxMessageBytes: 1_048_588,
  compressionCodec: null,
  compressionLevel: null,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Infinity,
  messageTimestampAfterMaxMs: 3_600_000,
  cleanupPolicy: ['delete'],
  retentionMs: 604_800_000,
  retentionBytes: -1,
  producerIdExpirationMs: 86_400_000,
  transactionVerificationEnabled: true,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
  deleteRetentionMs: 86_400_000,
  flushMessages: Infinity,
  flushMs: Infinity,
}
