// Goal: transactions as users of a cluster see them, over real TCP: those of unmodified kafkajs (old versions of all
// requests, protocol 1) and of our own client (protocol 2).
import type { Kafka } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../scenarios/lib/until.ts'
import { createClient, type Client, type Producer } from '../../src/client/index.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { NodeRandom } from '../../src/real/node-random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { listOffsetsApi } from '../../src/wire/messages/02-list-offsets.ts'
import { describeProducersApi } from '../../src/wire/messages/61-describe-producers.ts'
import { kafkaOf } from '../support/kafkajs.ts'
import { ask } from '../support/raw-client.ts'

const LIMIT_MS = 20_000
const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }

describe('transactions', () => {
  let cluster: Cluster
  let kafka: Kafka
  let client: Client

  beforeAll(async () => {
    cluster = await startCluster({ brokers: 3 })
    kafka = kafkaOf(cluster)
    client = createClient({ bootstrapServers: cluster.bootstrapServers, ports })
    const admin = kafka.admin()
    await admin.connect()
    const topics = ['k', 'fence', 'n', 'open', 'in', 'out'].map((topic) => ({
      topic,
      numPartitions: 2,
      replicationFactor: 3,
    }))
    await admin.createTopics({ waitForLeaders: true, topics })
    await admin.disconnect()
  })

  afterAll(async () => {
    await client.close()
    await cluster.stop()
  })

  /** What readers of committed or of all records find, sorted, once `count` are there. */
  async function values(topic: string, level: 'committed' | 'uncommitted', count: number) {
    const consumer = client.consumer({ 'isolation.level': `read_${level}` })
    const partitions = [0, 1].map((partition) => ({ topic, partition }))
    consumer.assign(partitions)
    consumer.seekToBeginning(partitions)
    const found: string[] = []
    await until({ what: `${count} records of ${topic}`, timeoutMs: LIMIT_MS }, async () => {
      found.push(...(await consumer.poll(100)).map(({ value }) => String(value)))
      return found.length >= count
    })
    found.push(...(await consumer.poll(300)).map(({ value }) => String(value)))
    await consumer.close()
    return found.sort()
  }

  async function committedOffset(group: string, topic: string): Promise<number> {
    const admin = kafka.admin()
    await admin.connect()
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    await admin.disconnect()
    return Number(found!.partitions.find(({ partition }) => partition === 0)!.offset)
  }

  async function leaderOf(topic: string): Promise<number> {
    const { partitions } = await client.producer().partitionsFor(topic)
    return partitions[0]!.leader
  }

  it('of kafkajs are committed or aborted, offsets with them', async () => {
    const producer = kafka.producer({
      transactionalId: 'k',
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await producer.connect()
    const offsets = (offset: string) => ({
      consumerGroupId: 'k-group',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset }] }],
    })
    for (const [round, isCommit] of [true, false, true].entries()) {
      const transaction = await producer.transaction()
      for (const partition of [0, 1]) {
        const messages = [{ value: `${round}-${partition}`, partition }]
        await transaction.send({ topic: 'k', messages })
      }
      await transaction.sendOffsets(offsets(String(10 + round)))
      await (isCommit ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    expect(await values('k', 'committed', 4)).toEqual(['0-0', '0-1', '2-0', '2-1'])
    expect(await values('k', 'uncommitted', 6)).toHaveLength(6)
    expect(await committedOffset('k-group', 'in')).toBe(12)
  })

  it('of a kafkajs producer end when another takes over its id', async () => {
    const options = { transactionalId: 'fence', maxInFlightRequests: 1, idempotent: true }
    const [old, fresh] = [kafka.producer(options), kafka.producer(options)]
    await old.connect()
    const zombie = await old.transaction()
    await zombie.send({ topic: 'fence', messages: [{ value: 'old', partition: 0 }] })
    await fresh.connect()
    const transaction = await fresh.transaction()
    await transaction.send({ topic: 'fence', messages: [{ value: 'new', partition: 0 }] })
    await transaction.commit()
    const late = [{ value: 'late', partition: 0 }]
    await expect(
      zombie.send({ topic: 'fence', messages: late }).then(() => zombie.commit()),
    ).rejects.toThrow('old epoch')
    expect(await values('fence', 'committed', 1)).toEqual(['new'])
    await Promise.all([old.disconnect(), fresh.disconnect()])
  })

  it('of kafkajs pass through brokers that look like those of 2.8', async () => {
    await using capped = await startCluster({ brokers: 2, protocol: '2.8' })
    const old = kafkaOf(capped)
    const admin = old.admin()
    await admin.connect()
    const topics = [{ topic: 'capped', numPartitions: 2, replicationFactor: 2 }]
    await admin.createTopics({ waitForLeaders: true, topics })
    const options = { transactionalId: 'capped', maxInFlightRequests: 1, idempotent: true }
    const producer = old.producer(options)
    await producer.connect()
    const transaction = await producer.transaction()
    const messages = [0, 1].map((partition) => ({ value: 'a', partition }))
    await transaction.send({ topic: 'capped', messages })
    await transaction.commit()
    await until({ what: 'the markers', timeoutMs: LIMIT_MS }, async () => {
      const offsets = await admin.fetchTopicOffsets('capped')
      return offsets.every(({ high }) => high === '2')
    })
    await producer.disconnect()
    await admin.disconnect()
  })

  it('of our client are committed or aborted, offsets with them', async () => {
    const producer = client.producer({ 'transactional.id': 'n' })
    await producer.initTransactions()
    const group = { groupId: 'n-group', generation: -1, memberId: '', groupInstanceId: null }
    for (const [round, isCommit] of [true, false, true].entries()) {
      producer.beginTransaction()
      for (const partition of [0, 1]) await put(producer, 'n', `${round}-${partition}`, partition)
      const offset = { topic: 'in', partition: 0, offset: 20 + round }
      await producer.sendOffsetsToTransaction([offset], group)
      await (isCommit ? producer.commitTransaction() : producer.abortTransaction())
    }
    await producer.close()
    expect(await values('n', 'committed', 4)).toEqual(['0-0', '0-1', '2-0', '2-1'])
    expect(await values('n', 'uncommitted', 6)).toHaveLength(6)
    expect(await committedOffset('n-group', 'in')).toBe(22)
  })

  it('that are open hold back readers, and are told by DescribeProducers', async () => {
    const producer = client.producer({ 'transactional.id': 'open' })
    await producer.initTransactions()
    producer.beginTransaction()
    await put(producer, 'open', 'a', 0)
    const leader = cluster.broker(await leaderOf('open'))
    const latest = async (isolationLevel: number) => {
      const topics = [{ name: 'open', partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
      const body = { replicaId: -1, isolationLevel, topics }
      return (await ask(leader, listOffsetsApi, 8, body)).topics[0]!.partitions[0]!.offset
    }
    expect([await latest(1), await latest(0)]).toEqual([0, 1])
    const described = await ask(leader, describeProducersApi, 0, {
      topics: [{ name: 'open', partitionIndexes: [0] }],
    })
    expect(described.topics[0]!.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NONE,
      activeProducers: [{ lastSequence: 0, currentTxnStartOffset: 0 }],
    })
    await producer.commitTransaction()
    await until({ what: 'the marker', timeoutMs: LIMIT_MS }, async () => (await latest(1)) === 2)
    await producer.close()
  })

  it('of a producer of ours end when another takes over its id', async () => {
    const options = { 'transactional.id': 'fence-n' }
    const [zombie, fresh] = [client.producer(options), client.producer(options)]
    await zombie.initTransactions()
    zombie.beginTransaction()
    await put(zombie, 'out', 'old', 0)
    await fresh.initTransactions()
    fresh.beginTransaction()
    await put(fresh, 'out', 'new', 0)
    await expect(zombie.commitTransaction()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    await fresh.commitTransaction()
    expect(await values('out', 'committed', 1)).toEqual(['new'])
  })
})

async function put(
  producer: Producer,
  topic: string,
  value: string,
  partition: number,
): Promise<void> {
  await producer.send({ topic, value, partition })
}
