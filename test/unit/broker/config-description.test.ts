// Values, sources and synonyms as Apache Kafka 4.3.1 gives them for the same properties.
import { describe, expect, it } from 'vitest'
import { BrokerConfigs } from '../../../broker/broker-configs.ts'
import {
  describeBroker,
  describeTopic,
  type DescribedConfig,
} from '../../../broker/config-description.ts'

const NODE = {
  'node.id': '1',
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
}
const TOPIC = 1
const STATIC = 4
const DEFAULT = 5

function ofTopic(
  name: string,
  properties: Record<string, string> = {},
  own: Record<string, string> = {},
): DescribedConfig {
  const config = new BrokerConfigs({ ...NODE, ...properties })
  return describeTopic(new Map(Object.entries(own)), config).find((each) => each.name === name)!
}

function ofBroker(name: string, properties: Record<string, string> = {}): DescribedConfig {
  const config = new BrokerConfigs({ ...NODE, ...properties })
  return describeBroker(config).find((each) => each.name === name)!
}

describe('describeTopic', () => {
  it("gives the broker's default under the broker's name of the setting", () => {
    expect(ofTopic('cleanup.policy')).toEqual({
      name: 'cleanup.policy',
      value: 'delete',
      readOnly: false,
      configSource: DEFAULT,
      isDefault: true,
      isSensitive: false,
      synonyms: [{ name: 'log.cleanup.policy', value: 'delete', source: DEFAULT }],
      configType: 7,
    })
  })

  it("puts the topic's own value before the broker's and the default", () => {
    const properties = { 'log.cleanup.policy': 'compact' }
    const { value, configSource, isDefault, synonyms } = ofTopic('cleanup.policy', properties, {
      'cleanup.policy': 'compact,delete',
    })
    expect([value, configSource, isDefault]).toEqual(['compact,delete', TOPIC, false])
    expect(synonyms).toEqual([
      { name: 'cleanup.policy', value: 'compact,delete', source: TOPIC },
      { name: 'log.cleanup.policy', value: 'compact', source: STATIC },
      { name: 'log.cleanup.policy', value: 'delete', source: DEFAULT },
    ])
  })

  it.each(['flush.ms', 'segment.ms', 'retention.ms', 'segment.jitter.ms'])(
    'has no synonym for %s, whose broker setting is null by default',
    (name) => {
      const { value, configSource, synonyms } = ofTopic(name)
      expect([configSource, synonyms]).toEqual([DEFAULT, []])
      expect(value).toMatch(/^\d+$/)
    },
  )

  it.each(['follower.replication.throttled.replicas', 'remote.storage.enable'])(
    'has no synonym for %s, which no broker setting gives',
    (name) => {
      expect(ofTopic(name)).toMatchObject({ configSource: DEFAULT, synonyms: [] })
    },
  )

  it('lists a setting given in both units, the stronger first', () => {
    const properties = { 'log.roll.ms': '123456', 'log.roll.hours': '3' }
    expect(ofTopic('segment.ms', properties)).toMatchObject({
      value: '123456',
      configSource: STATIC,
      synonyms: [
        { name: 'log.roll.ms', value: '123456', source: STATIC },
        { name: 'log.roll.hours', value: '3', source: STATIC },
        { name: 'log.roll.hours', value: '168', source: DEFAULT },
      ],
    })
  })

  it.each([
    [{ 'log.retention.minutes': '400', 'log.retention.hours': '5' }, 'retention.ms', '24000000'],
    [{ 'log.retention.hours': '5' }, 'retention.ms', '18000000'],
    [{ 'log.roll.hours': '3' }, 'segment.ms', '10800000'],
    [{ 'log.roll.jitter.hours': '1' }, 'segment.jitter.ms', '3600000'],
  ])('converts %j to %s=%s', (properties, name, value) => {
    expect(ofTopic(name, properties)).toMatchObject({ value, configSource: DEFAULT, synonyms: [] })
  })

  it('writes the largest long as Kafka does', () => {
    expect(ofTopic('max.compaction.lag.ms').value).toBe('9223372036854775807')
  })
})

describe('describeBroker', () => {
  it('gives what was set, then the default', () => {
    expect(ofBroker('log.retention.hours', { 'log.retention.hours': '5' })).toMatchObject({
      value: '5',
      readOnly: true,
      configSource: STATIC,
      synonyms: [
        { name: 'log.retention.hours', value: '5', source: STATIC },
        { name: 'log.retention.hours', value: '168', source: DEFAULT },
      ],
    })
  })

  it('lists no default that is null', () => {
    expect(ofBroker('broker.rack')).toMatchObject({ value: null, synonyms: [] })
    expect(ofBroker('broker.rack', { 'broker.rack': 'r' }).synonyms).toEqual([
      { name: 'broker.rack', value: 'r', source: STATIC },
    ])
  })

  it('shows settings that may stand for this one behind it, never before', () => {
    const properties = { 'log.retention.minutes': '400', 'log.retention.hours': '5' }
    expect(ofBroker('log.retention.minutes', properties).synonyms).toEqual([
      { name: 'log.retention.minutes', value: '400', source: STATIC },
      { name: 'log.retention.hours', value: '5', source: STATIC },
      { name: 'log.retention.hours', value: '168', source: DEFAULT },
    ])
    expect(ofBroker('log.retention.ms', properties)).toMatchObject({ value: null, synonyms: [] })
  })

  it('never shows a password', () => {
    const { value, isSensitive, synonyms } = ofBroker('ssl.key.password', {
      'ssl.key.password': 'secret',
    })
    expect([value, isSensitive]).toEqual([null, true])
    expect(synonyms.map((each) => each.value)).toEqual([null])
  })

  it('hides internal settings', () => {
    const names = describeBroker(new BrokerConfigs(NODE)).map(({ name }) => name)
    expect(names.length).toBeGreaterThan(300)
    expect(new Set(names).size).toBe(names.length)
  })
})
