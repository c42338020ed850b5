import kafkajs, { type Consumer, type Kafka } from 'kafkajs'
import { addCodecs } from '../../../../src/chaos/kafkajs/kafkajs-codecs.ts'
import { runSteps } from '../steps.ts'

const { CompressionTypes } = kafkajs
const [bootstrap = ''] = process.argv.slice(2)
const topic = `kafkajs-${process.pid}`
const kafka: Kafka = new kafkajs.Kafka({
  clientId: 'conformance',
  brokers: bootstrap.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
})
const admin = kafka.admin()

/** Reads until `count` values are there. */
async function read(consumer: Consumer, from: string, count: number): Promise<string[]> {
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [from], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(String(message.value))
      if (values.length >= count) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values.sort()
}

function expectEqual(seen: unknown, wanted: unknown): void {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(wanted)]
  if (one !== other) throw new Error(`expected ${other}, got ${one}`)
}

await runSteps({
  admin: async () => {
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    expectEqual(topics[0]?.partitions.length, 3)
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: 2, name: topic, configEntries: [{ name: 'retention.ms', value: '5000' }] },
      ],
    })
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }],
    })
    expectEqual(resources[0]?.configEntries[0]?.configValue, '5000')
  },
  produce: async () => {
    const producer = kafka.producer({ idempotent: true })
    await producer.connect()
    await producer.send({
      topic,
      messages: ['a', 'b', 'c'].map((value) => ({ key: value, value })),
    })
    await producer.disconnect()
  },
  consume: async () => {
    const consumer = kafka.consumer({ groupId: `${topic}-consume` })
    expectEqual(await read(consumer, topic, 3), ['a', 'b', 'c'])
  },
  group: async () => {
    const groupId = `${topic}-consume`
    const { groups } = await admin.describeGroups([groupId])
    expectEqual(groups[0]?.state, 'Empty')
    const offsets = await admin.fetchOffsets({ groupId, topics: [topic] })
    const sum = offsets[0]?.partitions.reduce(
      (total, { offset }) => total + Math.max(0, Number(offset)),
      0,
    )
    expectEqual(sum, 3)
    await admin.deleteGroups([groupId])
  },
  codecs: async () => {
    addCodecs(kafkajs)
    const producer = kafka.producer()
    await producer.connect()
    const types = [
      CompressionTypes.GZIP,
      CompressionTypes.Snappy,
      CompressionTypes.LZ4,
      CompressionTypes.ZSTD,
    ]
    const packed = `${topic}-codecs`
    await admin.createTopics({ topics: [{ topic: packed }], waitForLeaders: true })
    for (const compression of types) {
      await producer.send({ topic: packed, compression, messages: [{ value: `v${compression}` }] })
    }
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: `${packed}-read` })
    expectEqual(await read(consumer, packed, 4), ['v1', 'v2', 'v3', 'v4'])
    await admin.deleteTopics({ topics: [topic, packed] })
    await admin.disconnect()
  },
})
