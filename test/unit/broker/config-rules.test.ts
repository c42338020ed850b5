// Refusals of settings of topics, groups and client metrics, in the words of Apache Kafka 4.3.1.
import { describe, expect, it } from 'vitest'
import { BrokerConfigs } from '../../../broker/broker-configs.ts'
import { configRules } from '../../../broker/config-rules.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'

const [TOPIC, CLIENT_METRICS, GROUP] = [2, 16, 32]
const configs = new BrokerConfigs({
  'node.id': '1',
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
})
const rules = configRules(configs.live, configs)

function problemWith(type: number, values: Readonly<Record<string, string>>) {
  return rules.problemWith(type, new Map(Object.entries(values)))
}

describe('what cannot be set', () => {
  it.each([
    [TOPIC, 'foo', 'x', 'Unknown topic config name: foo'],
    [
      TOPIC,
      'retention.ms',
      '-5',
      'Invalid value -5 for configuration retention.ms: Value must be at least -1',
    ],
    [
      TOPIC,
      'min.cleanable.dirty.ratio',
      '2',
      'Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1',
    ],
    [
      TOPIC,
      'cleanup.policy',
      'delete,foo',
      'Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete',
    ],
    [
      TOPIC,
      'preallocate',
      'maybe',
      'Invalid value maybe for configuration preallocate: Expected value to be either true or false',
    ],
    [
      TOPIC,
      'compression.gzip.level',
      '0',
      'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
    ],
    [
      TOPIC,
      'leader.replication.throttled.replicas',
      'x',
      "Invalid value [x] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
    ],
    [
      TOPIC,
      'remote.storage.enable',
      'true',
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    ],
    [GROUP, 'foo', 'x', 'Unknown group config name: foo'],
    [
      GROUP,
      'consumer.session.timeout.ms',
      '5',
      'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      GROUP,
      'share.record.lock.duration.ms',
      '90000',
      'share.record.lock.duration.ms must be less than or equal to group.share.max.record.lock.duration.ms',
    ],
    [
      GROUP,
      'streams.num.standby.replicas',
      '5',
      'streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas',
    ],
    [
      GROUP,
      'share.auto.offset.reset',
      'by_duration:xx',
      "Invalid value by_duration:xx for configuration share.auto.offset.reset: Invalid value `by_duration:xx` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
    ],
    [CLIENT_METRICS, 'match', 'x', 'Illegal client matching pattern: x'],
    [CLIENT_METRICS, 'match', 'client_id=(', 'Illegal client matching pattern: client_id=('],
    [
      CLIENT_METRICS,
      'interval.ms',
      'x',
      'Invalid value x for configuration interval.ms: Not a number of type INT',
    ],
  ])('of type %i: %s=%s', (type, name, value, message) => {
    expect(problemWith(type, { [name]: value })).toEqual({
      errorCode: ErrorCode.INVALID_CONFIG,
      message,
    })
  })

  it('is told as a bad request where Kafka does so', () => {
    expect(problemWith(CLIENT_METRICS, { foo: 'x' })).toEqual({
      errorCode: ErrorCode.INVALID_REQUEST,
      message: 'Unknown client metrics configuration: foo',
    })
    expect(problemWith(CLIENT_METRICS, { 'interval.ms': '1' })).toEqual({
      errorCode: ErrorCode.INVALID_REQUEST,
      message: 'Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
    })
  })

  it('includes values that contradict each other', () => {
    const lags = { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }
    expect(problemWith(TOPIC, lags)?.message).toBe(
      'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
    )
  })
})

describe('what can be set', () => {
  it.each([
    [TOPIC, { 'cleanup.policy': '', 'leader.replication.throttled.replicas': '0:1,1:2' }],
    [TOPIC, { 'follower.replication.throttled.replicas': '*' }],
    [
      GROUP,
      { 'consumer.session.timeout.ms': '50000', 'share.auto.offset.reset': 'by_duration:PT1H' },
    ],
    [
      CLIENT_METRICS,
      { 'interval.ms': '100', match: 'client_id=x.*,client_source_port=9.*', metrics: '*' },
    ],
  ])('of type %i: %j', (type, values) => {
    expect(problemWith(type, values)).toBeNull()
  })
})
