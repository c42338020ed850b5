import { ZERO_UUID } from '../../base/uuid.ts'
import type {
  DescribedConfig,
  PartitionDescription,
  Reassignment,
  TopicDescription,
} from '../../client/index.ts'
import { namesInHashOrder } from '../java-hash-map.ts'

/** DescribeConfigs' source of a value that nobody set. */
export const DEFAULT_SOURCE = 5

/** The line of a topic that `topics --describe` prints before those of its partitions. */
export function topicRow(
  topic: TopicDescription,
  configs: readonly DescribedConfig[],
  reassignment: Reassignment | null,
): string {
  const [first] = topic.partitions
  const factor = first === undefined ? 0 : replicationFactor(first, reassignment)
  return [
    `Topic: ${topic.name}`,
    ...(topic.id === ZERO_UUID ? [] : [`TopicId: ${topic.id}`]),
    `PartitionCount: ${topic.partitions.length}`,
    `ReplicationFactor: ${factor}`,
    `Configs: ${overrides(configs)}`,
  ].join('\t')
}

/** The line of a partition. */
export function partitionRow(
  topic: string,
  partition: PartitionDescription,
  reassignment: Reassignment | null,
): string {
  const ids = (replicas: readonly number[]): string => replicas.join(',')
  return [
    '',
    `Topic: ${topic}`,
    `Partition: ${partition.partition}`,
    `Leader: ${partition.leader < 0 ? 'none' : partition.leader}`,
    `Replicas: ${ids(partition.replicas)}`,
    `Isr: ${ids(partition.isr)}`,
    ...(reassignment === null
      ? []
      : [
          `Adding Replicas: ${ids(reassignment.adding)}`,
          `Removing Replicas: ${ids(reassignment.removing)}`,
        ]),
    `Elr: ${partition.elr === null ? 'N/A' : ids(partition.elr)}`,
    `LastKnownElr: ${partition.lastKnownElr === null ? 'N/A' : ids(partition.lastKnownElr)}`,
  ].join('\t')
}

/** Replicas that a partition is to have: those that a reassignment adds count once it has ended. */
export function replicationFactor(
  partition: PartitionDescription,
  reassignment: Reassignment | null,
): number {
  // Between our two questions the reassignment may have ended; then the partition tells the truth.
  const changing = new Set([...(reassignment?.adding ?? []), ...(reassignment?.removing ?? [])])
  const isMoving = partition.replicas.some((id) => changing.has(id))
  if (!isMoving || reassignment === null) return partition.replicas.length
  return reassignment.replicas.length - reassignment.adding.length
}

function overrides(configs: readonly DescribedConfig[]): string {
  const byName = new Map(configs.map((config) => [config.name, config]))
  return namesInHashOrder([...byName.keys()])
    .filter((name) => byName.get(name)?.source !== DEFAULT_SOURCE)
    .map((name) => `${name}=${byName.get(name)?.value ?? 'null'}`)
    .join(',')
}
