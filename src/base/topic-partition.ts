/** One partition of one topic, by name. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`, also the name of its directory; usable as a map key. */
export function topicPartitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
