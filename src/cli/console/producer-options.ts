import type { Properties } from '../../client/index.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { flag, option, type OptionSpec, type ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { ToolError } from '../tool-errors.ts'
import {
  checkBootstrap,
  parseEntries,
  settingsOfFile,
  withoutJavaOnly,
  withOldName,
} from './client-settings.ts'
import { lineFormat, type LineFormat } from './line-reader.ts'

const LINE_READER = 'org.apache.kafka.tools.LineMessageReader'
const CLIENT_ID = 'console-producer'

/** An option of a producer's setting; the setting's value when neither option nor file nor property has one. */
const SETTINGS = [
  ['timeout', 'linger.ms', '1000', 'Long', 'How long a record may wait for others of its batch.'],
  [
    'request-required-acks',
    'acks',
    '-1',
    'String',
    'Which replicas must have a record: 0, 1, all.',
  ],
  ['request-timeout-ms', 'request.timeout.ms', '1500', 'Integer', 'How long an answer may take.'],
  [
    'message-send-max-retries',
    'retries',
    '3',
    'Integer',
    'How often a failed send is tried again.',
  ],
  [
    'retry-backoff-ms',
    'retry.backoff.ms',
    '100',
    'Long',
    'Pause before a failed send is tried again.',
  ],
  [
    'socket-buffer-size',
    'send.buffer.bytes',
    '102400',
    'Integer',
    'Size of the send buffer of TCP.',
  ],
  [
    'max-memory-bytes',
    'buffer.memory',
    '33554432',
    'Long',
    'Memory for records that wait to be sent.',
  ],
  ['batch-size', 'batch.size', '16384', 'Integer', 'Largest batch of a partition in bytes.'],
  [
    'max-partition-memory-bytes',
    'batch.size',
    '16384',
    'Integer',
    'DEPRECATED: --batch-size under its old name.',
  ],
  [
    'metadata-expiry-ms',
    'metadata.max.age.ms',
    '300000',
    'Long',
    'When metadata is asked for again.',
  ],
  [
    'max-block-ms',
    'max.block.ms',
    '60000',
    'Long',
    'How long a send may wait for metadata and memory.',
  ],
] as const

const READER_PROPERTIES =
  'A property of the reader as key=value; may be repeated. With their defaults:\n' +
  ' parse.key=false\n parse.headers=false\n ignore.error=false\n key.separator=\\t\n headers.delimiter=\\t\n' +
  ' headers.separator=,\n headers.key.separator=:\n' +
  ' null.marker=   fields (key, value, header value) equal to it are null\n' +
  'A line is then "h1:v1,h2:v2...\\tkey\\tvalue".'

export const PRODUCER_OPTIONS: readonly OptionSpec[] = [
  option('topic', 'REQUIRED: the topic.', 'topic'),
  option('bootstrap-server', 'REQUIRED: host:port of one or more brokers.', 'server to connect to'),
  flag('sync', 'Wait for the answer to each record before the next one is sent.'),
  option(
    'compression-codec',
    "'none', 'gzip', 'snappy', 'lz4' or 'zstd'; 'gzip' when it stands without a value.",
    'compression-codec',
    { kind: 'optional' },
  ),
  option('line-reader', 'The reader of lines; only the default is served.', 'reader_class', {
    defaultValue: LINE_READER,
  }),
  option('reader-property', READER_PROPERTIES, 'prop'),
  option('property', 'DEPRECATED: --reader-property under its old name.', 'prop'),
  option('reader-config', 'A file of properties of the reader.', 'config file'),
  option('command-property', 'A setting of the producer as key=value.', 'producer_prop'),
  option(
    'producer-property',
    'DEPRECATED: --command-property under its old name.',
    'producer_prop',
  ),
  option('command-config', 'A file of settings of the producer.', 'config file'),
  option('producer.config', 'DEPRECATED: --command-config under its old name.', 'config file'),
  ...SETTINGS.map(([name, , defaultValue, type, text]) =>
    option(name, text, name.replaceAll('-', ' '), { type, defaultValue }),
  ),
]

/** What one run of the tool is to do. */
export interface ProducerPlan {
  readonly topic: string
  readonly isSync: boolean
  readonly format: LineFormat
  readonly bootstrapServers: string
  readonly properties: Properties
}

/** Throws `UsageError`, `OptionError` and `ToolError`. */
export function producerPlan(options: ParsedOptions, io: ToolIo): ProducerPlan {
  requireOptions(options, ['topic'])
  const bootstrapServers = checkBootstrap(options.value('bootstrap-server'))
  const old = (old: string, now: string): readonly string[] =>
    withOldName(options, { old, now }, deprecated, io)
  const readerEntries = old('property', 'reader-property')
  const producerEntries = old('producer-property', 'command-property')
  const producerFile = old('producer.config', 'command-config')
  if (options.has('max-partition-memory-bytes')) {
    io.out(
      'Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. ' +
        'Use --batch-size instead.',
    )
  }
  const reader = options.value('line-reader') ?? LINE_READER
  if (reader !== LINE_READER) throw new ToolError(reader, 'java.lang.ClassNotFoundException')
  return {
    topic: options.value('topic') ?? '',
    isSync: options.has('sync'),
    format: lineFormat({
      ...settingsOfFile(options.values('reader-config')),
      ...parseEntries(readerEntries),
    }),
    bootstrapServers,
    properties: producerProperties(options, {
      ...settingsOfFile(producerFile),
      ...parseEntries(producerEntries),
    }),
  }
}

/** An option that was given counts, then what `given` has, then the default of the option. */
function producerProperties(options: ParsedOptions, given: Properties): Properties {
  const merged: Record<string, string> = { 'client.id': CLIENT_ID, ...withoutJavaOnly(given) }
  for (const [name, setting] of SETTINGS) {
    const number = SETTINGS_WITH_TEXT.has(name) ? null : options.number(name)
    const value = number === null ? options.value(name) : String(number)
    if (options.has(name) || merged[setting] === undefined) merged[setting] = value ?? ''
  }
  if (options.has('compression-codec')) {
    merged['compression.type'] = options.value('compression-codec') ?? 'gzip'
  }
  return merged
}

const SETTINGS_WITH_TEXT: ReadonlySet<string> = new Set(['request-required-acks'])

function deprecated(old: string, now: string): string {
  return `Warning: --${old} is deprecated and will be removed in a future version. Use --${now} instead.`
}
