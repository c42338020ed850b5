import {
  Admin,
  Consumer,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { runSteps } from '../steps.ts'

const [bootstrap = ''] = process.argv.slice(2)
const topic = `platformatic-${process.pid}`
const options = { clientId: 'conformance', bootstrapBrokers: bootstrap.split(',') }
const admin = new Admin(options)

async function read(groupId: string, from: string, count: number): Promise<string[]> {
  const consumer = new Consumer({ ...options, groupId, deserializers: stringDeserializers })
  const stream = await consumer.consume({
    topics: [from],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
  })
  const values: string[] = []
  for await (const message of stream) {
    values.push(message.value ?? '')
    await message.commit()
    if (values.length === count) break
  }
  await stream.close()
  await consumer.close()
  return values.sort()
}

function expectEqual(seen: unknown, wanted: unknown): void {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(wanted)]
  if (one !== other) throw new Error(`expected ${other}, got ${one}`)
}

await runSteps({
  admin: async () => {
    const [created] = await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })
    expectEqual(created?.name, topic)
    const names = await admin.listTopics()
    expectEqual(names.includes(topic), true)
  },
  produce: async () => {
    const producer = new Producer({ ...options, idempotent: true, serializers: stringSerializers })
    const messages = ['a', 'b', 'c'].map((value) => ({ topic, key: value, value }))
    await producer.send({ messages, acks: -1 })
    await producer.close()
  },
  consume: async () => {
    expectEqual(await read(`${topic}-consume`, topic, 3), ['a', 'b', 'c'])
  },
  group: async () => {
    const groupId = `${topic}-consume`
    const groups = await admin.describeGroups({ groups: [groupId] })
    expectEqual(groups.get(groupId)?.state, 'Empty')
    await admin.deleteGroups({ groups: [groupId] })
  },
  codecs: async () => {
    const packed = `${topic}-codecs`
    await admin.createTopics({ topics: [packed], partitions: 1, replicas: 1 })
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const producer = new Producer({ ...options, compression, serializers: stringSerializers })
      await producer.send({ messages: [{ topic: packed, key: 'k', value: compression }], acks: -1 })
      await producer.close()
    }
    expectEqual(await read(`${packed}-read`, packed, 4), ['gzip', 'lz4', 'snappy', 'zstd'])
    await admin.deleteTopics({ topics: [topic, packed] })
    await admin.close()
  },
})
