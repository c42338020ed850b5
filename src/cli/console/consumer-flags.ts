import { flag, option, type OptionSpec } from '../options/option-parser.ts'

export const DEFAULT_FORMATTER = 'org.apache.kafka.tools.consumer.DefaultMessageFormatter'

const FORMATTER_PROPERTIES =
  'A property of the formatter as key=value; may be repeated:\n' +
  ' print.timestamp=true|false\n print.key=true|false\n print.offset=true|false\n print.epoch=true|false\n' +
  ' print.partition=true|false\n print.headers=true|false\n print.value=true|false\n' +
  ' key.separator=<key.separator>\n line.separator=<line.separator>\n headers.separator=<headers.separator>\n' +
  ' null.literal=<null.literal>\n key.deserializer=<key.deserializer>\n' +
  ' value.deserializer=<value.deserializer>\n headers.deserializer=<headers.deserializer>'

export const CONSUMER_OPTIONS: readonly OptionSpec[] = [
  option('bootstrap-server', 'REQUIRED: host:port of one or more brokers.', 'server to connect to'),
  option('topic', 'The topic.', 'topic'),
  option('include', 'A regular expression for the topics.', 'Java regex (String)'),
  option('partition', 'Only this partition, from its end unless --offset says else.', 'partition', {
    type: 'Integer',
  }),
  option('offset', "Where to begin: a number, 'earliest' or 'latest'.", 'consume offset', {
    defaultValue: 'latest',
  }),
  flag('from-beginning', 'Begin with the first record when the group has committed no offset.'),
  option('max-messages', 'End after so many records; default: never.', 'num_messages', {
    type: 'Integer',
  }),
  option('timeout-ms', 'End when no record comes for so long; default: never.', 'timeout_ms', {
    type: 'Long',
  }),
  option('group', 'The group; default: a new one that commits nothing.', 'consumer group id'),
  option('isolation-level', 'read_committed leaves out what was aborted or is open.', '', {
    defaultValue: 'read_uncommitted',
  }),
  flag('skip-message-on-error', 'Go on after a record that cannot be shown.'),
  flag('enable-systest-events', 'Print shutdown_complete at the end.'),
  option('formatter', 'The class that shows records.', 'class', {
    defaultValue: DEFAULT_FORMATTER,
  }),
  option('formatter-property', FORMATTER_PROPERTIES, 'prop'),
  option('property', 'DEPRECATED: --formatter-property under its old name.', 'prop'),
  option('formatter-config', 'A file of properties of the formatter.', 'config file'),
  option('key-deserializer', "A class of Kafka's deserializers.", 'deserializer for keys'),
  option('value-deserializer', "A class of Kafka's deserializers.", 'deserializer for values'),
  option('command-property', 'A setting of the consumer as key=value.', 'consumer_prop'),
  option(
    'consumer-property',
    'DEPRECATED: --command-property under its old name.',
    'consumer_prop',
  ),
  option('command-config', 'A file of settings of the consumer.', 'config file'),
  option('consumer.config', 'DEPRECATED: --command-config under its old name.', 'config file'),
]
