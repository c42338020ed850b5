import { topicPartitionKey, type TopicPartition } from '../../base/topic-partition.ts'
import type { Admin } from '../../client/index.ts'
import { brokersOf } from '../command-config.ts'
import { parseOffsetTime } from '../get-offsets/offset-time.ts'
import {
  filterByLists,
  filterByRules,
  withoutInternal,
  type PartitionFilter,
} from '../get-offsets/partition-filter.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import { flag, option, type ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { executionMessage, isFromCluster, named, ToolError, UsageError } from '../tool-errors.ts'

const ADDRESS = /^(?:[A-Za-z_]+:\/\/)?(?:\[[0-9a-fA-F:.%]+\]|[^:[\]\s]+):\d+$/

/** kafka-get-offsets.sh. */
export const getOffsetsTool: KafkaTool = {
  name: 'get-offsets',
  summary: 'Show the offsets of partitions (kafka-get-offsets.sh).',
  about: 'An interactive shell for getting topic-partition offsets.',
  options: [
    option(
      'bootstrap-server',
      'REQUIRED: host:port of one or more brokers.',
      'HOST1:PORT1,...,HOST3:PORT3',
    ),
    option(
      'topic-partitions',
      'Which partitions: a regular expression for the topic (any when left out), then after a colon a partition, ' +
        'FROM-TO without TO itself, FROM- or -TO (all when left out); several with commas.',
      'topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3',
    ),
    option('topic', 'The topic, or a regular expression; default: all that may be seen.', 'topic'),
    option('partitions', 'The partitions, with commas; default: all.', 'partition ids'),
    option(
      'time',
      'The offset of the first record at or after this timestamp, or one of the named ones.',
      '<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / ' +
        '-5 or latest-tiered / -6 or earliest-pending-upload',
      { defaultValue: 'latest' },
    ),
    option('command-config', 'A properties file for the admin client.', 'config file'),
    flag('exclude-internal-topics', 'Leave out internal topics.'),
  ],
  check: (options) => {
    requireOptions(options, ['bootstrap-server'])
    checkAddresses(options.value('bootstrap-server') ?? '')
    parseOffsetTime(options.value('time') ?? '')
    filterOf(options)
  },
  connection: brokersOf,
  run,
  report: (error, _phase, io) => {
    io.err(`Error occurred: ${executionMessage(error)}`)
  },
}

/** `kafkette get-offsets`. */
export function getOffsetsCommand(): ToolCommand {
  return toolCommand(getOffsetsTool)
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  const timestampMs = parseOffsetTime(options.value('time') ?? '')
  const partitions = await partitionsOf(admin, filterOf(options))
  if (partitions.length === 0) {
    throw new ToolError('Could not match any topic-partitions with the specified filters')
  }
  const queries = partitions.map((each) => ({ ...each, timestampMs }))
  const answers = await admin.records.offsets(queries)
  for (const { topic, partition } of partitions) {
    const key = topicPartitionKey(topic, partition)
    const answer = answers.get(key)
    if (!isFromCluster(answer)) continue
    const why = executionMessage(answer)
    io.err(`Skip getting offsets for topic-partition ${key} due to error: ${why}`)
  }
  const keyOf = (each: TopicPartition): string => topicPartitionKey(each.topic, each.partition)
  for (const each of [...partitions].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    const answer = answers.get(keyOf(each))
    if (answer === undefined || answer instanceof Error || answer.offset < 0) continue
    io.out(`${each.topic}:${each.partition}:${answer.offset}`)
  }
}

/** In order of topic and partition. */
async function partitionsOf(
  admin: Admin,
  filter: PartitionFilter,
): Promise<readonly TopicPartition[]> {
  const all = await named('listTopics', admin.listTopics({ includeInternal: true }))
  const names = all.map(({ name }) => name).filter((name) => filter.isTopicWanted(name))
  const topics = names.length === 0 ? [] : await admin.topics.describe(names)
  return topics
    .flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition })),
    )
    .filter((each) => filter.isWanted(each))
}

/** Throws `ToolError`. */
function filterOf(options: ParsedOptions): PartitionFilter {
  const rules = options.value('topic-partitions')
  const topics = options.value('topic')
  const partitions = options.value('partitions')
  if (rules !== null && (topics !== null || partitions !== null)) {
    throw new ToolError('--topic-partitions cannot be used with --topic or --partitions')
  }
  const filter = rules === null ? filterByLists(topics, partitions) : filterByRules(rules)
  return options.has('exclude-internal-topics') ? withoutInternal(filter) : filter
}

/** Throws `UsageError`. */
function checkAddresses(servers: string): void {
  if (servers.split(',').every((server) => ADDRESS.test(server.trim()))) return
  throw new UsageError('Please provide valid host:port like host1:9091,host2:9092\n')
}
