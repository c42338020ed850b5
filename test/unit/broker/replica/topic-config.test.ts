import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../../broker/config.ts'
import { topicConfigOf } from '../../../../broker/replica/topic-config.ts'

const REQUIRED = {
  'controller.listener.names': 'CONTROLLER',
  'node.id': '1',
  'process.roles': 'broker',
}

function configOf(properties: Record<string, string>, topic: Record<string, string> = {}) {
  const config = parseBrokerConfig({ ...REQUIRED, ...properties })
  return topicConfigOf(config, new Map(Object.entries(topic)))
}

describe('topicConfigOf', () => {
  it('has the defaults of Kafka', () => {
    expect(configOf({})).toEqual({
      minInsyncReplicas: 1,
      isUncleanLeaderElectionEnabled: false,
      log: {
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
      },
    })
  })

  it('knows the codec and its level, of the topic or else of the broker', () => {
    const compression = (properties: Record<string, string>, topic = {}): readonly unknown[] => {
      const { log } = configOf(properties, topic)
      return [log.compressionCodec, log.compressionLevel]
    }
    expect(compression({}, { 'compression.type': 'uncompressed' })).toEqual([0, null])
    expect(compression({ 'compression.type': 'gzip' })).toEqual([1, -1])
    const gzip = { 'compression.type': 'gzip', 'compression.gzip.level': '9' }
    expect(compression({ 'compression.type': 'snappy' }, gzip)).toEqual([1, 9])
    expect(compression({ 'compression.zstd.level': '7' }, { 'compression.type': 'zstd' })).toEqual([
      4, 7,
    ])
    expect(compression({ 'compression.type': 'lz4' }, { 'compression.type': 'producer' })).toEqual([
      null,
      null,
    ])
  })

  it('takes what is about cleaning, rolling and flushing from the topic before the broker', () => {
    const broker = {
      'log.roll.jitter.hours': '1',
      'log.cleaner.min.cleanable.ratio': '0.25',
      'log.cleaner.delete.retention.ms': '5',
      'log.flush.interval.messages': '100',
      'log.flush.scheduler.interval.ms': '700',
    }
    expect(configOf(broker).log).toMatchObject({
      segmentJitterMs: 3_600_000,
      minCleanableDirtyRatio: 0.25,
      deleteRetentionMs: 5,
      flushMessages: 100,
      flushMs: 700,
    })
    const topic = {
      'segment.jitter.ms': '9',
      'min.cleanable.dirty.ratio': '0.75',
      'delete.retention.ms': '6',
      'min.compaction.lag.ms': '7',
      'max.compaction.lag.ms': '8',
      'flush.messages': '1',
      'flush.ms': '2',
    }
    expect(configOf({ ...broker, 'log.roll.jitter.ms': '4' }).log.segmentJitterMs).toBe(4)
    expect(configOf(broker, topic).log).toMatchObject({
      segmentJitterMs: 9,
      minCleanableDirtyRatio: 0.75,
      deleteRetentionMs: 6,
      minCompactionLagMs: 7,
      maxCompactionLagMs: 8,
      flushMessages: 1,
      flushMs: 2,
    })
  })

  it('takes the broker synonym where the topic says nothing', () => {
    const { log, minInsyncReplicas } = configOf({
      'log.segment.bytes': '2097152',
      'message.max.bytes': '5000',
      'min.insync.replicas': '2',
      'log.cleanup.policy': 'compact,delete',
    })
    expect(log.segmentBytes).toBe(2_097_152)
    expect(log.maxMessageBytes).toBe(5000)
    expect(log.cleanupPolicy).toEqual(['compact', 'delete'])
    expect(minInsyncReplicas).toBe(2)
  })

  it('prefers the finer unit of time, and takes any negative retention as none', () => {
    expect(configOf({ 'log.retention.hours': '1' }).log.retentionMs).toBe(3_600_000)
    expect(
      configOf({ 'log.retention.hours': '1', 'log.retention.minutes': '2' }).log.retentionMs,
    ).toBe(120_000)
    expect(
      configOf({ 'log.retention.minutes': '2', 'log.retention.ms': '7' }).log.retentionMs,
    ).toBe(7)
    expect(configOf({ 'log.retention.hours': '-1' }).log.retentionMs).toBe(-1)
    expect(configOf({ 'log.roll.hours': '1' }).log.segmentMs).toBe(3_600_000)
    expect(configOf({ 'log.roll.hours': '1', 'log.roll.ms': '9' }).log.segmentMs).toBe(9)
  })

  it('lets the values of the topic win', () => {
    const config = configOf(
      { 'min.insync.replicas': '1' },
      {
        'min.insync.replicas': '2',
        'unclean.leader.election.enable': 'true',
        'cleanup.policy': 'compact',
        'retention.ms': '-1',
        'segment.bytes': '1048576',
        'message.timestamp.type': 'LogAppendTime',
        'message.timestamp.after.max.ms': '9223372036854775807',
      },
    )
    expect(config.minInsyncReplicas).toBe(2)
    expect(config.isUncleanLeaderElectionEnabled).toBe(true)
    expect(config.log).toMatchObject({
      cleanupPolicy: ['compact'],
      retentionMs: -1,
      segmentBytes: 1_048_576,
      messageTimestampType: 'LogAppendTime',
      messageTimestampAfterMaxMs: Infinity,
    })
  })

  it('takes internal.segment.bytes over segment.bytes, as tests of small segments need', () => {
    const { log } = configOf({}, { 'segment.bytes': '1048576', 'internal.segment.bytes': '200' })
    expect(log.segmentBytes).toBe(200)
  })

  it('leaves the default where a text cannot be read', () => {
    const { log } = configOf({}, { 'retention.ms': 'soon', 'segment.bytes': '' })
    expect(log.retentionMs).toBe(604_800_000)
    expect(log.segmentBytes).toBe(1_073_741_824)
  })
})
