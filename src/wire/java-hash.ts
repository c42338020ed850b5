import { javaHash } from '../base/java-hash.ts'

export { javaHash } from '../base/java-hash.ts'

const INT_MIN = -0x8000_0000

/**
 * The partition of a coordinator's topic that holds `key` (a group id, a transactional id, ...). The
 * absolute value of the hash counts (Kafka's `Utils.abs`), not its lower 31 bits as for record keys.
 */
export function coordinatorPartition(key: string, partitionCount: number): number {
  const hash = javaHash(key)
  return hash === INT_MIN ? 0 : Math.abs(hash) % partitionCount
}
