import type { ConsumerRecord, Properties } from '../../client/index.ts'
import { coordinatorFormatter } from '../dump-log/coordinator-formatter.ts'
import { DEFAULT_FORMATTER } from './consumer-flags.ts'
import { deserializerOf, type Deserializer } from './java-text.ts'

/** The bytes that a record is shown as; empty for one that is not shown. Throws for bytes it cannot read. */
export type MessageFormatter = (record: ConsumerRecord) => Buffer

const TOOLS = 'org.apache.kafka.tools.consumer.'

/** Null for a class that is not served. `tell` hears of deserializers that are not. */
export function formatterOf(
  className: string,
  properties: Properties,
  tell: (line: string) => void,
): MessageFormatter | null {
  switch (className) {
    case DEFAULT_FORMATTER:
      return defaultFormatter(properties, tell)
    case `${TOOLS}LoggingMessageFormatter`:
      return loggingFormatter(defaultFormatter(properties, tell), tell)
    case `${TOOLS}NoOpMessageFormatter`:
      return () => Buffer.alloc(0)
    default:
      return formatterOfCoordinator(className)
  }
}

/** Kafka's formatters for its internal topics print JSON without line ends. */
function formatterOfCoordinator(className: string): MessageFormatter | null {
  const format = coordinatorFormatter(className)
  return format === null ? null : (record) => Buffer.from(format(record))
}

/** Every record is also logged with its key and value. */
function loggingFormatter(shown: MessageFormatter, tell: (line: string) => void): MessageFormatter {
  return (record) => {
    const { key, value, timestampType, timestampMs } = record
    tell(
      `${timestampType}:${timestampMs}, key:${key === null ? 'null' : key.toString()}, ` +
        `value:${value === null ? 'null' : value.toString()}`,
    )
    return shown(record)
  }
}

/** Kafka's DefaultMessageFormatter with all its properties. */
function defaultFormatter(properties: Properties, tell: (line: string) => void): MessageFormatter {
  const isOn = (name: string, otherwise = false): boolean => {
    const text = properties[name]
    return text === undefined ? otherwise : text.trim().toLowerCase() === 'true'
  }
  const separator = (name: string, otherwise: string): Buffer =>
    Buffer.from(properties[name] ?? otherwise)
  const deserializer = (name: string): Deserializer | null => {
    const className = properties[name] ?? ''
    const found = className === '' ? null : deserializerOf(className)
    if (found === null && className !== '') {
      tell(`Unable to instantiate a deserializer from ${className}`)
    }
    return found
  }
  const settings = {
    columns: COLUMNS.filter(({ name }) => isOn(name, name === 'print.value')),
    keySeparator: separator('key.separator', '\t'),
    lineSeparator: separator('line.separator', '\n'),
    headersSeparator: separator('headers.separator', ','),
    nullLiteral: separator('null.literal', 'null'),
    key: deserializer('key.deserializer'),
    value: deserializer('value.deserializer'),
    headers: deserializer('headers.deserializer'),
  }
  return (record) => {
    const chunks: Buffer[] = []
    settings.columns.forEach(({ show }, index) => {
      if (index > 0) chunks.push(settings.keySeparator)
      chunks.push(...show(record, settings))
    })
    if (settings.columns.length > 0) chunks.push(settings.lineSeparator)
    return Buffer.concat(chunks)
  }
}

interface Settings {
  readonly headersSeparator: Buffer
  readonly nullLiteral: Buffer
  readonly key: Deserializer | null
  readonly value: Deserializer | null
  readonly headers: Deserializer | null
}

interface Column {
  readonly name: string
  readonly show: (record: ConsumerRecord, settings: Settings) => readonly Buffer[]
}

/** In the order in which they are shown. The tool gives its formatter no delivery count and no leader epoch. */
const COLUMNS: readonly Column[] = [
  {
    name: 'print.timestamp',
    show: ({ timestampType, timestampMs }) => [
      Buffer.from(timestampMs < 0 ? 'NO_TIMESTAMP' : `${timestampType}:${timestampMs}`),
    ],
  },
  { name: 'print.partition', show: ({ partition }) => [Buffer.from(`Partition:${partition}`)] },
  { name: 'print.offset', show: ({ offset }) => [Buffer.from(`Offset:${offset}`)] },
  { name: 'print.delivery', show: () => [Buffer.from('Delivery:NOT_PRESENT')] },
  { name: 'print.epoch', show: () => [Buffer.from('Epoch:NOT_PRESENT')] },
  { name: 'print.headers', show: headerBytes },
  { name: 'print.key', show: ({ key }, settings) => [shown(key, settings.key, settings)] },
  { name: 'print.value', show: ({ value }, settings) => [shown(value, settings.value, settings)] },
]

function headerBytes({ headers }: ConsumerRecord, settings: Settings): readonly Buffer[] {
  if (headers.length === 0) return [Buffer.from('NO_HEADERS')]
  return headers.flatMap(({ key, value }, index) => [
    ...(index === 0 ? [] : [settings.headersSeparator]),
    Buffer.from(`${key}:`),
    shown(value, settings.headers, settings),
  ])
}

/** What is null goes through the deserializer as the text for null, as in Kafka. */
function shown(
  bytes: Buffer | null,
  deserializer: Deserializer | null,
  { nullLiteral }: Settings,
): Buffer {
  const given = bytes ?? nullLiteral
  return deserializer === null ? given : Buffer.from(deserializer(given))
}
