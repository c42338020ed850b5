import type { Config } from '../../src/base/config-def.ts'
import { parseConfigValue, type ConfigType, type ConfigValue } from '../../src/base/config-value.ts'
import type { CodecId } from '../../src/wire/record-batch.ts'
import type { LogConfig } from '../log/log-config.ts'

/** The settings of one topic: the broker's defaults with the topic's own values over them. */
export interface TopicConfig {
  readonly log: LogConfig
  readonly minInsyncReplicas: number
  readonly isUncleanLeaderElectionEnabled: boolean
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/**
 * Reads the settings of a topic. `overrides` are the topic's own values under Kafka's topic names; what is
 * missing there comes from the broker's synonym (`segment.bytes` from `log.segment.bytes`). The controller
 * has checked the texts; one that cannot be read all the same leaves the default.
 */
export function topicConfigOf(config: Config, overrides: ReadonlyMap<string, string>): TopicConfig {
  const own = new Overrides(overrides)
  const segmentBytes = own.number('segment.bytes', 'int', config.int('log.segment.bytes'))
  const log: LogConfig = {
    segmentBytes: own.number('internal.segment.bytes', 'int', segmentBytes),
    segmentMs: own.number('segment.ms', 'long', rollMs(config)),
    segmentJitterMs: own.number('segment.jitter.ms', 'long', rollJitterMs(config)),
    indexIntervalBytes: own.number(
      'index.interval.bytes',
      'int',
      config.int('log.index.interval.bytes'),
    ),
    segmentIndexBytes: own.number(
      'segment.index.bytes',
      'int',
      config.int('log.index.size.max.bytes'),
    ),
    maxMessageBytes: own.number('max.message.bytes', 'int', config.int('message.max.bytes')),
    ...compressionOf(own, config),
    messageTimestampType: timestampType(
      own.string('message.timestamp.type', config.string('log.message.timestamp.type')),
    ),
    messageTimestampBeforeMaxMs: own.number(
      'message.timestamp.before.max.ms',
      'long',
      config.long('log.message.timestamp.before.max.ms'),
    ),
    messageTimestampAfterMaxMs: own.number(
      'message.timestamp.after.max.ms',
      'long',
      config.long('log.message.timestamp.after.max.ms'),
    ),
    cleanupPolicy: own.list('cleanup.policy', config.list('log.cleanup.policy')),
    retentionMs: own.number('retention.ms', 'long', retentionMs(config)),
    retentionBytes: own.number('retention.bytes', 'long', config.long('log.retention.bytes')),
    producerIdExpirationMs: config.int('producer.id.expiration.ms'),
    transactionVerificationEnabled: config.boolean('transaction.partition.verification.enable'),
    ...cleaningOf(own, config),
    ...flushingOf(own, config),
  }
  return {
    log,
    minInsyncReplicas: own.number('min.insync.replicas', 'int', config.int('min.insync.replicas')),
    isUncleanLeaderElectionEnabled: own.boolean(
      'unclean.leader.election.enable',
      config.boolean('unclean.leader.election.enable'),
    ),
  }
}

type CleaningSettings =
  | 'minCleanableDirtyRatio'
  | 'minCompactionLagMs'
  | 'maxCompactionLagMs'
  | 'deleteRetentionMs'

function cleaningOf(own: Overrides, config: Config): Pick<LogConfig, CleaningSettings> {
  const long = (name: string, brokerName: string): number =>
    own.number(name, 'long', config.long(brokerName))
  return {
    minCleanableDirtyRatio: own.number(
      'min.cleanable.dirty.ratio',
      'double',
      config.double('log.cleaner.min.cleanable.ratio'),
    ),
    minCompactionLagMs: long('min.compaction.lag.ms', 'log.cleaner.min.compaction.lag.ms'),
    maxCompactionLagMs: long('max.compaction.lag.ms', 'log.cleaner.max.compaction.lag.ms'),
    deleteRetentionMs: long('delete.retention.ms', 'log.cleaner.delete.retention.ms'),
  }
}

function flushingOf(own: Overrides, config: Config): Pick<LogConfig, 'flushMessages' | 'flushMs'> {
  const schedulerMs = config.long('log.flush.scheduler.interval.ms')
  const flushMs = config.nullableNumber('log.flush.interval.ms') ?? schedulerMs
  return {
    flushMessages: own.number('flush.messages', 'long', config.long('log.flush.interval.messages')),
    flushMs: own.number('flush.ms', 'long', flushMs),
  }
}

/** log.roll.jitter.ms, else log.roll.jitter.hours. */
function rollJitterMs(config: Config): number {
  const own = config.nullableNumber('log.roll.jitter.ms')
  return own ?? config.int('log.roll.jitter.hours') * HOUR_MS
}

/** log.roll.ms, else log.roll.hours. */
function rollMs(config: Config): number {
  return config.nullableNumber('log.roll.ms') ?? config.int('log.roll.hours') * HOUR_MS
}

/** log.retention.ms, else minutes, else hours; below zero is -1, without limit. */
function retentionMs(config: Config): number {
  const minutes = config.nullableNumber('log.retention.minutes')
  const retention =
    config.nullableNumber('log.retention.ms') ??
    (minutes === null ? config.int('log.retention.hours') * HOUR_MS : minutes * MINUTE_MS)
  return retention < 0 ? -1 : retention
}

function timestampType(text: string): LogConfig['messageTimestampType'] {
  return text === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime'
}

const CODECS: ReadonlyMap<string, CodecId> = new Map([
  ['uncompressed', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
])

function compressionOf(
  own: Overrides,
  config: Config,
): Pick<LogConfig, 'compressionCodec' | 'compressionLevel'> {
  const type = own.string('compression.type', config.string('compression.type'))
  const name = `compression.${type}.level`
  const hasLevel = type === 'gzip' || type === 'lz4' || type === 'zstd'
  return {
    compressionCodec: CODECS.get(type) ?? null,
    compressionLevel: hasLevel ? own.number(name, 'int', config.int(name)) : null,
  }
}

class Overrides {
  readonly #texts: ReadonlyMap<string, string>

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  number(name: string, type: 'int' | 'long' | 'double', fallback: number): number {
    const value = this.#value(name, type)
    return typeof value === 'number' ? value : fallback
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#value(name, 'boolean')
    return typeof value === 'boolean' ? value : fallback
  }

  string(name: string, fallback: string): string {
    const value = this.#value(name, 'string')
    return typeof value === 'string' ? value : fallback
  }

  list(name: string, fallback: readonly string[]): readonly string[] {
    const value = this.#value(name, 'list')
    return typeof value === 'object' && value !== null ? value : fallback
  }

  #value(name: string, type: ConfigType): ConfigValue {
    const text = this.#texts.get(name)
    if (text === undefined) return null
    const parsed = parseConfigValue(type, text)
    return 'value' in parsed ? parsed.value : null
  }
}
