import { present } from '../base/assert.ts'
import type { Random } from '../ports/random.ts'
import type { TopicMetadata } from './metadata.ts'

/**
 * Partitions of records without a key: all go to one partition until a batch of it is full or sent, then to
 * another random one that has a leader (KIP-480, KIP-794 without the weighing by queue length).
 */
export class StickyPartitioner {
  readonly #random: Random
  readonly #chosen = new Map<string, number>()

  constructor(random: Random) {
    this.#random = random
  }

  partitionFor(topic: TopicMetadata): number {
    const chosen = this.#chosen.get(topic.name)
    const isUsable = chosen !== undefined && (topic.partitions[chosen]?.leader ?? -1) >= 0
    return isUsable ? chosen : this.#choose(topic)
  }

  /** A batch of this partition was closed: time to move on. */
  onBatchClosed(topic: string, partition: number): void {
    if (this.#chosen.get(topic) === partition) this.#chosen.delete(topic)
  }

  #choose(topic: TopicMetadata): number {
    const led = topic.partitions.filter((each) => each.leader >= 0)
    const candidates = led.length > 0 ? led : topic.partitions
    const drawn = candidates[this.#random.below(candidates.length)]
    const { partition } = present(drawn, `a partition of ${topic.name}`)
    this.#chosen.set(topic.name, partition)
    return partition
  }
}
