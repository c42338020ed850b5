import { topicPartitionKey } from '../../base/topic-partition.ts'
import type { Admin, LogDirDescription } from '../../client/index.ts'
import { brokersOf } from '../command-config.ts'
import { namesInHashOrder, partitionsInHashOrder } from '../java-hash-map.ts'
import { parseInteger } from '../java-values.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import { flag, option, type ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { javaClassOf, named, ToolError } from '../tool-errors.ts'

/** kafka-log-dirs.sh. */
export const logDirsTool: KafkaTool = {
  name: 'log-dirs',
  summary: 'Show what the log directories of brokers hold (kafka-log-dirs.sh).',
  about: 'This tool helps to query log directory usage on the specified brokers.',
  options: [
    option(
      'bootstrap-server',
      'REQUIRED: host:port of one or more brokers.',
      'The server(s) to use for bootstrapping',
    ),
    option(
      'command-config',
      'A properties file for the admin client.',
      'Admin client property file',
    ),
    flag('describe', 'REQUIRED: show the log directories.'),
    option('topic-list', 'Only these topics, with commas.', 'Topic list', { defaultValue: '' }),
    option('broker-list', 'Only these brokers, with commas.', 'Broker list', { defaultValue: '' }),
  ],
  check: (options) => requireOptions(options, ['bootstrap-server', 'describe']),
  connection: brokersOf,
  run,
}

/** `kafkette log-dirs`. */
export function logDirsCommand(): ToolCommand {
  return toolCommand(logDirsTool)
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  const topics = new Set(itemsOf(options, 'topic-list'))
  const { endpoints } = await named('listNodes', admin.cluster.brokers())
  const all = endpoints.map(({ id }) => id)
  const asked = itemsOf(options, 'broker-list')
    .map(parseInteger)
    .sort((a, b) => a - b)
  const unknown = asked.filter((id) => !all.includes(id))
  if (unknown.length > 0) {
    throw new ToolError(
      `ERROR: The given brokers do not exist from --broker-list: ${unknown.join(',')}. ` +
        `Current existent brokers: ${all.join(',')}`,
    )
  }
  const brokers = asked.length === 0 ? all : [...new Set(asked)]
  io.out('Querying brokers for log directories information')
  const described = await Promise.all(
    brokers.map(async (broker) => ({
      broker,
      logDirs: await named('describeLogDirs', admin.logDirs.describe(broker)),
    })),
  )
  io.out(`Received log directory information from brokers ${brokers.join(',')}`)
  io.out(logDirsJson(described, topics))
}

interface BrokerLogDirs {
  readonly broker: number
  readonly logDirs: readonly LogDirDescription[]
}

/** One line of JSON; an empty set of topics means all. Keys and partitions stand in the order of Kafka's tool. */
export function logDirsJson(
  described: readonly BrokerLogDirs[],
  topics: ReadonlySet<string>,
): string {
  const brokers = described.map(({ broker, logDirs }) => {
    const byPath = new Map(logDirs.map((each) => [each.path, each]))
    const shown = namesInHashOrder([...byPath.keys()]).flatMap((path) => byPath.get(path) ?? [])
    return { broker, logDirs: shown.map((each) => logDirJson(each, topics)) }
  })
  return JSON.stringify({ brokers, version: 1 })
}

function logDirJson(
  { path, error, replicas }: LogDirDescription,
  topics: ReadonlySet<string>,
): object {
  // Kafka's tool copies one map into another, and those of one bucket stay in the order of the first.
  const shown = partitionsInHashOrder(replicas).filter(
    ({ topic }) => topics.size === 0 || topics.has(topic),
  )
  return {
    partitions: partitionsInHashOrder(shown).map((replica) => ({
      partition: topicPartitionKey(replica.topic, replica.partition),
      size: replica.sizeBytes,
      offsetLag: replica.offsetLag,
      isFuture: replica.isFuture,
    })),
    error: error === null ? null : javaClassOf(error),
    logDir: path,
  }
}

function itemsOf(options: ParsedOptions, name: string): readonly string[] {
  return (options.value(name) ?? '').split(',').filter((item) => item !== '')
}
