import { topicPartitionKey } from '../../base/topic-partition.ts'

/** How far the members of a group have processed its topic, all together. */
export class GroupProgress {
  readonly #group: string
  readonly #topic: string
  readonly #positions = new Map<number, number>()

  constructor(group: string, topic: string) {
    this.#group = group
    this.#topic = topic
  }

  processed(partition: number, position: number): void {
    const before = this.#positions.get(partition) ?? 0
    this.#positions.set(partition, Math.max(before, position))
  }

  /** A partition that was not processed up to its end; null when all were. */
  lagBehind(ends: ReadonlyMap<string, number>): string | null {
    const prefix = topicPartitionKey(this.#topic, 0).slice(0, -1)
    for (const [key, end] of ends) {
      const partition = Number(key.slice(prefix.length))
      if (!key.startsWith(prefix) || !Number.isInteger(partition)) continue
      const position = this.#positions.get(partition) ?? 0
      if (position < end) return `group ${this.#group} is at ${position} of ${end} of ${key}`
    }
    return null
  }
}
