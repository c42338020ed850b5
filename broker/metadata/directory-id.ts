import type { BrokerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { BrokerRegistration } from './cluster-image.ts'
import type { PartitionState } from './partition-state.ts'

/** Ids that Kafka keeps for replicas whose log directory has no id of its own to name (KIP-858). */
export const DirectoryId = {
  /** The metadata is older than the ids of directories. */
  MIGRATING: 'AAAAAAAAAAAAAAAAAAAAAA',
  /** The broker has several directories and has not chosen yet. */
  UNASSIGNED: 'AAAAAAAAAAAAAAAAAAAAAQ',
  /** In a directory of the broker that cannot be read, whichever it is. */
  LOST: 'AAAAAAAAAAAAAAAAAAAAAg',
} as const satisfies Readonly<Record<string, Uuid>>

const PSEUDO_IDS: ReadonlySet<Uuid> = new Set(Object.values(DirectoryId))

/** Whether the id names no directory of a broker. */
export function isPseudoDirectory(directory: Uuid): boolean {
  return PSEUDO_IDS.has(directory)
}

/** Where the metadata has the broker's replica of the partition; MIGRATING when it does not say. */
export function assignedDirectory(
  { replicas, directories }: Pick<PartitionState, 'replicas' | 'directories'>,
  id: BrokerId,
): Uuid {
  return directories[replicas.indexOf(id)] ?? DirectoryId.MIGRATING
}

/**
 * Whether the metadata is to be told that the broker's replica lies in `actual`. Of a replica that is LOST in some directory
 * the metadata knows better in which, if it names one.
 */
export function isNewsOfDirectory(state: PartitionState, id: BrokerId, actual: Uuid): boolean {
  const assigned = assignedDirectory(state, id)
  return actual !== assigned && (actual !== DirectoryId.LOST || isPseudoDirectory(assigned))
}

/** Whether a replica in `directory` can be served by the broker. One that has not chosen yet is taken to be able to. */
export function isOnlineDirectory(
  { logDirs }: Pick<BrokerRegistration, 'logDirs'>,
  directory: Uuid,
): boolean {
  if (directory === DirectoryId.UNASSIGNED || directory === DirectoryId.MIGRATING) return true
  if (directory === DirectoryId.LOST) return false
  // A registration from before the ids of directories says nothing.
  return logDirs.length === 0 || logDirs.includes(directory)
}
