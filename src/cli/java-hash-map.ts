import { javaHash } from '../base/java-hash.ts'
import type { TopicPartition } from '../base/topic-partition.ts'

const DEFAULT_CAPACITY = 16
const LOAD_FACTOR = 0.75

/**
 * The order in which Java's `HashMap` gives its keys: by bucket, inside a bucket by time of insertion. Kafka's tools
 * print some lists in it, and whoever compares their output with ours compares lines.
 */
export function hashMapOrder<T>(
  keys: readonly T[],
  hashOf: (key: T) => number,
  initialCapacity: number = DEFAULT_CAPACITY,
): readonly T[] {
  let capacity = 1
  while (capacity < initialCapacity) capacity *= 2
  while (keys.length > capacity * LOAD_FACTOR) capacity *= 2
  const buckets = new Map<number, T[]>()
  for (const key of keys) {
    const hash = hashOf(key)
    const bucket = (hash ^ (hash >>> 16)) & (capacity - 1)
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), key])
  }
  return [...buckets].sort(([a], [b]) => a - b).flatMap(([, bucket]) => bucket)
}

/** Names in the order of a `HashMap` that has them as keys. */
export function namesInHashOrder(
  names: readonly string[],
  initialCapacity?: number,
): readonly string[] {
  return hashMapOrder(names, javaHash, initialCapacity)
}

/** Partitions in the order of a `HashMap` that has them as keys. */
export function partitionsInHashOrder<T extends TopicPartition>(
  partitions: readonly T[],
): readonly T[] {
  return hashMapOrder(partitions, partitionHash)
}

/** `hashCode` of Kafka's TopicPartition. */
function partitionHash({ topic, partition }: TopicPartition): number {
  return (Math.imul(31, 31 + partition) + javaHash(topic)) | 0
}
