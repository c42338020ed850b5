import { TimeoutError } from '../../base/errors.ts'
import { topicPartitionKey, type TopicPartition } from '../../base/topic-partition.ts'
import { KafkaError, type Admin, type ElectionType } from '../../client/index.ts'
import { readProperties, readTextFile } from '../command-config.ts'
import { partitionsInHashOrder } from '../java-hash-map.ts'
import { duplicates } from '../java-values.ts'
import { parseJson } from '../json-input.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import { flag, option, type ParsedOptions } from '../options/option-parser.ts'
import { forbidTogether } from '../options/option-rules.ts'
import type { Connection } from '../tool-admin.ts'
import { executionMessage, named, OptionError, ToolError } from '../tool-errors.ts'

/** Unless the properties file has others. */
const TIMEOUTS = { 'default.api.timeout.ms': '30000', 'request.timeout.ms': '15000' }
const WAYS = ['topic', 'all-topic-partitions', 'path-to-json-file'] as const

/** kafka-leader-election.sh. */
export const leaderElectionTool: KafkaTool = {
  name: 'leader-election',
  summary: 'Elect leaders of partitions (kafka-leader-election.sh).',
  about:
    'This tool attempts to elect a new leader for a set of topic partitions. The type of elections ' +
    'supported are preferred replicas and unclean replicas.',
  options: [
    option('bootstrap-server', 'REQUIRED: host:port of one or more brokers.', 'host:port'),
    option('admin.config', 'DEPRECATED: --command-config under its old name.', 'config file'),
    option('command-config', 'A properties file for the admin client.', 'Config file'),
    option(
      'path-to-json-file',
      'A JSON file with the partitions:\n' +
        '{"partitions":\n  [{"topic": "foo", "partition": 1},\n   {"topic": "foobar", "partition": 2}]\n}',
      'Path to JSON file',
    ),
    option('topic', 'The topic of the one partition.', 'topic name'),
    option('partition', 'The partition, together with --topic.', 'partition id', {
      type: 'Integer',
    }),
    flag('all-topic-partitions', 'All partitions that an election of this type is for.'),
    option(
      'election-type',
      'REQUIRED: "preferred" brings back the first of the replicas, "unclean" takes any that is alive when ' +
        'there is no leader.',
      'election type',
    ),
  ],
  check,
  connection,
  run,
}

/** `kafkette leader-election`. */
export function leaderElectionCommand(): ToolCommand {
  return toolCommand(leaderElectionTool)
}

function check(options: ParsedOptions, io: ToolIo): void {
  const missing = ['bootstrap-server', 'election-type'].filter((name) => !options.has(name))
  if (missing.length > 0) throw new ToolError(`Missing required option(s): ${missing.join(', ')}`)
  if (WAYS.filter((name) => options.has(name)).length !== 1) {
    throw new ToolError(`One and only one of the following options is required: ${WAYS.join(', ')}`)
  }
  if (options.has('topic') && !options.has('partition')) {
    throw new ToolError('Missing required option(s): partition')
  }
  if (!options.has('topic') && options.has('partition')) {
    throw new ToolError('Option partition is only allowed if topic is used')
  }
  forbidTogether(options, 'admin.config', ['command-config'])
  electionTypeOf(options)
  partitionsOf(options)
  if (options.has('admin.config')) {
    io.out(
      'Option --admin.config has been deprecated and will be removed in a future version. ' +
        'Use --command-config instead.',
    )
  }
}

function connection(options: ParsedOptions): Connection {
  const file = options.value('command-config') ?? options.value('admin.config')
  return {
    to: 'brokers',
    servers: options.value('bootstrap-server') ?? '',
    properties: { ...TIMEOUTS, ...(file === null ? {} : readProperties(file)) },
  }
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  const type = electionTypeOf(options)
  const asked = partitionsOf(options)
  const outcomes = await elect(admin, type, asked, io)
  const tried = asked ?? [...outcomes.keys()].map(partitionOfKey)
  const keys = partitionsInHashOrder(tried).map(({ topic, partition }) =>
    topicPartitionKey(topic, partition),
  )
  const codeOf = (key: string): string | null => outcomes.get(key)?.code ?? null
  const elected = keys.filter((key) => outcomes.has(key) && codeOf(key) === null)
  const needless = keys.filter((key) => codeOf(key) === 'ELECTION_NOT_NEEDED')
  if (elected.length > 0) {
    io.out(`Successfully completed leader election (${type}) for partitions ${elected.join(', ')}`)
  }
  if (needless.length > 0) {
    io.out(`Valid replica already elected for partitions ${needless.join(', ')}`)
  }
  const failed = keys.filter((key) => !needless.includes(key) && codeOf(key) !== null)
  for (const key of failed) {
    const error = outcomes.get(key)
    const why = error === null || error === undefined ? '' : executionMessage(error)
    io.out(`Error completing leader election (${type}) for partition: ${key}: ${why}`)
  }
  if (failed.length > 0) throw new ToolError(`${failed.length} replica(s) could not be elected`)
}

/** Failures of the request as a whole are told twice, as Kafka's tool does. */
async function elect(
  admin: Admin,
  type: ElectionType,
  partitions: readonly TopicPartition[] | null,
  io: ToolIo,
): Promise<ReadonlyMap<string, KafkaError | null>> {
  try {
    return await named('electLeaders', admin.reassignments.elect(type, partitions))
  } catch (error) {
    const message =
      error instanceof TimeoutError
        ? 'Timeout waiting for election results'
        : error instanceof KafkaError && error.code === 'CLUSTER_AUTHORIZATION_FAILED'
          ? 'Not authorized to perform leader election'
          : null
    if (message === null) throw error
    io.out(message)
    throw new ToolError(message, undefined, { cause: error })
  }
}

/** Throws `OptionError`. */
function electionTypeOf(options: ParsedOptions): ElectionType {
  const text = options.value('election-type') ?? ''
  const type = text.toUpperCase()
  if (type === 'PREFERRED' || type === 'UNCLEAN') return type
  throw new OptionError(`Cannot parse argument '${text}' of option election-type`)
}

/** Null for all. Throws `OptionError` and `ToolError`. */
function partitionsOf(options: ParsedOptions): readonly TopicPartition[] | null {
  const file = options.value('path-to-json-file')
  if (file !== null) return parseElectionPartitions(readElectionFile(file))
  const topic = options.value('topic')
  const partition = options.number('partition')
  return topic === null || partition === null ? null : [{ topic, partition }]
}

/** Kafka's tool wraps this error, so its class is part of the message. */
function readElectionFile(path: string): string {
  try {
    return readTextFile(path)
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    throw new ToolError(`${error.javaClass}: ${error.message}`, 'java.lang.RuntimeException')
  }
}

/** The file of `--path-to-json-file`. Throws `ToolError`. */
export function parseElectionPartitions(text: string): readonly TopicPartition[] {
  const json = parseJson(text)
  if (json === null) throw new ToolError('Replica election data is empty')
  const given = json.get('partitions')
  if (given === null) throw new ToolError('Replica election data is missing "partitions" field')
  const partitions = given.array().map((each) => each.topicPartition())
  const keys = partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition))
  const repeated = duplicates(keys)
  if (repeated.length === 0) return partitions
  throw new ToolError(
    `Replica election data contains duplicate partitions: [${repeated.join(', ')}]`,
  )
}

function partitionOfKey(key: string): TopicPartition {
  const at = key.lastIndexOf('-')
  return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)) }
}
