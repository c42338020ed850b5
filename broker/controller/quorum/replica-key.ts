import type { BrokerId } from '../../../src/base/ids.ts'
import { ZERO_UUID, type Uuid } from '../../../src/base/uuid.ts'

/** One replica of the metadata log: the node and the directory that holds the log (KIP-853). */
export interface ReplicaKey {
  readonly id: BrokerId
  /** `ZERO_UUID` when unknown, as in a static voter set. */
  readonly directoryId: Uuid
}

/** Whether both may mean one replica. An unknown directory matches every directory of that node. */
export function isSameReplica(a: ReplicaKey, b: ReplicaKey): boolean {
  if (a.id !== b.id) return false
  if (a.directoryId === ZERO_UUID || b.directoryId === ZERO_UUID) return true
  return a.directoryId === b.directoryId
}
