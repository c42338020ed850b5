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
  { leader, replicas }: PartitionState,
  listenerName: string,
): PartitionHealth {
  const isAlive = (id: number): boolean => image.brokers.get(id)?.isFenced === false
  const isReachable = (id: number): boolean =>
    isAlive(id) &&
    image.brokers.get(id)?.listeners.some(({ name }) => name === listenerName) === true
  return {
    hasLeader: isAlive(leader),
    isLeaderReachable: isReachable(leader),
    offlineReplicas: replicas.filter((id) => !isReachable(id)),
  }
}
