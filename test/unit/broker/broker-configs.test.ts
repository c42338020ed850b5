// What may change of a running broker, and the words of refusals, as Apache Kafka 4.3.1 has them.
import { describe, expect, it } from 'vitest'
import { BrokerConfigs } from '../../../broker/broker-configs.ts'
import { describeBroker, describeClusterDefault } from '../../../broker/config-description.ts'
import { isDynamic } from '../../../broker/dynamic-config-rules.ts'
import { brokerConfigDef } from '../../../broker/config.ts'
import { DeltaBuilder } from '../../../broker/metadata/delta.ts'
import { MetadataImage } from '../../../broker/metadata/image.ts'
import { metadataRecord } from '../../../src/wire/metadata-record.ts'

const NODE = {
  'node.id': '1',
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'num.io.threads': '6',
}
const BROKER = 4

class Bench {
  readonly configs = new BrokerConfigs(NODE)
  readonly #image = new MetadataImage()

  /** A null value removes the setting. */
  set(resourceName: string, name: string, value: string | null): boolean {
    const changes = new DeltaBuilder()
    const data = { resourceType: BROKER, resourceName, name, value }
    this.#image.apply(metadataRecord('ConfigRecord', data), undefined, undefined, changes)
    return this.configs.apply(changes.build(0, 0), this.#image)
  }

  described(name: string) {
    return describeBroker(this.configs).find((each) => each.name === name)
  }
}

describe('the settings of a running broker', () => {
  it('are those of its file, then of all brokers, then its own; removals undo them', () => {
    const bench = new Bench()
    const { live } = bench.configs
    const seen = [live.int('num.io.threads')]
    for (const [name, value] of [
      ['', '7'],
      ['1', '8'],
      ['2', '9'],
      ['', null],
      ['1', null],
    ] as const) {
      bench.set(name, 'num.io.threads', value)
      seen.push(live.int('num.io.threads'))
    }
    expect(seen).toEqual([6, 7, 8, 8, 8, 6])
  })

  it('do not change by what is for other brokers, cannot be used, or may not change', () => {
    const bench = new Bench()
    expect(bench.set('2', 'num.io.threads', '9')).toBe(false)
    bench.set('1', 'num.io.threads', 'many')
    bench.set('1', 'broker.rack', 'r')
    bench.set('', 'listeners', 'PLAINTEXT://:1')
    const { live } = bench.configs
    expect(live.int('num.io.threads')).toBe(6)
    expect(live.nullableString('broker.rack')).toBeNull()
    expect(live.isSet('listeners')).toBe(false)
  })

  it('are told with all their sources', () => {
    const bench = new Bench()
    bench.set('', 'num.io.threads', '7')
    bench.set('1', 'num.io.threads', '8')
    const synonym = (value: string, source: number) => ({ name: 'num.io.threads', value, source })
    expect(bench.described('num.io.threads')).toMatchObject({
      value: '8',
      readOnly: false,
      configSource: 2,
      synonyms: [synonym('8', 2), synonym('7', 3), synonym('6', 4), synonym('8', 5)],
    })
    expect(bench.described('node.id')).toMatchObject({ readOnly: true, configSource: 4 })
    expect(describeClusterDefault(bench.configs)).toMatchObject([
      { name: 'num.io.threads', value: '7', configSource: 3, synonyms: [synonym('7', 3)] },
    ])
  })

  it('never show a password or what no setting has', () => {
    const bench = new Bench()
    bench.set('1', 'listener.name.x.ssl.keystore.password', 'secret')
    bench.set('1', 'foo.bar', 'secret')
    for (const [name, readOnly, configType] of [
      ['listener.name.x.ssl.keystore.password', false, 9],
      ['foo.bar', true, 0],
    ] as const) {
      expect(bench.described(name)).toMatchObject({
        value: null,
        isSensitive: true,
        configSource: 2,
        readOnly,
        configType,
        synonyms: [{ name, value: null, source: 2 }],
      })
    }
  })
})

describe('a change of broker settings', () => {
  const dynamic = (problem: string) =>
    `Invalid value org.apache.kafka.common.config.ConfigException: ${problem} for configuration Invalid dynamic configuration`

  it.each([
    ['1', { 'broker.rack': 'x' }, 'Cannot update these configs dynamically: [broker.rack]'],
    [
      '1',
      { 'ssl.keystore.password': 'x' },
      'These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.password]',
    ],
    [
      '',
      { listeners: 'PLAINTEXT://:1' },
      'Cannot update these configs at default cluster level, broker id must be specified: [listeners]',
    ],
    [
      '1',
      { 'num.io.threads': 'abc' },
      'Invalid value abc for configuration num.io.threads: Not a number of type INT',
    ],
    [
      '1',
      { 'num.io.threads': '13' },
      dynamic(
        'Dynamic thread count update validation failed for num.io.threads=13, value should not be greater than double the current value 6',
      ),
    ],
    [
      '1',
      { 'num.io.threads': '2' },
      dynamic(
        'Dynamic thread count update validation failed for num.io.threads=2, value should be at least half the current value 6',
      ),
    ],
    [
      '1',
      { 'log.cleaner.threads': '3' },
      dynamic('Log cleaner threads cannot be increased to more than double the current value 1'),
    ],
    [
      '1',
      { 'log.roll.ms': '0' },
      'requirement failed: log.roll.ms must be greater than or equal to 1',
    ],
    [
      '1',
      { 'log.retention.ms': '0' },
      'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1',
    ],
    [
      '1',
      { 'log.cleaner.dedupe.buffer.size': '1000' },
      'requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
    ],
  ])('of "%s" is refused: %j', (name, values, problem) => {
    const { configs } = new Bench()
    expect(configs.problemWith(new Map(Object.entries(values)), name !== '')).toBe(problem)
  })

  it.each([
    ['1', { 'num.io.threads': '12', 'log.retention.ms': '-1' }],
    ['1', { 'listener.name.x.ssl.keystore.password': 'x', listeners: 'PLAINTEXT://:1' }],
    ['', { 'foo.bar': 'x', 'log.cleanup.policy': 'compact' }],
  ])('of "%s" is accepted: %j', (name, values) => {
    const { configs } = new Bench()
    expect(configs.problemWith(new Map(Object.entries(values)), name !== '')).toBeNull()
  })

  it('can be made to every dynamic setting that the table has, and to no other', () => {
    const names = [...brokerConfigDef.keys.keys()]
    expect(names.filter(isDynamic).length).toBe(102)
    expect(['log.retention.hours', 'num.partitions', 'fetch.max.bytes'].some(isDynamic)).toBe(false)
  })
})
