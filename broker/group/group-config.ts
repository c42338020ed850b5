import type { Config } from '../../src/base/config-def.ts'

const MINUTE_MS = 60_000

/** The settings of the group coordinator; Kafka's names stand beside them. */
export interface GroupConfig {
  /** group.min.session.timeout.ms */
  readonly minSessionTimeoutMs: number
  /** group.max.session.timeout.ms */
  readonly maxSessionTimeoutMs: number
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number
  /** group.max.size: members of one group */
  readonly maxSize: number
  /** offset.metadata.max.bytes */
  readonly offsetMetadataMaxBytes: number
  /** offsets.retention.minutes */
  readonly offsetsRetentionMs: number
  /** offsets.retention.check.interval.ms */
  readonly offsetsRetentionCheckIntervalMs: number
  /** offsets.commit.timeout.ms */
  readonly offsetsCommitTimeoutMs: number
  /** offsets.load.buffer.size */
  readonly offsetsLoadBufferBytes: number
}

export const DEFAULT_GROUP_CONFIG: GroupConfig = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  maxSize: 2_147_483_647,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 10_080 * MINUTE_MS,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsCommitTimeoutMs: 5_000,
  offsetsLoadBufferBytes: 5_242_880,
}

/** Takes the group coordinator's settings out of a broker's. */
export function groupConfigFrom(config: Config): GroupConfig {
  return {
    minSessionTimeoutMs: config.int('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.int('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.int('group.initial.rebalance.delay.ms'),
    maxSize: config.int('group.max.size'),
    offsetMetadataMaxBytes: config.int('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.int('offsets.retention.minutes') * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config.long('offsets.retention.check.interval.ms'),
    offsetsCommitTimeoutMs: config.int('offsets.commit.timeout.ms'),
    offsetsLoadBufferBytes: config.int('offsets.load.buffer.size'),
  }
}
