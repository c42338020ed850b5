import type { BrokerId } from '../../base/ids.ts'
import type { TopicPartition } from '../../base/topic-partition.ts'
import { KafkaError, type Admin } from '../../client/index.ts'
import { named } from '../tool-errors.ts'
import { keyOf, type AssignedReplicas } from './reassignment-file.ts'

const UNKNOWN_TOPIC_OR_PARTITION = 3

/** The replicas of all partitions of these topics. Throws `KafkaError` naming one that is not there. */
export async function replicasOfTopics(
  admin: Admin,
  topics: readonly string[],
): Promise<readonly AssignedReplicas[]> {
  const found: AssignedReplicas[] = []
  for (const topic of new Set(topics)) {
    const described = await replicasOfTopic(admin, topic)
    if (described === null) {
      throw new KafkaError(UNKNOWN_TOPIC_OR_PARTITION, `Topic ${topic} not found.`)
    }
    found.push(...described)
  }
  return found
}

/** Null when there is no such topic. */
export async function replicasOfTopic(
  admin: Admin,
  topic: string,
): Promise<readonly AssignedReplicas[] | null> {
  try {
    const [described] = await named('describeTopicPartitions', admin.topics.describe([topic]))
    return (described?.partitions ?? []).map(({ partition, replicas }) => ({
      topic,
      partition,
      replicas,
    }))
  } catch (error) {
    const isUnknown = error instanceof KafkaError && error.errorCode === UNKNOWN_TOPIC_OR_PARTITION
    if (isUnknown) return null
    throw error
  }
}

/** The replicas of these partitions. Throws `KafkaError` naming those that are not there. */
export async function replicasOfPartitions(
  admin: Admin,
  partitions: readonly TopicPartition[],
): Promise<readonly AssignedReplicas[]> {
  const wanted = new Set(partitions.map(keyOf))
  const all = await replicasOfTopics(
    admin,
    partitions.map(({ topic }) => topic),
  )
  const found = all.filter((each) => wanted.has(keyOf(each)))
  for (const each of found) wanted.delete(keyOf(each))
  if (wanted.size === 0) return found
  const missing = [...wanted].join(', ')
  throw new KafkaError(UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition: ${missing}`)
}

export interface BrokerRack {
  readonly id: BrokerId
  readonly rack: string | null
}

/** In order of id. */
export async function brokersOfCluster(admin: Admin): Promise<readonly BrokerRack[]> {
  const { endpoints } = await named('listNodes', admin.cluster.brokers())
  return endpoints.map(({ id, rack }) => ({ id, rack }))
}
