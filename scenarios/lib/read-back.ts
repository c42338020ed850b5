import type { Kafka } from 'kafkajs'
import { until } from './until.ts'

const IDLE_MS = 15_000

/** Reads a whole topic from its beginning with a new consumer: the values of each partition in offset order. */
export async function readBack(
  kafka: Kafka,
  topic: string,
): Promise<readonly (readonly string[])[]> {
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const log: string[][] = ends.map(() => [])
  const positions = ends.map(({ low }) => Number(low))
  const consumer = kafka.consumer({ groupId: `read-back-${topic}`, allowAutoTopicCreation: false })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }) => {
        log[partition]?.push(message.value?.toString() ?? '')
        positions[partition] = Number(message.offset) + 1
        return Promise.resolve()
      },
    })
    await until(
      {
        what: `the end of ${topic}`,
        timeoutMs: IDLE_MS,
        state: () => `positions ${positions.join(', ')}`,
      },
      () => ends.every(({ partition, high }) => (positions[partition] ?? 0) >= Number(high)),
    )
  } finally {
    await consumer.disconnect()
  }
  return log
}
