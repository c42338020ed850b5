// The same with Node's own test runner: node --test examples/node-test-kafkajs/orders.ts
// In your own project the import reads: import { startCluster } from 'kafkette'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startCluster } from '../../src/index.ts'

await test('an order arrives', async () => {
  await using cluster = await startCluster({ properties: { 'auto.create.topics.enable': true } })
  const kafka = new Kafka({
    brokers: cluster.bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
  })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'two books' }] })
  await producer.disconnect()

  const consumer = kafka.consumer({ groupId: 'shipping', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
  const order = await new Promise<string>((resolve) => {
    void consumer.run({
      eachMessage: ({ message }) => {
        resolve(message.value?.toString() ?? '')
        return Promise.resolve()
      },
    })
  })
  assert.equal(order, 'two books')
  await consumer.disconnect()
})
