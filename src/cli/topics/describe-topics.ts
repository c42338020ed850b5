import { topicPartitionKey } from '../../base/topic-partition.ts'
import { ZERO_UUID } from '../../base/uuid.ts'
import {
  ConfigResourceType,
  UnsupportedVersionError,
  KafkaError,
  type Admin,
  type DescribedConfig,
  type PartitionDescription,
  type Reassignment,
  type TopicDescription,
} from '../../client/index.ts'
import { namesInHashOrder } from '../java-hash-map.ts'
import { parseUuid } from '../java-values.ts'
import type { ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { named, ToolError } from '../tool-errors.ts'
import { findExistingTopics } from './find-topics.ts'
import { DEFAULT_SOURCE, partitionRow, replicationFactor, topicRow } from './topic-rows.ts'

const PARTITION_LIMIT = 2000
const MIN_IN_SYNC = 'min.insync.replicas'

/** `topics --describe`. */
export async function describeTopics(
  admin: Admin,
  options: ParsedOptions,
  io: ToolIo,
): Promise<void> {
  const topics = await chosenTopics(admin, options)
  const configs = new Map<string, readonly DescribedConfig[]>()
  for (const { name } of topics) {
    const resource = { type: ConfigResourceType.TOPIC, name }
    configs.set(name, await named('describeConfigs', admin.configResources.describe(resource)))
  }
  const { endpoints } = await named('listNodes', admin.cluster.brokers())
  const view: TopicView = {
    options,
    io,
    live: new Set(endpoints.map(({ id }) => id)),
    reassignments: await reassignmentsOf(admin, topics),
  }
  for (const topic of topics) describeTopic(view, topic, configs.get(topic.name) ?? [])
}

interface TopicView {
  readonly options: ParsedOptions
  readonly io: ToolIo
  readonly live: ReadonlySet<number>
  /** By `topic-partition`. */
  readonly reassignments: ReadonlyMap<string, Reassignment>
}

function describeTopic(
  view: TopicView,
  topic: TopicDescription,
  configs: readonly DescribedConfig[],
): void {
  const { options, io } = view
  const onlyOverrides = options.has('topics-with-overrides')
  const reassignmentOf = (partition: number): Reassignment | null =>
    view.reassignments.get(topicPartitionKey(topic.name, partition)) ?? null
  const hasOverrides = configs.some(({ source }) => source !== DEFAULT_SOURCE)
  if (!isReport(options) && (!onlyOverrides || hasOverrides)) {
    io.out(topicRow(topic, configs, reassignmentOf(topic.partitions[0]?.partition ?? 0)))
  }
  if (onlyOverrides) return
  const minInSync = Number(configs.find(({ name }) => name === MIN_IN_SYNC)?.value ?? 1)
  for (const partition of topic.partitions) {
    const reassignment = reassignmentOf(partition.partition)
    const isShown = !isReport(options) || isReported(view, partition, reassignment, minInSync)
    if (isShown) io.out(partitionRow(topic.name, partition, reassignment))
  }
}

function isReport(options: ParsedOptions): boolean {
  return (
    options.has('unavailable-partitions') ||
    options.has('under-replicated-partitions') ||
    options.has('under-min-isr-partitions') ||
    options.has('at-min-isr-partitions')
  )
}

function isReported(
  { options, live }: TopicView,
  partition: PartitionDescription,
  reassignment: Reassignment | null,
  minInSync: number,
): boolean {
  const inSync = partition.isr.length
  const isLed = partition.leader >= 0
  return (
    (options.has('under-replicated-partitions') &&
      replicationFactor(partition, reassignment) > inSync) ||
    (options.has('unavailable-partitions') && !(isLed && live.has(partition.leader))) ||
    (options.has('under-min-isr-partitions') && (!isLed || inSync < minInSync)) ||
    (options.has('at-min-isr-partitions') && inSync === minInSync)
  )
}

async function chosenTopics(
  admin: Admin,
  options: ParsedOptions,
): Promise<readonly TopicDescription[]> {
  const idText = options.value('topic-id')
  const id = idText === null ? ZERO_UUID : parseUuid(idText)
  const mustExist = !options.has('if-exists')
  if (id !== ZERO_UUID) {
    const includeInternal = !options.has('exclude-internal')
    const all = await named('listTopics', admin.listTopics({ includeInternal }))
    const topic = all.find((each) => each.id === id)
    if (topic !== undefined) return admin.topics.describeByMetadata([topic.name])
    if (mustExist) throw new ToolError(`TopicId '${id}' does not exist as expected`)
    return []
  }
  const names = await findExistingTopics(admin, options)
  if (names.length === 0) return []
  const partitionLimit = options.number('partition-size-limit-per-response') ?? PARTITION_LIMIT
  const described = await named(
    'describeTopicPartitions',
    admin.topics.describe(names, { partitionLimit }),
  )
  const byName = new Map(described.map((topic) => [topic.name, topic]))
  return namesInHashOrder([...byName.keys()], byName.size).flatMap((name) => byName.get(name) ?? [])
}

/** By `topic-partition`; none when the cluster does not tell, as Kafka's tool has it. */
async function reassignmentsOf(
  admin: Admin,
  topics: readonly TopicDescription[],
): Promise<ReadonlyMap<string, Reassignment>> {
  const partitions = topics.flatMap(({ name, partitions: own }) =>
    own.map(({ partition }) => ({ topic: name, partition })),
  )
  try {
    const moving = await named('listPartitionReassignments', admin.reassignments.list(partitions))
    return new Map(moving.map((each) => [topicPartitionKey(each.topic, each.partition), each]))
  } catch (error) {
    const isRefused =
      error instanceof UnsupportedVersionError ||
      (error instanceof KafkaError && error.code === 'CLUSTER_AUTHORIZATION_FAILED')
    if (isRefused) return new Map()
    throw error
  }
}
