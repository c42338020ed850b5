// Goal: whatever a client sends, expands, holds open or leaves unread, the broker lives, others are served and its
// memory is bounded. Method: seeded broken requests and bad clients over real sockets; `npm run conformance -- --fuzz
// SECONDS` does the same for longer, with ten thousand connections, against a broker in a process of its own.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Broker, type Cluster, type NodeEvent } from '../../src/index.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { produceApi } from '../../src/wire/messages/00-produce.ts'
import { metadataApi } from '../../src/wire/messages/03-metadata.ts'
import { createTopicsApi } from '../../src/wire/messages/19-create-topics.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import { encodeRequest } from '../../src/wire/request.ts'
import { until } from '../../scenarios/lib/until.ts'
import { neverRead, openIdle, throwAt } from '../../tools/conformance/fuzz/bad-clients.ts'
import { bombs } from '../../tools/conformance/fuzz/bombs.ts'
import { brokenFrames, wholeFrames } from '../../tools/conformance/fuzz/broken-frames.ts'
import { ask } from '../support/raw-client.ts'

const SEED = 5
const ROUNDS = 20
const FRAMES_A_ROUND = 25
const IDLE_CONNECTIONS = 300
const events: NodeEvent[] = []
let cluster: Cluster
let broker: Broker

beforeAll(async () => {
  const onEvent = (event: NodeEvent): void => void events.push(event)
  const properties = { 'auto.create.topics.enable': 'false' }
  cluster = await startCluster({ brokers: 1, properties, onEvent })
  broker = cluster.broker(1)
  const configs = [{ name: 'cleanup.policy', value: 'compact' }]
  const topics = [
    { name: 'plain', numPartitions: 1, replicationFactor: 1 },
    { name: 'compacted', numPartitions: 1, replicationFactor: 1, configs },
  ]
  await ask(broker, createTopicsApi, 7, { timeoutMs: 5000, topics })
  await until({ what: 'leaders', timeoutMs: 5000 }, async () => {
    const { topics: known } = await ask(broker, metadataApi, 12, { topics: null })
    return known.length === 2 && known.every(({ partitions }) => partitions[0]?.leaderId === 1)
  })
})

afterAll(async () => {
  await cluster.stop()
})

async function produce(topic: string, records: Buffer): Promise<number> {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const answer = await ask(broker, produceApi, 9, { acks: -1, timeoutMs: 5000, topicData })
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

/** Another client stores a record; `ask` ends with an error when that takes longer than its time. */
async function expectServed(): Promise<void> {
  const records = writeBatch({
    records: [{ key: Buffer.from('k'), value: null }],
    timestampMs: Date.now(),
  })
  expect(await produce('plain', records)).toBe(ErrorCode.NONE)
  expect(events.filter(({ kind }) => kind === 'response.failed')).toEqual([])
}

describe('bad clients', () => {
  it('break requests in every way, and others are served', async () => {
    const frames = brokenFrames(wholeFrames())
    for (let round = 0; round < ROUNDS; round += 1) {
      const sent = fc.sample(frames, { seed: SEED + round, numRuns: FRAMES_A_ROUND })
      await Promise.all(sent.map((frame) => throwAt(broker, [frame])))
      expect(broker.isRunning).toBe(true)
      await expectServed()
    }
  })

  // What cannot be unpacked is as unexpected to Kafka as any other broken data of a codec.
  it.each(bombs(Date.now()))('send a $codec batch that expands beyond all bounds', async (bomb) => {
    const before = process.memoryUsage().rss
    expect(bomb.batch.length).toBeLessThan(1_048_576)
    expect(await produce('compacted', bomb.batch)).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
    await expectServed()
  })

  it('say nothing, or stop in the middle of a frame', async () => {
    const sockets = await openIdle(broker, IDLE_CONNECTIONS)
    try {
      expect(sockets).toHaveLength(IDLE_CONNECTIONS)
      await expectServed()
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

  it('ask without reading, until the broker takes no more from them', async () => {
    const request = Buffer.concat(encodeRequest(metadataApi, 12, 1, 'deaf', { topics: null }))
    const many = Buffer.concat(Array.from({ length: 500 }, () => request))
    const { socket, isStopped } = await neverRead(broker, many, 64 * 1024 * 1024)
    try {
      expect(isStopped).toBe(true)
      await expectServed()
    } finally {
      socket.destroy()
    }
  })
})
