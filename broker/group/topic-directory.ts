import type { Uuid } from '../../src/base/uuid.ts'

/** What the group coordinator needs to know of topics: which exist, and their ids. */
export interface TopicDirectory {
  hasTopic(name: string): boolean
  hasPartition(name: string, partition: number): boolean
  /** Null when no topic has this id. */
  topicName(id: Uuid): string | null
  /** Null when the topic does not exist, or has no id. */
  topicId(name: string): Uuid | null
}
