import { describe, expect, it } from 'vitest'
import type { Properties } from '../../../../src/client/client-config.ts'
import { Producer } from '../../../../src/client/producer.ts'
import type { ProducerRecord } from '../../../../src/client/producer-record.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { produceApi } from '../../../../src/wire/messages/00-produce.ts'
import { metadataApi } from '../../../../src/wire/messages/03-metadata.ts'
import { initProducerIdApi } from '../../../../src/wire/messages/22-init-producer-id.ts'
import { readBatchHeader, readRecords } from '../../../../src/wire/record-batch.ts'
import { partitionOfKey } from '../../../../src/wire/murmur2.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { settle } from '../../../support/sim-promise.ts'

function setUp(
  properties: Properties = {},
  options: { brokers?: number; partitions?: number } = {},
) {
  const scripted = new ScriptedCluster({ brokers: options.brokers ?? 1, seed: 11 })
  scripted.createTopic('t', options.partitions ?? 1)
  const { ports } = scripted.clientNode
  const events: string[] = []
  const producer = new Producer(
    { 'bootstrap.servers': scripted.bootstrap, ...properties },
    { ...ports, events: { emit: (kind) => events.push(kind) } },
  )
  const ended: string[] = []
  const send = (value: string, more: Partial<ProducerRecord> = {}): void => {
    producer.produce({ topic: 't', value, ...more }, (error, metadata) => {
      const code = (error as { code?: string } | null)?.code
      ended.push(error === null ? `${value}@${metadata!.offset}` : `${value} ${code}`)
    })
  }
  const { world } = scripted
  const produced = () =>
    [...scripted.brokers.values()].flatMap((broker) => broker.requests(produceApi))
  /** The values of each Produce request, in order of arrival. */
  const requests = (): readonly string[] =>
    produced().map(({ body }) =>
      body.topicData
        .flatMap((topic) => topic.partitionData)
        .map(({ records }) =>
          readRecords(records!, 0)
            .map((each) => String(each.value))
            .join('+'),
        )
        .join(),
    )
  const stamps = () =>
    produced().map(({ body }) => {
      const header = readBatchHeader(body.topicData[0]!.partitionData[0]!.records!, 0)
      return [header.producerId, header.producerEpoch, header.baseSequence]
    })
  /** An answer to one partition of a Produce request. */
  const answer = (errorCode: number, baseOffset = -1, more = {}) => ({
    responses: [
      {
        name: 't',
        topicId: scripted.topics.get('t')!.id,
        partitionResponses: [{ index: 0, errorCode, baseOffset, ...more }],
      },
    ],
  })
  return { scripted, world, producer, ended, events, send, produced, requests, stamps, answer }
}

