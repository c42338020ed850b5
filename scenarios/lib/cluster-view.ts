import type { Admin, PartitionMetadata } from 'kafkajs'
import { until } from './until.ts'

/** What a client sees of a running cluster. */
export class ClusterView {
  readonly #admin: Admin

  constructor(admin: Admin) {
    this.#admin = admin
  }

  /** The partitions of a topic, by index; empty when no broker answers just now. */
  async partitions(topic: string): Promise<readonly PartitionMetadata[]> {
    try {
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] })
      return [...(topics[0]?.partitions ?? [])].sort((a, b) => a.partitionId - b.partitionId)
    } catch {
      return []
    }
  }

  /** A partition of the topic whose leader is wanted, once there is one. */
  async partitionLedBy(
    topic: string,
    isWanted: (leader: number) => boolean,
  ): Promise<{ readonly partition: number; readonly leader: number }> {
    return until({ what: `a partition of ${topic} to attack`, timeoutMs: 10_000 }, async () => {
      const found = (await this.partitions(topic)).find(({ leader }) => isWanted(leader))
      return found === undefined ? null : { partition: found.partitionId, leader: found.leader }
    })
  }

  /** Waits until `partition` is led by a broker other than `oldLeader`. */
  async newLeader(topic: string, partition: number, oldLeader: number): Promise<number> {
    const what = `a new leader of ${topic}-${partition}`
    return until({ what, timeoutMs: 15_000 }, async () => {
      const leader = (await this.partitions(topic))[partition]?.leader ?? -1
      return leader === -1 || leader === oldLeader ? null : leader
    })
  }

  /** Waits until every partition of the topics has a leader and `size` in-sync replicas. */
  async fullIsr(topics: readonly string[], size: number): Promise<void> {
    const what = `an ISR of ${size} in ${topics.join(', ')}`
    await until({ what, timeoutMs: 20_000 }, async () => {
      const all = (await Promise.all(topics.map((topic) => this.partitions(topic)))).flat()
      return all.length > 0 && all.every(({ isr, leader }) => isr.length === size && leader !== -1)
    })
  }
}
