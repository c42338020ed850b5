import type { CodecId } from '../../src/wire/record-batch.ts'

/**
 * The settings of one partition's log, under Kafka's topic names in camel case. Sizes in bytes,
 * times in ms.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
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
}

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
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
}
