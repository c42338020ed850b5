// A test of code that uses Kafka, with vitest and kafkajs: one cluster for the file, a topic a test.
// In your own project the import reads: import { startCluster } from 'kafkette'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startCluster, type Cluster } from '../../src/index.ts'

let cluster: Cluster
let kafka: Kafka

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3 })
  kafka = new Kafka({ brokers: cluster.bootstrapServers.split(','), logLevel: logLevel.NOTHING })
})

afterAll(() => cluster.stop())

it('keeps an order that was acked although a broker dies', async () => {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'orders', replicationFactor: 3 }] })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: 'order-1', value: 'two books' }] })

  const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
  await cluster.broker(topics[0]!.partitions[0]!.leader).kill()

  const consumer = kafka.consumer({ groupId: 'shipping', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
  const order = await new Promise<string>((resolve) => {
    void consumer.run({
      eachMessage: ({ message }) => {
        resolve(`${message.key!.toString()}: ${message.value!.toString()}`)
        return Promise.resolve()
      },
    })
  })
  expect(order).toBe('order-1: two books')
  await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()])
})
