import { topicPartitionKey } from '../../base/topic-partition.ts'
import { Admin, type ClientPorts, type Properties } from '../../client/index.ts'

const LATEST_TIMESTAMP = -1

/** Where the log of each partition of a topic ends now for those who read it, by `topicPartitionKey`. */
export async function topicEnds(
  topic: string,
  properties: Properties,
  ports: ClientPorts,
): Promise<ReadonlyMap<string, number>> {
  const admin = new Admin(properties, ports)
  try {
    const [described] = await admin.describeTopics([topic])
    const partitions = (described?.partitions ?? []).map(({ partition }) => partition)
    const answers = await admin.listOffsets(
      partitions.map((partition) => ({ topic, partition, timestampMs: LATEST_TIMESTAMP })),
    )
    return new Map(
      [...answers.values()].map(({ partition, offset }) => [
        topicPartitionKey(topic, partition),
        offset,
      ]),
    )
  } finally {
    await admin.close()
  }
}
