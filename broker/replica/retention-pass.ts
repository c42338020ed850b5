import type { TimestampMs } from '../../src/base/ids.ts'
import type { Partition } from './partition.ts'
import { storageFailureOf, type StorageFailure } from './storage-failure.ts'

/** Applies retention to all these logs. Returns how many segments went. */
export function deleteOldSegments(
  partitions: readonly Partition[],
  nowMs: TimestampMs,
  onStorageFailure: (partition: Partition, error: StorageFailure) => void,
): number {
  let count = 0
  for (const partition of partitions) {
    const failure = storageFailureOf(() => {
      count += partition.log.deleteOldSegments(nowMs)
    })
    if (failure !== null) onStorageFailure(partition, failure)
  }
  return count
}
