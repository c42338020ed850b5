// Unmodified kafkajs against an inline cluster over real TCP.
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { startCluster, type Cluster } from '../../src/index.ts'
import { findCoordinatorApi } from '../../src/wire/messages/10-find-coordinator.ts'
import { until } from '../../scenarios/lib/until.ts'
import { ask } from '../support/raw-client.ts'

function kafkaOf(cluster: Cluster): Kafka {
  return new Kafka({
    clientId: 'test',
    brokers: cluster.bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 30, maxRetryTime: 200, retries: 50 },
  })
}

const KEYS = 7

async function createTopic(kafka: Kafka, topic: string, numPartitions: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const topics = [{ topic, numPartitions, replicationFactor: 3 }]
  await admin.createTopics({ waitForLeaders: true, topics })
  await admin.disconnect()
}

/** The coordinator of a group as any running broker tells it; null while there is none. */
async function coordinatorOf(cluster: Cluster, group: string): Promise<number | null> {
  const broker = cluster.brokers.find(({ isRunning }) => isRunning)!
  const found = await ask(broker, findCoordinatorApi, 2, { key: group, keyType: 0 })
  return found.errorCode === 0 ? found.nodeId : null
}

describe('kafkajs', () => {
  it('produces, consumes in a group, loses a broker and misses no record', async () => {
    await using cluster = await startCluster({ brokers: 3 })
    const kafka = kafkaOf(cluster)
    await createTopic(kafka, 'orders', 3)
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const seen = new Set<string>()
    const consumer = kafka.consumer({
      groupId: 'billing',
      sessionTimeout: 2000,
      heartbeatInterval: 300,
    })
    await consumer.connect()
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.add(message.value!.toString())
        return Promise.resolve()
      },
    })
    // One key, so one partition, a send: kafkajs 2.2.4 remembers answers by broker, and when the leader of one
    // partition moves to a broker that has answered for another, it never sends that partition again.
    const send = async (from: number, to: number): Promise<void> => {
      for (let key = 0; key < KEYS; key += 1) {
        const messages: { key: string; value: string }[] = []
        for (let i = from; i < to; i += 1) {
          if (i % KEYS === key) messages.push({ key: `k${key}`, value: `v${i}` })
        }
        await producer.send({ topic: 'orders', acks: -1, messages })
      }
    }
    await send(0, 100)
    await until({ what: 'the first 100', timeoutMs: 15_000 }, () => seen.size === 100)
    await cluster.broker(1).kill()
    expect(cluster.broker(1).isRunning).toBe(false)
    await send(100, 200)
    await until({ what: 'all 200', timeoutMs: 15_000 }, () => seen.size === 200)
    await cluster.broker(1).restart()
    await send(200, 300)
    await until({ what: 'all 300', timeoutMs: 15_000 }, () => seen.size === 300)
    await Promise.all([producer.disconnect(), consumer.disconnect()])
  })

  it('finds committed offsets after the death of the coordinator', async () => {
    await using cluster = await startCluster({ brokers: 3 })
    const kafka = kafkaOf(cluster)
    await createTopic(kafka, 't', 1)
    const admin = kafka.admin()
    await admin.connect()
    const partitions = [{ partition: 0, offset: '41' }]
    await admin.setOffsets({ groupId: 'g', topic: 't', partitions })
    const coordinator = await coordinatorOf(cluster, 'g')
    expect(coordinator).not.toBeNull()
    await cluster.broker(coordinator!).kill()
    await until({ what: 'another coordinator', timeoutMs: 15_000 }, async () => {
      const found = await coordinatorOf(cluster, 'g')
      return found !== null && found !== coordinator
    })
    const offsets = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] })
    expect(offsets[0]!.partitions[0]!.offset).toBe('41')
    await admin.disconnect()
  })

  it('describes topics, settings and the cluster, and deletes topics', async () => {
    await using cluster = await startCluster({ brokers: 3 })
    const admin = kafkaOf(cluster).admin()
    await admin.connect()
    await admin.createTopics({
      topics: [
        {
          topic: 'described',
          numPartitions: 2,
          replicationFactor: 2,
          configEntries: [{ name: 'retention.ms', value: '1234' }],
        },
      ],
    })
    expect(await admin.listTopics()).toEqual(['described'])
    const { topics } = await admin.fetchTopicMetadata({ topics: ['described'] })
    expect(topics[0]!.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2])
    const configs = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: 'described', configNames: ['retention.ms'] },
      ],
    })
    expect(configs.resources[0]!.configEntries[0]!.configValue).toBe('1234')
    const described = await admin.describeCluster()
    expect(described.brokers.map(({ nodeId }) => nodeId).toSorted((a, b) => a - b)).toEqual([
      1, 2, 3,
    ])
    expect(described.clusterId).toBe(cluster.clusterId)
    await admin.deleteTopics({ topics: ['described'] })
    await until({ what: 'the topic to be gone', timeoutMs: 5000 }, async () => {
      const names = await admin.listTopics()
      return names.length === 0
    })
    await admin.disconnect()
  })
})
