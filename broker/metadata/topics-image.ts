import { CorruptionError } from '../../src/base/errors.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type {
  PartitionChangeRecord,
  PartitionRecord,
  TopicRecord,
} from '../../src/wire/records/metadata.ts'
import { changedPartition, partitionStateOf, type PartitionState } from './partition-state.ts'

/** One topic. `partitions` belongs to the image and shows its later changes; the states in it are immutable. */
export interface TopicImage {
  readonly id: Uuid
  readonly name: string
  readonly partitions: ReadonlyMap<number, PartitionState>
}

interface OwnTopic extends TopicImage {
  readonly partitions: Map<number, PartitionState>
}

/** The topics of an image, by id and by name. */
export class TopicsImage {
  readonly #byId = new Map<Uuid, OwnTopic>()
  readonly #byName = new Map<string, OwnTopic>()

  get byId(): ReadonlyMap<Uuid, TopicImage> {
    return this.#byId
  }

  get byName(): ReadonlyMap<string, TopicImage> {
    return this.#byName
  }

  /** A copy with maps of its own; the partition states are shared. */
  clone(): TopicsImage {
    const copy = new TopicsImage()
    for (const topic of this.#byId.values()) {
      copy.#put({ id: topic.id, name: topic.name, partitions: new Map(topic.partitions) })
    }
    return copy
  }

  addTopic(record: TopicRecord): void {
    if (this.#byName.has(record.name)) {
      throw new CorruptionError(`TopicRecord for ${record.name}, which exists`)
    }
    this.#put({ id: record.topicId, name: record.name, partitions: new Map() })
  }

  removeTopic(id: Uuid): TopicImage {
    const topic = this.#topic(id, 'RemoveTopicRecord')
    this.#byId.delete(id)
    this.#byName.delete(topic.name)
    return topic
  }

  addPartition(record: PartitionRecord): PartitionState {
    const topic = this.#topic(record.topicId, 'PartitionRecord')
    const state = partitionStateOf(topic.name, record)
    topic.partitions.set(state.partition, state)
    return state
  }

  changePartition(record: PartitionChangeRecord): PartitionState {
    const topic = this.#topic(record.topicId, 'PartitionChangeRecord')
    const before = topic.partitions.get(record.partitionId)
    if (before === undefined) {
      throw new CorruptionError(
        `PartitionChangeRecord for ${topic.name}-${record.partitionId}, which does not exist`,
      )
    }
    const state = changedPartition(before, record)
    topic.partitions.set(state.partition, state)
    return state
  }

  #put(topic: OwnTopic): void {
    this.#byId.set(topic.id, topic)
    this.#byName.set(topic.name, topic)
  }

  #topic(id: Uuid, recordType: string): OwnTopic {
    const topic = this.#byId.get(id)
    if (topic === undefined) throw new CorruptionError(`${recordType} for unknown topic id ${id}`)
    return topic
  }
}
