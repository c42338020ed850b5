import { describe, expect, it } from 'vitest'
import { doubleText, floatText } from '../../../../../src/cli/console/java-text.ts'
import { DEFAULT_FORMATTER } from '../../../../../src/cli/console/consumer-flags.ts'
import { formatterOf } from '../../../../../src/cli/console/message-formatter.ts'
import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../../../src/wire/coordinator-record.ts'
import {
  offsetCommitKey,
  offsetCommitValue,
} from '../../../../../src/wire/records/group-coordinator.ts'
import type { ConsumerRecord, Properties } from '../../../../../src/client/index.ts'

const RECORD: ConsumerRecord = {
  topic: 't',
  partition: 2,
  offset: 7,
  timestampMs: 1234,
  timestampType: 'CreateTime',
  leaderEpoch: 5,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
  ],
}
const EVERYTHING = Object.fromEntries(
  ['timestamp', 'partition', 'offset', 'delivery', 'epoch', 'headers', 'key'].map((name) => [
    `print.${name}`,
    'true',
  ]),
)

function shown(properties: Properties, record: Partial<ConsumerRecord> = {}): string {
  const told: string[] = []
  const formatter = formatterOf(DEFAULT_FORMATTER, properties, (line) => told.push(line))
  return formatter!({ ...RECORD, ...record }).toString() + told.join('')
}

describe('the default formatter', () => {
  it('shows values in lines', () => {
    expect(shown({})).toBe('v\n')
    expect(shown({}, { value: null })).toBe('null\n')
  })

  it('shows every column in the order of Kafka', () => {
    expect(shown(EVERYTHING)).toBe(
      'CreateTime:1234\tPartition:2\tOffset:7\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\ta:1,b:null\tk\tv\n',
    )
    expect(shown({ ...EVERYTHING, 'print.value': 'false' })).toMatch(/b:null\tk\n$/)
    expect(shown({ 'print.headers': 'true' }, { headers: [] })).toBe('NO_HEADERS\tv\n')
    expect(shown({ 'print.timestamp': 'true' }, { timestampMs: -1 })).toBe('NO_TIMESTAMP\tv\n')
  })

  it('takes separators and a text for null', () => {
    const own = {
      'print.key': 'true',
      'print.headers': 'true',
      'key.separator': '|',
      'line.separator': ';',
      'headers.separator': '&',
      'null.literal': '-',
    }
    expect(shown(own, { key: null })).toBe('a:1&b:-|-|v;')
  })

  it('reads numbers with the deserializers of Kafka', () => {
    const of = (name: string): Properties => ({
      'value.deserializer': `org.apache.kafka.common.serialization.${name}Deserializer`,
    })
    const value = Buffer.from('ffffffffffffff85', 'hex')
    expect(shown(of('Long'), { value })).toBe('-123\n')
    expect(shown(of('Integer'), { value: value.subarray(4) })).toBe('-123\n')
    expect(shown(of('Bytes'), { value: Buffer.from('a\n\\') })).toBe('a\\x0A\\x5C\n')
    expect(shown(of('String'))).toBe('v\n')
    expect(() => shown(of('Integer'))).toThrow(
      'Size of data received by IntegerDeserializer is not 4',
    )
    expect(shown({ 'value.deserializer': 'foo' })).toBe(
      'v\nUnable to instantiate a deserializer from foo',
    )
  })

  it('knows no other class than those of Kafka', () => {
    const quiet = (): void => undefined
    expect(formatterOf('foo', {}, quiet)).toBeNull()
    const none = formatterOf('org.apache.kafka.tools.consumer.NoOpMessageFormatter', {}, quiet)
    expect(none!(RECORD)).toHaveLength(0)
  })
})

describe('the formatters of internal topics', () => {
  const ofClass = (name: string): ReturnType<typeof formatterOf> =>
    formatterOf(`org.apache.kafka.tools.consumer.${name}`, {}, () => undefined)
  const key = encodeCoordinatorKey(offsetCommitKey, { group: 'g', topic: 't', partition: 1 })
  const value = encodeCoordinatorValue(offsetCommitValue, 3, {
    offset: 8,
    leaderEpoch: -1,
    metadata: '',
    commitTimestamp: 5,
  })

  it('show the records of their type as JSON, as Kafka does', () => {
    const format = ofClass('OffsetsMessageFormatter')!
    const shownKey = '"key":{"type":1,"data":{"group":"g","topic":"t","partition":1}}'
    expect(format({ ...RECORD, key, value }).toString()).toBe(
      `{${shownKey},"value":{"version":3,"data":{"offset":8,"leaderEpoch":-1,"metadata":"","commitTimestamp":5}}}`,
    )
    expect(format({ ...RECORD, key, value: null }).toString()).toBe(`{${shownKey},"value":null}`)
    expect(format({ ...RECORD, key: Buffer.from([0, 99]), value })).toHaveLength(0)
  })

  it('leave out the records of other types', () => {
    expect(ofClass('GroupMetadataMessageFormatter')!({ ...RECORD, key, value })).toHaveLength(0)
  })
})

describe('numbers as Java prints them', () => {
  it.each([
    [1, '1.0'],
    [-0, '-0.0'],
    [0.001, '0.001'],
    [0.0001, '1.0E-4'],
    [12_345_678, '1.2345678E7'],
    [9_999_999, '9999999.0'],
    [1e21, '1.0E21'],
    [Infinity, 'Infinity'],
    [NaN, 'NaN'],
  ])('%d is %s', (value, text) => {
    expect(doubleText(value)).toBe(text)
  })

  it('has the shortest text of a float', () => {
    expect(floatText(Math.fround(0.1))).toBe('0.1')
    expect(floatText(Math.fround(16_777_216))).toBe('1.6777216E7')
    expect(floatText(Math.fround(-3.14))).toBe('-3.14')
  })
})
