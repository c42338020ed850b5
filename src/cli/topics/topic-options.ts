import { flag, option, type OptionSpec, type ParsedOptions } from '../options/option-parser.ts'
import { forbidTogether, requireOptions } from '../options/option-rules.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { ToolError, UsageError } from '../tool-errors.ts'

const ACTIONS = ['create', 'list', 'alter', 'describe', 'delete'] as const
const REPORTS = [
  'under-replicated-partitions',
  'under-min-isr-partitions',
  'at-min-isr-partitions',
  'unavailable-partitions',
] as const

/** What an option may be combined with: any action that is not named here rules it out. */
const ACTIONS_OF: readonly (readonly [name: string, actions: readonly string[]])[] = [
  ['config', ['alter', 'create']],
  ['partitions', ['alter', 'create']],
  ['replication-factor', ['create']],
  ['replica-assignment', ['alter', 'create']],
]
const ACTIONS_OF_CONDITIONS: readonly (readonly [name: string, actions: readonly string[]])[] = [
  ['if-exists', ['alter', 'delete', 'describe']],
  ['if-not-exists', ['create']],
  ['exclude-internal', ['list', 'describe']],
]

export const TOPIC_OPTIONS: readonly OptionSpec[] = [
  option('bootstrap-server', 'REQUIRED: host:port of one or more brokers.', 'server to connect to'),
  option(
    'command-config',
    'A properties file for the admin client.',
    'command config property file',
  ),
  flag('list', 'List the topics.'),
  flag('create', 'Create a topic.'),
  flag('delete', 'Delete topics.'),
  flag('alter', 'Add partitions to topics. (For settings of topics use "configs".)'),
  flag('describe', 'Show topics with their partitions.'),
  option('topic', 'The topic; a regular expression too, but not with --create.', 'topic'),
  option('topic-id', 'The id of the topic to describe.', 'topic-id'),
  option(
    'config',
    'A setting of the topic to create; may be repeated. (To change settings use "configs".)',
    'name=value',
  ),
  option('delete-config', 'Does nothing; Kafka 4.0 has given it up.', 'name'),
  option(
    'partitions',
    'Number of partitions, all in all; with --create the default is num.partitions of the broker. ' +
      'More partitions change where records with keys go.',
    '# of partitions',
    { type: 'Integer' },
  ),
  option(
    'replication-factor',
    'Replicas of each partition; the default is default.replication.factor of the broker.',
    'replication factor',
    { type: 'Integer' },
  ),
  option(
    'replica-assignment',
    'The brokers of each partition, in place of a number of partitions and replicas.',
    'broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , ' +
      'broker_id_for_part2_replica1 : broker_id_for_part2_replica2 , ...',
  ),
  flag('under-replicated-partitions', 'Describe only partitions that lack in-sync replicas.'),
  flag('unavailable-partitions', 'Describe only partitions whose leader is not there.'),
  flag('under-min-isr-partitions', 'Describe only partitions with too few in sync to be written.'),
  flag('at-min-isr-partitions', 'Describe only partitions with just enough in sync.'),
  flag('topics-with-overrides', 'Describe only topics with settings of their own.'),
  flag('if-exists', 'Do nothing when there is no such topic.'),
  flag('if-not-exists', 'Do not fail when the topic is there already.'),
  flag('exclude-internal', 'Leave internal topics out of --list and --describe.'),
  option(
    'partition-size-limit-per-response',
    'How many partitions one answer of a broker may hold.',
    'maximum number of partitions per response',
    { type: 'Integer' },
  ),
]

/** The rules of kafka-topics.sh. Throws `UsageError` and `ToolError`. */
export function checkTopicOptions(options: ParsedOptions, io: ToolIo): void {
  if (ACTIONS.filter((name) => options.has(name)).length !== 1) {
    throw new UsageError(
      'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
    )
  }
  if (options.has('delete-config')) {
    io.err(
      'delete-config option is no longer supported and deprecated since version 4.0. ' +
        'The config will be fully removed in future releases.',
    )
  }
  checkRequired(options, io)
  for (const [name, actions] of ACTIONS_OF) forbidOtherActions(options, name, actions)
  if (options.has('create')) {
    forbidTogether(options, 'replica-assignment', ['partitions', 'replication-factor'])
  }
  for (const report of REPORTS) {
    forbidOtherActions(options, report, ['describe'])
    forbidTogether(options, report, ['topics-with-overrides'])
  }
  forbidOtherActions(options, 'topics-with-overrides', ['describe'])
  for (const [name, actions] of ACTIONS_OF_CONDITIONS) forbidOtherActions(options, name, actions)
}

function checkRequired(options: ParsedOptions, io: ToolIo): void {
  if (!options.has('bootstrap-server')) throw new ToolError('--bootstrap-server must be specified')
  const hasName = options.has('topic')
  const hasId = options.has('topic-id')
  if (options.has('describe') && options.has('if-exists')) {
    if (!hasName && !hasId) {
      throw new UsageError('--topic or --topic-id is required to describe a topic')
    }
    if (hasName && hasId) {
      io.out(
        'Only topic id will be used when both --topic and --topic-id are specified and ' +
          'topicId is not Uuid.ZERO_UUID',
      )
    }
  }
  if (!options.has('list') && !options.has('describe')) requireOptions(options, ['topic'])
  if (!options.has('alter')) return
  if (options.has('config')) {
    throw new UsageError(
      'Option combination "[[bootstrap-server], [config]]" can\'t be used with option "[alter]" ' +
        '(To alter topic configurations, the kafka-configs tool can be used.)',
    )
  }
  requireOptions(options, ['partitions'])
}

function forbidOtherActions(
  options: ParsedOptions,
  name: string,
  allowed: readonly string[],
): void {
  forbidTogether(
    options,
    name,
    ACTIONS.filter((action) => !allowed.includes(action)),
  )
}
