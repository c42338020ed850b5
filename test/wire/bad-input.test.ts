// Goal: whatever bytes arrive, the broker answers with the protocol's error or closes that one
// connection, goes on serving the others, and keeps what it has stored.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Broker, type Cluster, type NodeEvent } from '../../src/index.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { produceApi } from '../../src/wire/messages/00-produce.ts'
import { fetchApi } from '../../src/wire/messages/01-fetch.ts'
import { metadataApi } from '../../src/wire/messages/03-metadata.ts'
import { apiVersionsApi } from '../../src/wire/messages/18-api-versions.ts'
import { createTopicsApi } from '../../src/wire/messages/19-create-topics.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import { decodeResponse, encodeRequest } from '../../src/wire/request.ts'
import { until } from '../../scenarios/lib/until.ts'
import { ask, sendBytes } from '../support/raw-client.ts'

const MAX_FRAME = 1_000_000
const events: NodeEvent[] = []
let cluster: Cluster
let broker: Broker

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 1,
    properties: { 'socket.request.max.bytes': String(MAX_FRAME) },
    onEvent: (event) => events.push(event),
  })
  broker = cluster.broker(1)
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1 }]
  const created = await ask(broker, createTopicsApi, 7, { timeoutMs: 5000, topics })
  expect(created.topics[0]!.errorCode).toBe(ErrorCode.NONE)
  await until({ what: 'a leader of t-0', timeoutMs: 5000 }, async () => {
    const { topics: known } = await ask(broker, metadataApi, 12, { topics: null })
    return known[0]?.partitions[0]?.leaderId === 1
  })
  expect(await produce(batch('kept'))).toMatchObject({ errorCode: ErrorCode.NONE })
})

afterAll(async () => {
  await cluster.stop()
})

function batch(value: string): Buffer {
  return writeBatch({
    records: [{ key: null, value: Buffer.from(value) }],
    timestampMs: Date.now(),
  })
}

async function produce(records: Buffer) {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  const answer = await ask(broker, produceApi, 9, { acks: -1, timeoutMs: 5000, topicData })
  return answer.responses[0]!.partitionResponses[0]!
}

function frame(bytes: Buffer, claimedSize = bytes.length): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(claimedSize)
  return Buffer.concat([size, bytes])
}

/** The broker still serves others, and the record that was stored first is still there. */
async function expectUnharmed(): Promise<void> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const body = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions }] }
  const answer = await ask(broker, fetchApi, 12, body)
  const { errorCode, records } = answer.responses[0]!.partitions[0]!
  expect(errorCode).toBe(ErrorCode.NONE)
  expect(records!.includes('kept')).toBe(true)
}

describe('frames that cannot be read', () => {
  it.each([
    ['is longer than socket.request.max.bytes', frame(Buffer.alloc(8), MAX_FRAME + 1)],
    ['has a negative size', frame(Buffer.alloc(8), -1)],
    ['is HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['is shorter than a header', frame(Buffer.from([0, 18]))],
    ['has an unknown API key', frame(Buffer.from('7fff0000000000010000', 'hex'))],
    ['has a version that is not served', frame(Buffer.from('000300ff000000010000', 'hex'))],
    ['ends inside its body', frame(Buffer.from('00030009000000010000000a', 'hex'))],
    ['claims an array of a billion', frame(Buffer.from('000300010000000100003b9aca00', 'hex'))],
  ])('closes the connection of a frame that %s, and says so once', async (_, bytes) => {
    const before = events.filter(({ kind }) => kind === 'connection.refused').length
    const { received, isClosed } = await sendBytes(broker, bytes)
    expect(isClosed).toBe(true)
    expect(received.length).toBe(0)
    const after = events.filter(({ kind }) => kind === 'connection.refused').length
    expect(after).toBe(before + 1)
    await expectUnharmed()
  })

  it('drops a connection that ends in the middle of a frame', async () => {
    const half = frame(Buffer.alloc(100)).subarray(0, 50)
    const { isClosed } = await sendBytes(broker, half, { endsAfter: true })
    expect(isClosed).toBe(true)
    await expectUnharmed()
  })

  it('answers an ApiVersions of the future in version 0 with what it serves', async () => {
    const [size, ...rest] = splitFrame(encodeRequest(apiVersionsApi, 3, 77, 'x', {}))
    const request = Buffer.concat([size!, ...rest])
    request.writeInt16BE(99, 6)
    const { received } = await sendBytes(broker, request, { wantedBytes: 20 })
    const { correlationId, body } = decodeResponse(apiVersionsApi, 0, received.subarray(4))
    expect(correlationId).toBe(77)
    expect(body.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect(body.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 5 }])
  })
})

describe('batches that cannot be stored', () => {
  it('refuses a wrong CRC with CORRUPT_MESSAGE', async () => {
    const bad = batch('flipped')
    bad[bad.length - 1]! ^= 0xff
    expect(await produce(bad)).toMatchObject({
      errorCode: ErrorCode.CORRUPT_MESSAGE,
      baseOffset: -1,
    })
    await expectUnharmed()
  })

  it('refuses a batch that is cut short', async () => {
    const whole = batch('cut')
    const { errorCode } = await produce(whole.subarray(0, whole.length - 5))
    expect([ErrorCode.CORRUPT_MESSAGE, ErrorCode.INVALID_RECORD]).toContain(errorCode)
    await expectUnharmed()
  })

  it('refuses two batches in one partition and an old format with INVALID_RECORD', async () => {
    const two = Buffer.concat([batch('a'), batch('b')])
    expect(await produce(two)).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
    const old = batch('old')
    old[16] = 1
    expect(await produce(old)).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
    await expectUnharmed()
  })

  it('refuses acks that Kafka does not know, and a partition that does not exist', async () => {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch('x') }] }]
    const acks = await ask(broker, produceApi, 9, { acks: 2, timeoutMs: 5000, topicData })
    expect(acks.responses[0]!.partitionResponses[0]!.errorCode).toBe(
      ErrorCode.INVALID_REQUIRED_ACKS,
    )
    const wrong = [{ name: 't', partitionData: [{ index: 9, records: batch('x') }] }]
    const missing = await ask(broker, produceApi, 9, { acks: 1, timeoutMs: 5000, topicData: wrong })
    expect(missing.responses[0]!.partitionResponses[0]!.errorCode).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    )
  })
})

function splitFrame(buffers: readonly Buffer[]): Buffer[] {
  const all = Buffer.concat(buffers)
  return [all.subarray(0, 4), all.subarray(4)]
}
