import { topicPartitionKey, type TopicPartition } from '../../src/base/topic-partition.ts'
import type { TopicOffset } from '../api.ts'

/** How far a sink task is in each of its partitions. */
export class SinkOffsets {
  /** Everything before these was put. */
  readonly #current = new Map<string, TopicOffset>()
  readonly #committed = new Map<string, TopicOffset>()
  /** Seen in the batch that is being put; current once that went well. */
  readonly #pending = new Map<string, TopicOffset>()

  get partitions(): readonly TopicPartition[] {
    return [...this.#current.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.#current.has(topicPartitionKey(topic, partition))
  }

  /** A partition was assigned, or read again from another offset. */
  place(at: TopicOffset): void {
    const key = topicPartitionKey(at.topic, at.partition)
    this.#current.set(key, at)
    this.#committed.set(key, at)
    this.#pending.delete(key)
  }

  drop({ topic, partition }: TopicPartition): void {
    const key = topicPartitionKey(topic, partition)
    for (const map of [this.#current, this.#committed, this.#pending]) map.delete(key)
  }

  /** `next` is the offset after a record of the batch. */
  note(topic: string, partition: number, next: number): void {
    this.#pending.set(topicPartitionKey(topic, partition), { topic, partition, offset: next })
  }

  /** The batch was put. */
  settle(): void {
    for (const [key, offset] of this.#pending) {
      if (this.#current.has(key)) this.#current.set(key, offset)
    }
    this.#pending.clear()
  }

  /** What may be committed at most, of these partitions. */
  currentOf(partitions: readonly TopicPartition[]): readonly TopicOffset[] {
    return partitions.flatMap(({ topic, partition }) => {
      const offset = this.#current.get(topicPartitionKey(topic, partition))
      return offset === undefined ? [] : [offset]
    })
  }

  /** Those of `wanted` that are assigned, not ahead of what was put, and not committed already. */
  committable(wanted: readonly TopicOffset[]): readonly TopicOffset[] {
    return wanted.filter(({ topic, partition, offset }) => {
      const key = topicPartitionKey(topic, partition)
      const current = this.#current.get(key)
      if (current === undefined || offset > current.offset) return false
      return this.#committed.get(key)?.offset !== offset
    })
  }

  markCommitted(offsets: readonly TopicOffset[]): void {
    for (const offset of offsets) {
      const key = topicPartitionKey(offset.topic, offset.partition)
      if (this.#current.has(key)) this.#committed.set(key, offset)
    }
  }

  /** Goes back to what was committed, and returns it. */
  rewind(): readonly TopicOffset[] {
    this.#pending.clear()
    for (const [key, offset] of this.#committed) this.#current.set(key, offset)
    return [...this.#committed.values()]
  }
}
