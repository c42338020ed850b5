import { assignedDirectory, isOnlineDirectory } from '../metadata/directory-id.ts'
import type { MetadataImage, PartitionState } from '../metadata/image.ts'

/** What a client that came over one listener can reach of a partition. */
export interface PartitionHealth {
  /** Elected, and not fenced since. */
  readonly hasLeader: boolean
  readonly isLeaderReachable: boolean
  readonly offlineReplicas: readonly number[]
}

export function partitionHealth(
  image: MetadataImage,
  partition: PartitionState,
  listenerName: string,
): PartitionHealth {
  const { leader, replicas } = partition
  const isAlive = (id: number): boolean => image.brokers.get(id)?.isFenced === false
  const isReachable = (id: number): boolean =>
    isAlive(id) &&
    image.brokers.get(id)?.listeners.some(({ name }) => name === listenerName) === true
  // In a log directory that has failed.
  const isServable = (id: number): boolean => {
    const broker = image.brokers.get(id)
    return broker !== undefined && isOnlineDirectory(broker, assignedDirectory(partition, id))
  }
  return {
    hasLeader: isAlive(leader),
    isLeaderReachable: isReachable(leader),
    offlineReplicas: replicas.filter((id) => !isReachable(id) || !isServable(id)),
  }
}
