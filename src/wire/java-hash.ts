const INT_MIN = -0x8000_0000

/** Java's `String.hashCode`: 32 bits over the UTF-16 units. */
export function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}

/**
 * The partition of a coordinator's topic that holds `key` (a group id, a transactional id, ...). The
 * absolute value of the hash counts (Kafka's `Utils.abs`), not its lower 31 bits as for record keys.
 */
export function coordinatorPartition(key: string, partitionCount: number): number {
  const hash = javaHash(key)
  return hash === INT_MIN ? 0 : Math.abs(hash) % partitionCount
}
