import type { BrokerId } from '../../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../../base/topic-partition.ts'
import { duplicates, javaList, parseInteger } from '../java-values.ts'
import { checkJsonVersion, JsonInput, parseJson } from '../json-input.ts'
import { ToolError } from '../tool-errors.ts'

/** Stands in a file for whichever directory the broker likes. */
export const ANY_LOG_DIR = 'any'

/** The replicas that a partition has or is to have. */
export interface AssignedReplicas extends TopicPartition {
  readonly replicas: readonly BrokerId[]
}

/** A replica and its directory. */
export interface ReplicaDirectory extends TopicPartition {
  readonly broker: BrokerId
  readonly path: string
}

export interface ReassignmentFile {
  readonly partitions: readonly AssignedReplicas[]
  /** Of those replicas alone that have a directory named. */
  readonly directories: readonly ReplicaDirectory[]
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition)
}

/** `topic-partition-broker`. */
export function replicaKey(replica: TopicPartition & { readonly broker: BrokerId }): string {
  return `${keyOf(replica)}-${replica.broker}`
}

export function inPartitionOrder(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

export function inReplicaOrder(a: ReplicaDirectory, b: ReplicaDirectory): number {
  return a.broker === b.broker ? inPartitionOrder(a, b) : a.broker - b.broker
}

/** The file of `--reassignment-json-file`. Throws `ToolError`. */
export function parseReassignment(text: string): ReassignmentFile {
  const json = parseReassignmentJson(text)
  checkJsonVersion(json)
  const directories: ReplicaDirectory[] = []
  const partitions = (json.get('partitions')?.array() ?? []).map((each) => {
    const { topic, partition } = each.topicPartition()
    const replicas = each
      .field('replicas')
      .array()
      .map((id) => id.int())
    const paths = each
      .get('log_dirs')
      ?.array()
      .map((path) => path.string())
    if (paths !== undefined && paths.length !== replicas.length) {
      throw new ToolError(
        `Size of replicas list ${javaList(replicas)} is different from size of log dirs list ` +
          `${javaList(paths)} for partition ${topicPartitionKey(topic, partition)}`,
      )
    }
    for (const [at, broker] of replicas.entries()) {
      const path = paths?.[at] ?? ANY_LOG_DIR
      if (path !== ANY_LOG_DIR) directories.push({ topic, partition, broker, path })
    }
    return { topic, partition, replicas }
  })
  return { partitions, directories }
}

/** The same for `--execute`, where partitions and replicas may be there only once. Throws `ToolError`. */
export function parseReassignmentToExecute(text: string): ReassignmentFile {
  const file = parseReassignment(text)
  const { partitions } = file
  if (partitions.length === 0) throw new ToolError('Partition reassignment list cannot be empty')
  if (partitions.some(({ replicas }) => replicas.length === 0)) {
    throw new ToolError('Partition replica list cannot be empty')
  }
  const repeated = duplicates(partitions.map(keyOf))
  if (repeated.length > 0) {
    throw new ToolError(
      `Partition reassignment contains duplicate topic partitions: ${repeated.join(',')}`,
    )
  }
  const wrong = partitions
    .map((each) => ({ key: keyOf(each), ids: duplicates(each.replicas) }))
    .filter(({ ids }) => ids.length > 0)
    .map(({ key, ids }) => `${key} contains multiple entries for ${ids.join(',')}`)
  if (wrong.length === 0) return file
  throw new ToolError(
    `Partition replica lists may not contain duplicate entries: ${wrong.join('. ')}`,
  )
}

/** The file of `--topics-to-move-json-file`. Throws `ToolError`. */
export function parseTopicsToMove(text: string): readonly string[] {
  const json = parseJson(text)
  if (json === null) throw new ToolError('The input string is not a valid JSON')
  checkJsonVersion(json)
  const topics = (json.get('topics')?.array() ?? []).map((each) => each.field('topic').string())
  const repeated = duplicates(topics)
  if (repeated.length === 0) return topics
  throw new ToolError(
    `List of topics to reassign contains duplicate entries: ${javaList(repeated)}`,
  )
}

/** `--broker-list`. Throws `ToolError`. */
export function parseBrokerList(text: string): readonly BrokerId[] {
  const brokers = text.split(',').map(parseInteger)
  const repeated = duplicates(brokers)
  if (repeated.length === 0) return brokers
  throw new ToolError(`Broker list contains duplicate entries: ${javaList(repeated)}`)
}

/** One line of JSON that `--execute` takes. `pathOf` gives the directory of a replica, null when it is not known. */
export function reassignmentJson(
  partitions: readonly AssignedReplicas[],
  pathOf: (replica: TopicPartition & { readonly broker: BrokerId }) => string | null,
): string {
  return JSON.stringify({
    version: 1,
    partitions: [...partitions].sort(inPartitionOrder).map(({ topic, partition, replicas }) => ({
      topic,
      partition,
      replicas,
      log_dirs: replicas.map((broker) => pathOf({ topic, partition, broker }) ?? ANY_LOG_DIR),
    })),
  })
}

/** Kafka's tool gives its parser's words here; ours are the runtime's. */
function parseReassignmentJson(text: string): JsonInput {
  try {
    return new JsonInput(JSON.parse(text))
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no JSON'
    throw new ToolError(why, 'org.apache.kafka.server.common.AdminOperationException')
  }
}
