import { topicPartitionKey, type TopicPartition } from '../../src/base/topic-partition.ts'

/** Partitions of one topic, as the wire groups them. */
export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** The partitions of a transaction: each once, sorted by topic and number. Immutable. */
export class PartitionSet {
  static readonly EMPTY = new PartitionSet(new Map())
  readonly #byKey: ReadonlyMap<string, TopicPartition>

  private constructor(byKey: ReadonlyMap<string, TopicPartition>) {
    this.#byKey = byKey
  }

  static of(partitions: Iterable<TopicPartition>): PartitionSet {
    const sorted = [...partitions].sort(byTopicAndNumber)
    return new PartitionSet(
      new Map(
        sorted.map(({ topic, partition }) => [
          topicPartitionKey(topic, partition),
          { topic, partition },
        ]),
      ),
    )
  }

  get size(): number {
    return this.#byKey.size
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.#byKey.has(topicPartitionKey(topic, partition))
  }

  hasAll(partitions: readonly TopicPartition[]): boolean {
    return partitions.every((partition) => this.has(partition))
  }

  with(added: readonly TopicPartition[]): PartitionSet {
    return this.hasAll(added) ? this : PartitionSet.of([...this.#byKey.values(), ...added])
  }

  without(removed: readonly TopicPartition[]): PartitionSet {
    const gone = PartitionSet.of(removed)
    return PartitionSet.of([...this].filter((partition) => !gone.has(partition)))
  }

  [Symbol.iterator](): Iterator<TopicPartition> {
    return this.#byKey.values()
  }

  byTopic(): readonly TopicPartitions[] {
    return groupByTopic(this)
  }
}

/** Groups partitions by topic, both in the order in which they come. */
export function groupByTopic(partitions: Iterable<TopicPartition>): readonly TopicPartitions[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers }))
}

function byTopicAndNumber(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}