describe('Producer', () => {
  it('sends what came within linger.ms in one batch', () => {
    const { world, ended, send, requests } = setUp({ 'linger.ms': '100' })
    for (const value of ['a', 'b']) send(value)
    world.runFor(90)
    send('c')
    expect(requests()).toEqual([])
    world.runFor(100)
    expect(requests()).toEqual(['a+b+c'])
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
  })

  // A difference of times may be a rounding error less than linger.ms when it is over; nobody looked again then.
  it('sends what has lingered, whatever the clock says', () => {
    const { scripted, world, ended, send } = setUp({ 'linger.ms': '5' })
    const { clock } = scripted.clientNode.ports
    send('first')
    world.runFor(10)
    // The error comes where the bits of a number get coarser: at the powers of two.
    for (let power = 5; power <= 14; power += 1) {
      const times = Array.from({ length: 4000 }, (_, us) => (2 ** power * 1000 - 500 - us) / 1000)
      const atMs = times.find((each) => each + 5 - each < 5)!
      world.runFor(atMs - clock.monoMs())
      expect(clock.monoMs()).toBe(atMs)
      send(`v${power}`)
      world.runFor(9)
      expect(ended).toHaveLength(power - 3)
    }
  })

  it('sends a full batch without lingering', () => {
    const { world, send, requests } = setUp({ 'linger.ms': '10000', 'batch.size': '200' })
    for (const value of ['a', 'b', 'c']) send(value.repeat(50))
    world.runFor(100)
    expect(requests().map((each) => each[0])).toEqual(['a', 'b'])
  })

  it('puts every record in a batch of its own with batch.size 0', () => {
    const { world, ended, send, requests } = setUp({ 'batch.size': '0' })
    for (const value of ['a', 'b', 'c']) send(value)
    world.runFor(100)
    expect(requests()).toEqual(['a', 'b', 'c'])
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
  })

  it('writes key, value, headers and timestamp', () => {
    const { scripted, world, send } = setUp()
    const headers = [
      { key: 'h', value: 'x' },
      { key: 'n', value: null },
    ]
    send('v', { key: 'k', headers, timestampMs: 123 })
    world.runFor(100)
    const [record] = readRecords(scripted.partition('t', 0).batches[0]!, 0)
    expect(record).toMatchObject({ timestampMs: 123, key: Buffer.from('k') })
    expect(record!.headers).toEqual([
      { key: 'h', value: Buffer.from('x') },
      { key: 'n', value: null },
    ])
  })

  it('sends keyed records where Java does, others to one partition a batch', () => {
    const { scripted, world, send } = setUp({}, { partitions: 10 })
    for (const key of ['a', 'k1', 'hello world']) send(key, { key })
    world.runFor(100)
    const where = (value: string): number =>
      Array.from({ length: 10 }, (_, index) => index).findIndex((index) =>
        scripted.values('t', index).includes(value),
      )
    expect(['a', 'k1', 'hello world'].map(where)).toEqual([4, 7, 9])
    expect(partitionOfKey(Buffer.from('a'), 10)).toBe(4)
    const used = new Set<number>()
    for (let round = 0; round < 30; round += 1) {
      for (const value of ['x', 'y', 'z']) send(`${value}${round}`)
      world.runFor(50)
      const places = ['x', 'y', 'z'].map((value) => where(`${value}${round}`))
      expect(new Set(places).size).toBe(1)
      used.add(places[0]!)
    }
    expect(used.size).toBeGreaterThan(5)
  })

  it('sends to the partition that is given', () => {
    const { scripted, world, ended, send } = setUp({}, { partitions: 3 })
    send('a', { partition: 2, key: 'k' })
    send('b', { partition: -1 })
    world.runFor(100)
    expect(scripted.values('t', 2)).toEqual(['a'])
    expect(ended).toEqual(['b UNKNOWN_TOPIC_OR_PARTITION', 'a@0'])
  })

  it('gives batches of an idempotent producer consecutive sequences', () => {
    const { world, send, stamps } = setUp({ 'linger.ms': '0' })
    for (const count of [2, 3, 1]) {
      for (let index = 0; index < count; index += 1) send(`${count}`)
      world.runFor(50)
    }
    expect(stamps()).toEqual([
      [1000, 0, 0],
      [1000, 0, 2],
      [1000, 0, 5],
    ])
  })

  it('uses no producer id without idempotence', () => {
    const both: Properties[] = [{ 'enable.idempotence': 'false' }, { acks: '1' }]
    for (const properties of both) {
      const { scripted, world, send, stamps } = setUp(properties)
      send('a')
      world.runFor(100)
      expect(stamps()).toEqual([[-1, -1, -1]])
      expect(scripted.broker(1).requests(initProducerIdApi)).toEqual([])
    }
  })

  it('asks again for a producer id, and gives up when it will get none', () => {
    const { scripted, world, ended, send } = setUp()
    scripted
      .broker(1)
      .next(initProducerIdApi, (_request, reply) =>
        reply({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }),
      )
    send('a')
    world.runFor(500)
    expect(ended).toEqual(['a@0'])
    const other = setUp()
    other.scripted
      .broker(1)
      .on(initProducerIdApi, (_request, reply) =>
        reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }),
      )
    other.send('b')
    other.world.runFor(500)
    other.send('c')
    other.world.runFor(500)
    expect(other.ended).toEqual([
      'b CLUSTER_AUTHORIZATION_FAILED',
      'c CLUSTER_AUTHORIZATION_FAILED',
    ])
  })

  it('completes without an offset and without waiting with acks=0', () => {
    const { scripted, world, ended, send } = setUp({ acks: '0' })
    send('a')
    send('b')
    world.runFor(100)
    expect(ended).toEqual(['a@-1', 'b@-1'])
    expect(scripted.values('t', 0)).toEqual(['a', 'b'])
  })

  it('keeps the order when a request in the middle is refused', () => {
    const { scripted, world, ended, send, stamps, answer } = setUp({ 'batch.size': '0' })
    scripted.broker(1).next(
      produceApi,
      (_request, reply) => reply(answer(ErrorCode.NOT_ENOUGH_REPLICAS)),
      (_request, reply) => reply(answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)),
      (_request, reply) => reply(answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)),
    )
    for (const value of ['a', 'b', 'c']) send(value)
    world.runFor(2000)
    expect(scripted.values('t', 0)).toEqual(['a', 'b', 'c'])
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
    expect(stamps().map((each) => each[2])).toEqual([0, 1, 2, 0, 1, 2])
  })

  it('sends the same bytes again after a lost connection', () => {
    const { scripted, world, ended, send, produced } = setUp()
    scripted.broker(1).next(
      produceApi,
      (_request, reply) => reply.drop(),
      (_request, reply) => reply.drop(),
    )
    send('a')
    world.runFor(3000)
    expect(ended).toEqual(['a@0'])
    const bytes = produced().map(({ body }) => body.topicData[0]!.partitionData[0]!.records!)
    expect(bytes).toHaveLength(3)
    expect(bytes.every((each) => each.equals(bytes[0]!))).toBe(true)
  })

  it('sends again after a request that was not answered in time', () => {
    const { scripted, world, ended, send } = setUp({
      'request.timeout.ms': '300',
      'batch.size': '0',
    })
    scripted.broker(1).next(produceApi, () => undefined)
    for (const value of ['a', 'b', 'c']) send(value)
    world.runFor(3000)
    expect(scripted.values('t', 0)).toEqual(['a', 'b', 'c'])
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
  })

  it('takes a duplicate for stored', () => {
    const { scripted, world, ended, send, answer } = setUp()
    scripted
      .broker(1)
      .next(produceApi, (_request, reply) => reply(answer(ErrorCode.DUPLICATE_SEQUENCE_NUMBER)))
    send('a')
    world.runFor(100)
    expect(ended).toEqual(['a@-1'])
  })

  it('follows the leader', () => {
    const { scripted, world, ended, send } = setUp({}, { brokers: 3 })
    send('a')
    world.runFor(100)
    scripted.moveLeader('t', 0, 2)
    send('b')
    world.runFor(500)
    scripted.broker(2).stop()
    scripted.moveLeader('t', 0, 3)
    send('c')
    world.runFor(3000)
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
  })

  it('goes to the leader that an answer names without asking for metadata (KIP-951)', () => {
    const { scripted, world, ended, send, answer } = setUp({}, { brokers: 2 })
    send('a')
    world.runFor(100)
    const before = scripted.broker(1).requests(metadataApi).length
    scripted.moveLeader('t', 0, 2)
    scripted.broker(1).next(produceApi, (_request, reply) =>
      reply({
        ...answer(ErrorCode.NOT_LEADER_OR_FOLLOWER, -1, {
          currentLeader: { leaderId: 2, leaderEpoch: 1 },
        }),
        nodeEndpoints: [{ nodeId: 2, host: 'b2', port: 9092 }],
      }),
    )
    send('b')
    world.runFor(50)
    expect(ended).toEqual(['a@0', 'b@1'])
    expect(scripted.broker(1).requests(metadataApi)).toHaveLength(before)
  })

  it('fails a batch at once on an error that no retry helps', () => {
    const { scripted, world, ended, send, answer } = setUp({ 'linger.ms': '0' })
    scripted
      .broker(1)
      .next(produceApi, (_request, reply) => reply(answer(ErrorCode.TOPIC_AUTHORIZATION_FAILED)))
    send('a')
    world.runFor(50)
    send('b')
    world.runFor(50)
    expect(ended).toEqual(['a TOPIC_AUTHORIZATION_FAILED', 'b@0'])
  })

  it('tells each record its own error (KIP-467)', () => {
    const { scripted, world, producer, answer } = setUp()
    const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'no key' }]
    scripted
      .broker(1)
      .next(produceApi, (_request, reply) =>
        reply(answer(ErrorCode.INVALID_RECORD, -1, { recordErrors, errorMessage: 'bad batch' })),
      )
    const errors: string[] = []
    for (const value of ['a', 'b']) {
      producer.produce({ topic: 't', value }, (error) => errors.push(error!.message))
    }
    world.runFor(100)
    expect(errors).toEqual(['bad batch', 'no key'])
  })

  it('goes on under a new epoch after a broker that lost records', () => {
    const { scripted, world, ended, events, send, stamps, answer } = setUp({ 'batch.size': '0' })
    send('a')
    world.runFor(50)
    scripted.broker(1).next(
      produceApi,
      (_request, reply) => reply(answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)),
      (_request, reply) => reply(answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)),
    )
    send('b')
    send('c')
    world.runFor(1000)
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
    expect(stamps().slice(-2)).toEqual([
      [1000, 1, 0],
      [1000, 1, 1],
    ])
    expect(events).toContain('client.producer-epoch-bumped')
  })

  it('gives records up after delivery.timeout.ms, wherever they are', () => {
    const properties = {
      'delivery.timeout.ms': '1000',
      'request.timeout.ms': '400',
      'linger.ms': '0',
      'batch.size': '0',
    }
    const { scripted, world, ended, send } = setUp(properties)
    scripted.broker(1).on(produceApi, () => undefined)
    for (const value of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) send(value)
    world.runFor(900)
    expect(ended).toEqual([])
    world.runFor(200)
    expect(ended).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((value) => `${value} TIMEOUT`))
  })

  it('sends no more than retries tells', () => {
    const { scripted, world, ended, send, produced, answer } = setUp({
      retries: '2',
      'enable.idempotence': 'false',
    })
    scripted
      .broker(1)
      .on(produceApi, (_request, reply) => reply(answer(ErrorCode.NOT_ENOUGH_REPLICAS)))
    send('a')
    world.runFor(5000)
    expect([ended, produced().length]).toEqual([['a NOT_ENOUGH_REPLICAS'], 3])
  })

  it('has no more requests in flight to a broker than allowed', () => {
    const { scripted, world, ended, send } = setUp({
      'max.in.flight.requests.per.connection': '2',
      'batch.size': '0',
    })
    const held: (() => void)[] = []
    const broker = scripted.broker(1)
    broker.next(produceApi, (request, reply) => {
      held.push(() =>
        reply({
          responses: [
            {
              topicId: scripted.topics.get('t')!.id,
              partitionResponses: [
                scripted.produce('t', 0, request.body.topicData[0]!.partitionData[0]!.records!),
              ],
            },
          ],
        }),
      )
    })
    for (const value of ['a', 'b', 'c']) send(value)
    world.runFor(200)
    expect(broker.requests(produceApi)).toHaveLength(1)
    held[0]!()
    world.runFor(200)
    expect(ended).toEqual(['a@0', 'b@1', 'c@2'])
  })

  it('waits for room in the buffer and sends at once meanwhile', () => {
    const { scripted, world, ended, send } = setUp({
      'buffer.memory': '300',
      'linger.ms': '60000',
      'delivery.timeout.ms': '120000',
    })
    send('warm')
    world.runFor(10)
    for (let index = 0; index < 4; index += 1) send(`${index}`.repeat(100))
    world.runFor(500)
    expect(scripted.values('t', 0).map((value) => value[0])).toEqual(['w', '0', '1'])
    expect(ended).toHaveLength(3)
  })

  it('refuses what finds no room within max.block.ms, or no place to wait', () => {
    const { scripted, world, ended, send } = setUp({
      'buffer.memory': '300',
      'max.block.ms': '500',
    })
    scripted.broker(1).on(produceApi, () => undefined)
    for (const value of 'abcdefg') send(value.repeat(100))
    world.runFor(600)
    expect(ended.map((each) => `${each[0]} ${each.split(' ')[1]}`)).toEqual([
      'c BUFFER_EXHAUSTED',
      'd BUFFER_EXHAUSTED',
      'e BUFFER_EXHAUSTED',
      'f BUFFER_EXHAUSTED',
      'g BUFFER_EXHAUSTED',
    ])
    for (const value of 'hi') send(value.repeat(100))
    world.runFor(600)
    expect(ended.slice(5).map((each) => `${each[0]} ${each.split(' ')[1]}`)).toEqual([
      'h TIMEOUT',
      'i TIMEOUT',
    ])
  })

  it('refuses records that can never be sent', () => {
    const { world, ended, send } = setUp({ 'max.request.size': '1000' })
    send('a'.repeat(1000))
    world.runFor(10)
    expect(ended[0]).toContain('MESSAGE_TOO_LARGE')
  })

  it('waits for a topic up to max.block.ms, in order', () => {
    const { scripted, world, ended, send } = setUp({ 'max.block.ms': '1000' })
    send('a', { topic: 'later' })
    send('b', { topic: 'later' })
    send('c', { topic: 'never' })
    world.runFor(300)
    scripted.createTopic('later', 1)
    world.runFor(1200)
    expect(ended).toEqual(['a@0', 'b@1', 'c TIMEOUT'])
    expect(scripted.values('later', 0)).toEqual(['a', 'b'])
  })

  it('fails all records of a topic with a bad name at once', () => {
    const { scripted, world, ended, send } = setUp()
    scripted.broker(1).on(metadataApi, (request, reply) =>
      reply({
        ...scripted.metadataFor(request.body),
        topics: [{ name: 'bad/name', errorCode: 17, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      }),
    )
    send('a', { topic: 'bad/name' })
    send('b', { topic: 'bad/name' })
    world.runFor(100)
    expect(ended).toEqual(['a INVALID_TOPIC_EXCEPTION', 'b INVALID_TOPIC_EXCEPTION'])
  })

  it('names topics for brokers that do not know their ids', () => {
    const { scripted, world, ended, send, produced } = setUp()
    scripted.broker(1).advertise(
      new Map([
        [0, [3, 7]],
        [3, [0, 6]],
        [18, [0, 2]],
        [22, [0, 1]],
      ]),
    )
    send('a')
    world.runFor(100)
    expect(ended).toEqual(['a@0'])
    expect(produced().map(({ version }) => version)).toEqual([7])
  })

  it('waits as long as a broker asks for', () => {
    const { scripted, world, send, produced, answer } = setUp({ 'linger.ms': '0' })
    scripted
      .broker(1)
      .next(produceApi, (_request, reply) => reply({ ...answer(0, 0), throttleTimeMs: 700 }))
    send('a')
    world.runFor(50)
    send('b')
    world.runFor(500)
    expect(produced()).toHaveLength(1)
    world.runFor(300)
    expect(produced()).toHaveLength(2)
  })

  it('flushes what was sent before, without lingering', async () => {
    const { world, producer, ended, send } = setUp({
      'linger.ms': '60000',
      'delivery.timeout.ms': '120000',
    })
    send('a')
    send('b')
    await settle(world, producer.flush(), 1000)
    expect(ended).toEqual(['a@0', 'b@1'])
    await settle(world, producer.flush(), 1000)
  })

  it('delivers before it closes and refuses afterwards', async () => {
    const { world, scripted, producer, ended, send } = setUp({ 'linger.ms': '1000' })
    send('a')
    const closing = producer.close()
    send('b')
    await settle(world, closing, 500)
    await settle(world, producer.close(), 1)
    expect(ended).toEqual(['b CONNECTION', 'a@0'])
    world.runFor(10)
    expect(scripted.broker(1).openCount).toBe(0)
    await expect(settle(world, producer.send({ topic: 't', value: 'c' }))).rejects.toThrow('closed')
  })

  it('fails what could not be delivered when closing takes too long', async () => {
    const { world, scripted, producer, ended, send } = setUp()
    scripted.broker(1).on(produceApi, () => undefined)
    send('a')
    send('b', { topic: 'unknown' })
    await settle(world, producer.close({ timeoutMs: 300 }), 400)
    expect(ended.sort()).toEqual(['a TIMEOUT', 'b TIMEOUT'])
  })

  it('stores every record once and in order through lost connections and moving leaders', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { scripted, world, ended, send } = setUp(
        { 'batch.size': '100', 'linger.ms': '1', 'request.timeout.ms': '500' },
        { brokers: 3 },
      )
      const random = world.random(`faults ${seed}`)
      scripted.dropDuplicates()
      for (let index = 0; index < 300; index += 1) {
        send(`${index}`)
        world.runFor(random.below(10))
        const dice = random.below(40)
        if (dice === 0) scripted.moveLeader('t', 0, 1 + random.below(3))
        if (dice === 1) scripted.broker(1 + random.below(3)).dropConnections()
      }
      world.runFor(20_000)
      const all = Array.from({ length: 300 }, (_, index) => `${index}`)
      expect(scripted.values('t', 0)).toEqual(all)
      expect(ended.map((each) => each.split('@')[0])).toEqual(all)
    }
  })
})
