/** The topics of a request, each once with all its partitions; those without any are left out, as Kafka's maps do. */
export function mergedTopics<Partition, Topic>(
  topics: readonly Topic[],
  access: {
    readonly key: (topic: Topic) => string
    readonly partitions: (topic: Topic) => readonly Partition[]
    readonly with: (topic: Topic, partitions: Partition[]) => Topic
  },
): Topic[] {
  const byKey = new Map<string, { readonly topic: Topic; readonly partitions: Partition[] }>()
  for (const topic of topics) {
    const partitions = access.partitions(topic)
    if (partitions.length === 0) continue
    const key = access.key(topic)
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, { topic, partitions: [...partitions] })
    else known.partitions.push(...partitions)
  }
  return [...byKey.values()].map(({ topic, partitions }) => access.with(topic, partitions))
}
