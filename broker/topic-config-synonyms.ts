/** The broker setting that gives each topic setting its default (Kafka's ServerTopicConfigSynonyms). */
const SYNONYMS: Readonly<Record<string, string>> = {
  'segment.bytes': 'log.segment.bytes',
  'segment.ms': 'log.roll.ms',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'local.retention.ms': 'log.local.retention.ms',
  'local.retention.bytes': 'log.local.retention.bytes',
  'max.message.bytes': 'message.max.bytes',
  'index.interval.bytes': 'log.index.interval.bytes',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'cleanup.policy': 'log.cleanup.policy',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
  'min.insync.replicas': 'min.insync.replicas',
  'compression.type': 'compression.type',
  'compression.gzip.level': 'compression.gzip.level',
  'compression.lz4.level': 'compression.lz4.level',
  'compression.zstd.level': 'compression.zstd.level',
  preallocate: 'log.preallocate',
  'message.timestamp.type': 'log.message.timestamp.type',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Broker settings of one meaning, the strongest first, with the milliseconds that their unit has. */
const GROUPS: readonly (readonly { readonly name: string; readonly unitMs: number }[])[] = [
  [
    { name: 'log.roll.ms', unitMs: 1 },
    { name: 'log.roll.hours', unitMs: HOUR_MS },
  ],
  [
    { name: 'log.roll.jitter.ms', unitMs: 1 },
    { name: 'log.roll.jitter.hours', unitMs: HOUR_MS },
  ],
  [
    { name: 'log.flush.interval.ms', unitMs: 1 },
    { name: 'log.flush.scheduler.interval.ms', unitMs: 1 },
  ],
  [
    { name: 'log.retention.ms', unitMs: 1 },
    { name: 'log.retention.minutes', unitMs: MINUTE_MS },
    { name: 'log.retention.hours', unitMs: HOUR_MS },
  ],
]

/** A broker setting that may stand for another; `unitMs` is null for a value that needs no conversion. */
export interface BrokerSynonym {
  readonly name: string
  readonly unitMs: number | null
}

/** The broker setting that stands behind a topic setting; null when there is none. */
export function brokerSettingOf(topicSetting: string): string | null {
  return SYNONYMS[topicSetting] ?? null
}

/** All broker settings that mean the same as this one, itself among them, the strongest first. */
export function brokerSynonymsOf(brokerSetting: string): readonly BrokerSynonym[] {
  const group = GROUPS.find((names) => names.some(({ name }) => name === brokerSetting))
  return group ?? [{ name: brokerSetting, unitMs: null }]
}
