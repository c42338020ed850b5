import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { ConfigResource } from './configs-image.ts'
import type { ImageObserver } from './image.ts'
import type { PartitionState } from './partition-state.ts'
import type { TopicImage } from './topics-image.ts'

/** What one publication changed. Whoever acts on it must take the removals before the changed partitions. */
export interface MetadataDelta {
  /** New and changed partitions in their newest state, in the order of their first change. */
  readonly changedPartitions: readonly PartitionState[]
  /** Topics that are gone, with their last partitions; a topic of the same name may exist again. */
  readonly removedTopics: readonly TopicImage[]
  /** Brokers that were registered, changed or unregistered. */
  readonly changedBrokers: ReadonlySet<BrokerId>
  readonly changedConfigs: readonly ConfigResource[]
  readonly changedFeatures: ReadonlySet<string>
  /** First and last offset of what was published. */
  readonly fromOffset: Offset
  readonly toOffset: Offset
}

/** Collects the changes of one publication from the image that applies them. */
export class DeltaBuilder implements ImageObserver {
  readonly #partitions = new Map<string, PartitionState>()
  readonly #removedTopics: TopicImage[] = []
  readonly #brokers = new Set<BrokerId>()
  readonly #configs = new Map<string, ConfigResource>()
  readonly #features = new Set<string>()

  onPartition(state: PartitionState): void {
    this.#partitions.set(topicPartitionKey(state.topic, state.partition), state)
  }

  onTopicRemoved(topic: TopicImage): void {
    this.#removedTopics.push(topic)
    for (const index of topic.partitions.keys()) {
      this.#partitions.delete(topicPartitionKey(topic.name, index))
    }
  }

  onBroker(id: BrokerId): void {
    this.#brokers.add(id)
  }

  onConfig(resourceType: number, resourceName: string): void {
    this.#configs.set(`${resourceType}:${resourceName}`, { resourceType, resourceName })
  }

  onFeature(name: string): void {
    this.#features.add(name)
  }

  build(fromOffset: Offset, toOffset: Offset): MetadataDelta {
    return {
      changedPartitions: [...this.#partitions.values()],
      removedTopics: this.#removedTopics,
      changedBrokers: this.#brokers,
      changedConfigs: [...this.#configs.values()],
      changedFeatures: this.#features,
      fromOffset,
      toOffset,
    }
  }
}
