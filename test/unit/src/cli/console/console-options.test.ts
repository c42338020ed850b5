import { describe, expect, it } from 'vitest'
import { CONSUMER_OPTIONS } from '../../../../../src/cli/console/consumer-flags.ts'
import { consumerPlan, type ConsumerPlan } from '../../../../../src/cli/console/consumer-options.ts'
import {
  PRODUCER_OPTIONS,
  producerPlan,
  type ProducerPlan,
} from '../../../../../src/cli/console/producer-options.ts'
import { parseOptions } from '../../../../../src/cli/options/option-parser.ts'

let told: string[] = []
const IO = {
  out: (line: string) => {
    told.push(line)
  },
  err: () => undefined,
}
const B = ['--bootstrap-server', 'h:1', '--topic', 't']

function producer(...args: readonly string[]): ProducerPlan {
  told = []
  return producerPlan(parseOptions(PRODUCER_OPTIONS, [...B, ...args]), IO)
}

function consumer(...args: readonly string[]): ConsumerPlan {
  told = []
  return consumerPlan(parseOptions(CONSUMER_OPTIONS, ['--bootstrap-server', 'h:1', ...args]), IO)
}

describe('options of console-producer', () => {
  it("have the defaults of Kafka's tool", () => {
    expect(producer()).toMatchObject({ topic: 't', isSync: false, bootstrapServers: 'h:1' })
    expect(producer().properties).toEqual({
      'client.id': 'console-producer',
      'linger.ms': '1000',
      acks: '-1',
      'request.timeout.ms': '1500',
      retries: '3',
      'retry.backoff.ms': '100',
      'send.buffer.bytes': '102400',
      'buffer.memory': '33554432',
      'batch.size': '16384',
      'metadata.max.age.ms': '300000',
      'max.block.ms': '60000',
    })
  })

  it('count before properties, and those before defaults', () => {
    const { properties } = producer(
      '--command-property=acks=1',
      '--command-property=linger.ms=7',
      '--timeout=8',
    )
    expect(properties).toMatchObject({ acks: '1', 'linger.ms': '8' })
    expect(producer('--compression-codec').properties).toMatchObject({ 'compression.type': 'gzip' })
    expect(producer('--compression-codec', 'zstd', '--sync')).toMatchObject({
      isSync: true,
      properties: { 'compression.type': 'zstd' },
    })
  })

  it('know their old names', () => {
    expect(producer('--property', 'parse.key=true').format.parseKey).toBe(true)
    expect(told).toEqual([
      'Warning: --property is deprecated and will be removed in a future version. Use --reader-property instead.',
    ])
    expect(() => producer('--property', 'a=b', '--reader-property', 'c=d')).toThrow(
      'Options --property and --reader-property cannot be specified together.',
    )
  })

  it('refuse what cannot be used', () => {
    expect(() => producer('--batch-size', 'x')).toThrow(
      "Cannot parse argument 'x' of option batch-size",
    )
    expect(() => producer('--line-reader', 'foo')).toThrow('foo')
    const bad = parseOptions(PRODUCER_OPTIONS, ['--topic', 't', '--bootstrap-server', 'h'])
    expect(() => producerPlan(bad, IO)).toThrow('Please provide valid host:port')
  })
})

describe('options of console-consumer', () => {
  it('begin at the end, in a group of their own that commits nothing', () => {
    const { properties, from, maxMessages, timeoutMs } = consumer('--topic', 't')
    expect(properties).toMatchObject({
      'client.id': 'console-consumer',
      'auto.offset.reset': 'latest',
      'enable.auto.commit': 'false',
      'isolation.level': 'read_uncommitted',
      'group.id': expect.stringMatching(/^console-consumer-\d{1,5}$/),
    })
    expect(from).toEqual({ kind: 'topic', topic: 't' })
    expect([maxMessages, timeoutMs]).toEqual([Infinity, Infinity])
  })

  it('read a group from its beginning', () => {
    const { properties } = consumer('--topic', 't', '--group', 'g', '--from-beginning')
    expect(properties).toMatchObject({ 'group.id': 'g', 'auto.offset.reset': 'earliest' })
    expect(properties).not.toHaveProperty('enable.auto.commit')
  })

  it('take a partition and where to begin', () => {
    const at = (...args: readonly string[]): ConsumerPlan['from'] =>
      consumer('--topic', 't', '--partition', '3', ...args).from
    const place = { kind: 'partition', topic: 't', partition: 3 }
    expect(at()).toEqual({ ...place, startAt: 'latest' })
    expect(at('--from-beginning')).toEqual({ ...place, startAt: 'earliest' })
    expect(at('--offset', 'EARLIEST')).toEqual({ ...place, startAt: 'earliest' })
    expect(at('--offset', '42')).toEqual({ ...place, startAt: 42 })
  })

  it('match whole names with --include', () => {
    const { from } = consumer('--include', 'a|b.*')
    const matches = (name: string): boolean => from.kind === 'include' && from.pattern.test(name)
    expect(['a', 'bc', 'ab', 'ca'].map(matches)).toEqual([true, true, false, false])
  })

  it.each([
    [[], 'Exactly one of the following arguments is required: [topic], [include]'],
    [['--topic', 't', '--include', 't'], 'Exactly one of the following arguments is required'],
    [['--topic', 't', '--offset', '1'], 'The partition is required when offset is specified.'],
    [['--include', 't', '--partition', '1'], 'The topic is required when partition is specified.'],
    [
      ['--topic', 't', '--partition', '0', '--offset', '-5'],
      "The provided offset value '-5' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.",
    ],
    [
      ['--topic', 't', '--partition', '0', '--offset', '1', '--from-beginning'],
      'Options from-beginning and offset cannot be specified together.',
    ],
    [
      ['--topic', 't', '--partition', '0', '--group', 'g'],
      'Options group and partition cannot be specified together.',
    ],
    [
      ['--topic', 't', '--group', 'g', '--command-property', 'group.id=h'],
      "do not match. Detected group ids: 'g', 'h'",
    ],
    [
      ['--topic', 't', '--from-beginning', '--command-property', 'auto.offset.reset=latest'],
      "Can't simultaneously specify --from-beginning and 'auto.offset.reset=latest', please remove one option",
    ],
    [['--topic', 't', '--formatter', 'foo'], 'foo'],
    [['--topic', 't', '--include', '('], 'Exactly one of'],
    [['--include', '('], '--include: Invalid regular expression'],
  ])('refuse %o', (args, message) => {
    expect(() => consumer(...args)).toThrow(message)
  })
})
