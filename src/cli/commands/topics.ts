import { KafkaError, type Admin } from '../../client/index.ts'
import { brokersOf } from '../command-config.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { named, ToolError } from '../tool-errors.ts'
import { describeTopics } from '../topics/describe-topics.ts'
import { findExistingTopics, findTopics } from '../topics/find-topics.ts'
import { parseReplicaAssignment } from '../topics/replica-assignment.ts'
import { checkTopicOptions, TOPIC_OPTIONS } from '../topics/topic-options.ts'

const MAX_REPLICATION_FACTOR = 32_767

/** kafka-topics.sh. */
export const topicsTool: KafkaTool = {
  name: 'topics',
  summary: 'Create, list, describe, alter and delete topics (kafka-topics.sh).',
  about: 'This tool helps to create, delete, describe, or change a topic.',
  aboutWithoutArguments: 'Create, delete, describe, or change a topic.',
  options: TOPIC_OPTIONS,
  check: checkTopicOptions,
  connection: brokersOf,
  run,
  report: (error, phase, io) => {
    if (phase === 'options') io.err(error.message)
    else io.out(`Error while executing topic command : ${error.message}`)
  },
}

/** `kafkette topics`. */
export function topicsCommand(): ToolCommand {
  return toolCommand(topicsTool)
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  if (options.has('create')) await create(admin, options, io)
  else if (options.has('alter')) await alter(admin, options)
  else if (options.has('list')) io.out((await findTopics(admin, options)).join('\n'))
  else if (options.has('describe')) await describeTopics(admin, options, io)
  else await remove(admin, options)
}

async function create(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  const name = options.value('topic') ?? ''
  const partitions = options.number('partitions')
  const replicationFactor = options.number('replication-factor')
  const assignments = assignmentsOf(options)
  const configs = configsOf(options)
  if (/[._]/.test(name)) {
    io.out(
      "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could " +
        'collide. To avoid issues it is best to use either, but not both.',
    )
  }
  const isPossible = (factor: number): boolean => factor >= 1 && factor <= MAX_REPLICATION_FACTOR
  if (replicationFactor !== null && !isPossible(replicationFactor)) {
    throw new ToolError(
      `The replication factor must be between 1 and ${MAX_REPLICATION_FACTOR} inclusive`,
    )
  }
  if (partitions !== null && partitions < 1) {
    throw new ToolError('The partitions must be greater than 0')
  }
  const topic = {
    name,
    configs,
    ...(assignments === null
      ? { partitions: partitions ?? -1, replicationFactor: replicationFactor ?? -1 }
      : { assignments }),
  }
  try {
    await named('createTopics', admin.createTopics([topic]))
  } catch (error) {
    const isThere = error instanceof KafkaError && error.code === 'TOPIC_ALREADY_EXISTS'
    if (isThere && options.has('if-not-exists')) return
    throw error
  }
  io.out(`Created topic ${name}.`)
}

async function alter(admin: Admin, options: ParsedOptions): Promise<void> {
  const count = options.number('partitions') ?? 0
  const assignments = assignmentsOf(options)
  const names = await findExistingTopics(admin, options)
  if (names.length === 0) return
  // The list names the replicas of all partitions; those that are there already stay as they are.
  const topics = assignments === null ? [] : await admin.topics.describe(names)
  const known = new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
  const increases = names.map((topic) => ({
    topic,
    count,
    assignments: assignments?.slice(known.get(topic) ?? 0) ?? null,
  }))
  await named('createPartitions', admin.topics.increasePartitions(increases))
}

async function remove(admin: Admin, options: ParsedOptions): Promise<void> {
  const names = await findExistingTopics(admin, options)
  if (names.length > 0) await named('deleteTopics', admin.deleteTopics(names))
}

function assignmentsOf(options: ParsedOptions): readonly (readonly number[])[] | null {
  const text = options.value('replica-assignment') ?? ''
  return text === '' ? null : parseReplicaAssignment(text)
}

/** Throws `ToolError` for a setting that is not `name=value`. */
function configsOf(options: ParsedOptions): Readonly<Record<string, string>> {
  const pairs = options.values('config').map((text) => text.replace(/=+$/, '').split('='))
  if (pairs.some((pair) => pair.length !== 2)) {
    throw new ToolError(
      'requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".',
    )
  }
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name.trim(), value.trim()]))
}
