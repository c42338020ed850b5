import type { TopicPartition } from '../base/topic-partition.ts'

/** Partitions as requests carry them: grouped by topic, topics and partitions in the order given. */
export function byTopic<T extends TopicPartition>(
  partitions: readonly T[],
): readonly { readonly topic: string; readonly items: readonly T[] }[] {
  const topics = new Map<string, T[]>()
  for (const each of partitions) {
    const items = topics.get(each.topic)
    if (items === undefined) topics.set(each.topic, [each])
    else items.push(each)
  }
  return [...topics].map(([topic, items]) => ({ topic, items }))
}
