import type { BrokerId } from '../../base/ids.ts'
import { duplicates, javaList, parseInteger } from '../java-values.ts'
import { ToolError } from '../tool-errors.ts'

/**
 * `1:2,2:3`: the replicas of each partition. Throws `ToolError` when one has a broker twice or not as many as the
 * first.
 */
export function parseReplicaAssignment(text: string): readonly (readonly BrokerId[])[] {
  const partitions = text
    .split(',')
    .map((replicas) => replicas.split(':').map((id) => parseInteger(id.trim())))
  for (const [partition, replicas] of partitions.entries()) {
    const repeated = duplicates(replicas)
    if (repeated.length > 0) {
      throw new ToolError(
        `Partition replica lists may not contain duplicate entries: ${repeated.join(',')}`,
      )
    }
    if (replicas.length !== partitions[0]?.length) {
      throw new ToolError(
        `Partition ${partition} has different replication factor: ${javaList(replicas)}`,
      )
    }
  }
  return partitions
}
