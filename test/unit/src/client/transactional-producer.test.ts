// Goal: a transactional producer does what Java's does, request by request, with both protocols.
import { describe, expect, it } from 'vitest'
import type { Properties } from '../../../../src/client/client-config.ts'
import { Producer } from '../../../../src/client/producer.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { produceApi } from '../../../../src/wire/messages/00-produce.ts'
import { initProducerIdApi } from '../../../../src/wire/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../../src/wire/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from '../../../../src/wire/messages/25-add-offsets-to-txn.ts'
import { endTxnApi } from '../../../../src/wire/messages/26-end-txn.ts'
import { txnOffsetCommitApi } from '../../../../src/wire/messages/28-txn-offset-commit.ts'
import { readBatchHeader } from '../../../../src/wire/record-batch.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { settle } from '../../../support/sim-promise.ts'

const GROUP = { groupId: 'g', generation: 3, memberId: 'm', groupInstanceId: null }
const OFFSETS = [{ topic: 'in', partition: 1, offset: 42 }]

/** One broker that leads and coordinates everything, and what it was asked. */
function setUp(level: 0 | 2, properties: Properties = {}) {
  const scripted = new ScriptedCluster({ brokers: 1, seed: 5 })
  scripted.createTopic('t', 2)
  const broker = scripted.broker(1)
  if (level > 0) broker.finalize({ 'transaction.version': level })
  const ids = { producerId: 900, producerEpoch: 0 }
  broker.on(initProducerIdApi, ({ body }, reply) => {
    if (body.producerId >= 0) ids.producerEpoch += 1
    reply({ ...ids })
  })
  broker.on(addPartitionsToTxnApi, ({ body }, reply) => {
    reply({
      resultsByTopicV3AndBelow: body.v3AndBelowTopics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex })),
      })),
    })
  })
  broker.on(addOffsetsToTxnApi, (_request, reply) => reply({}))
  broker.on(txnOffsetCommitApi, ({ body }, reply) => {
    reply({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex })),
      })),
    })
  })
  broker.on(endTxnApi, ({ version }, reply) => {
    if (version < 5) return reply({})
    ids.producerEpoch += 1
    reply({ ...ids })
  })
  const { world } = scripted
  const producer = new Producer(
    { 'bootstrap.servers': scripted.bootstrap, 'transactional.id': 'copy', ...properties },
    scripted.clientNode.ports,
  )
  const run = <T>(promise: Promise<T>): Promise<T> => settle(world, promise)
  const send = (value: string, partition = 0) => producer.send({ topic: 't', value, partition })
  const begun = async () => {
    await run(producer.initTransactions())
    producer.beginTransaction()
  }
  /** The names and versions of all requests that have to do with transactions, in order. */
  const log = () =>
    broker.seen
      .filter(({ api }) => !['ApiVersions', 'Metadata', 'FindCoordinator'].includes(api))
      .map(({ api, version }) => `${api} ${version}`)
  const stamps = () =>
    broker.requests(produceApi).map(({ body }) => {
      const { producerEpoch, baseSequence, isTransactional } = readBatchHeader(
        body.topicData[0]!.partitionData[0]!.records!,
        0,
      )
      expect(isTransactional && body.transactionalId === 'copy').toBe(true)
      return [producerEpoch, baseSequence]
    })
  return { scripted, broker, world, producer, run, send, begun, log, stamps }
}

function refused(errorCode: ErrorCode) {
  return (_request: unknown, reply: (body: { errorCode: ErrorCode }) => void): void =>
    reply({ errorCode })
}

describe('a transaction of protocol 1', () => {
  it('adds its partitions before it sends to them, and its offsets before they are committed', async () => {
    const { producer, broker, run, send, begun, log, stamps } = setUp(0)
    await begun()
    await run(Promise.all([send('a'), send('b', 1)]))
    await run(send('c'))
    await run(producer.sendOffsetsToTransaction(OFFSETS, GROUP))
    await run(producer.commitTransaction())
    expect(log()).toEqual([
      'InitProducerId 5',
      'AddPartitionsToTxn 3',
      'AddPartitionsToTxn 3',
      ...['Produce 11', 'Produce 11'],
      'AddOffsetsToTxn 4',
      'TxnOffsetCommit 4',
      'EndTxn 4',
    ])
    expect(stamps()).toEqual([
      [0, 0],
      [0, 1],
    ])
    expect(broker.requests(txnOffsetCommitApi)[0]!.body).toMatchObject({
      groupId: 'g',
      memberId: 'm',
      generationIdOrMemberEpoch: 3,
      topics: [{ name: 'in', partitions: [{ partitionIndex: 1, committedOffset: 42 }] }],
    })
  })

  it('goes on with the sequence in the next, and adds the partition again', async () => {
    const { producer, run, send, begun, log, stamps } = setUp(0)
    await begun()
    await run(send('a'))
    await run(producer.commitTransaction())
    producer.beginTransaction()
    await run(send('b'))
    await run(producer.abortTransaction())
    expect(log().filter((name) => name === 'AddPartitionsToTxn 3')).toHaveLength(2)
    expect(stamps()).toEqual([
      [0, 0],
      [0, 1],
    ])
  })

  it('has a new epoch after one in which a batch was lost', async () => {
    const { producer, broker, run, send, begun, log, stamps, scripted } = setUp(0)
    await begun()
    broker.next(produceApi, (_request, reply) =>
      reply({
        responses: [
          {
            name: 't',
            topicId: scripted.topics.get('t')!.id,
            partitionResponses: [{ index: 0, errorCode: ErrorCode.INVALID_TXN_STATE }],
          },
        ],
      }),
    )
    await expect(run(send('a'))).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    await expect(run(send('b'))).rejects.toMatchObject({ code: 'ABORTABLE_TRANSACTION' })
    await expect(run(producer.commitTransaction())).rejects.toMatchObject({
      code: 'ABORTABLE_TRANSACTION',
    })
    await run(producer.abortTransaction())
    producer.beginTransaction()
    await run(send('c'))
    await run(producer.commitTransaction())
    expect(log().slice(3)).toEqual([
      'EndTxn 4',
      'InitProducerId 5',
      'AddPartitionsToTxn 3',
      'Produce 11',
      'EndTxn 4',
    ])
    expect(stamps()).toEqual([
      [0, 0],
      [1, 0],
    ])
  })
})

describe('a transaction of protocol 2', () => {
  it('leaves it to the brokers to add partitions, and has an epoch of its own', async () => {
    const { producer, run, send, begun, log, stamps } = setUp(2)
    await begun()
    await run(send('a'))
    await run(producer.sendOffsetsToTransaction(OFFSETS, GROUP))
    await run(producer.commitTransaction())
    producer.beginTransaction()
    await run(send('b'))
    await run(producer.abortTransaction())
    expect(log()).toEqual([
      'InitProducerId 5',
      'Produce 13',
      'TxnOffsetCommit 5',
      'EndTxn 5',
      'Produce 13',
      'EndTxn 5',
    ])
    expect(stamps()).toEqual([
      [0, 0],
      [1, 0],
    ])
  })
})

describe('the end of a transaction', () => {
  it('waits for what was sent', async () => {
    const { producer, run, send, begun, log } = setUp(2, { 'linger.ms': '60000' })
    await begun()
    const sent = send('a')
    await run(producer.commitTransaction())
    expect((await sent).offset).toBe(0)
    expect(log()).toEqual(['InitProducerId 5', 'Produce 13', 'EndTxn 5'])
  })

  it('is not asked for when nothing was sent', async () => {
    const { producer, run, begun, log } = setUp(2)
    await begun()
    await run(producer.commitTransaction())
    producer.beginTransaction()
    await run(producer.abortTransaction())
    expect(log()).toEqual(['InitProducerId 5'])
  })

  it('drops what was not sent when it is an abort', async () => {
    const { producer, run, send, begun, log } = setUp(2, { 'linger.ms': '60000' })
    await begun()
    const early = send('a').catch((error: { code: string }) => error.code)
    await run(producer.partitionsFor('t'))
    const sent = send('b').catch((error: { code: string }) => error.code)
    await run(producer.abortTransaction())
    expect(await early).toBe('TRANSACTION_ABORTED')
    expect(await sent).toBe('TRANSACTION_ABORTED')
    expect(log()).toEqual(['InitProducerId 5', 'EndTxn 5'])
  })

  it('is tried again while the coordinator loads, moves, or ends the one before', async () => {
    const { producer, broker, run, send, begun, log } = setUp(2)
    await begun()
    await run(send('a'))
    broker.next(
      endTxnApi,
      refused(ErrorCode.CONCURRENT_TRANSACTIONS),
      refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS),
      refused(ErrorCode.NOT_COORDINATOR),
      (_request, reply) => reply.drop(),
    )
    await run(producer.commitTransaction())
    expect(log().filter((name) => name === 'EndTxn 5')).toHaveLength(5)
    expect(broker.seen.filter(({ api }) => api === 'FindCoordinator')).toHaveLength(3)
  })

  it('waits no longer than max.block.ms, and can be asked for again', async () => {
    const { producer, broker, run, send, begun } = setUp(2, { 'max.block.ms': '1000' })
    await begun()
    await run(send('a'))
    let reply: (() => void) | null = null
    broker.next(endTxnApi, (_request, answer) => {
      reply = () => answer({ producerId: 900, producerEpoch: 1 })
    })
    await expect(run(producer.commitTransaction())).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(() => producer.beginTransaction()).toThrow('commitTransaction has not ended')
    await expect(run(producer.abortTransaction())).rejects.toMatchObject({ code: 'ILLEGAL_STATE' })
    const again = producer.commitTransaction()
    reply!()
    await run(again)
    producer.beginTransaction()
  })

  it('comes with the end of the producer', async () => {
    const { producer, broker, run, send, begun } = setUp(2)
    await begun()
    await run(send('a'))
    await run(producer.close())
    expect(broker.requests(endTxnApi)[0]!.body.committed).toBe(false)
  })
})

describe('errors', () => {
  it.each([ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH])(
    'that say another producer has taken over (%i) are final',
    async (errorCode) => {
      const { producer, broker, run, send, begun } = setUp(2)
      await begun()
      await run(send('a'))
      broker.on(endTxnApi, refused(errorCode))
      const fenced = { code: 'PRODUCER_FENCED' }
      await expect(run(producer.commitTransaction())).rejects.toMatchObject(fenced)
      await expect(run(producer.abortTransaction())).rejects.toMatchObject(fenced)
      await expect(run(send('b'))).rejects.toMatchObject(fenced)
      expect(producer.transactions!.state).toBe('FATAL_ERROR')
    },
  )

  it('that ask for an abort leave a producer that works after it', async () => {
    const { producer, broker, run, send, begun } = setUp(2)
    await begun()
    await run(send('a'))
    broker.next(endTxnApi, refused(ErrorCode.TRANSACTION_ABORTABLE))
    await expect(run(producer.commitTransaction())).rejects.toMatchObject({
      code: 'TRANSACTION_ABORTABLE',
    })
    await run(producer.abortTransaction())
    producer.beginTransaction()
    await run(send('b'))
    await run(producer.commitTransaction())
  })

  it('of the group ask for an abort', async () => {
    const { producer, broker, run, begun } = setUp(2)
    await begun()
    broker.next(txnOffsetCommitApi, (_request, reply) =>
      reply({
        topics: [
          {
            name: 'in',
            partitions: [{ partitionIndex: 1, errorCode: ErrorCode.ILLEGAL_GENERATION }],
          },
        ],
      }),
    )
    const sent = producer.sendOffsetsToTransaction(OFFSETS, GROUP)
    await expect(run(sent)).rejects.toMatchObject({ code: 'ILLEGAL_GENERATION' })
    expect(producer.transactions!.state).toBe('ABORTABLE_ERROR')
    await run(producer.abortTransaction())
    expect(producer.transactions!.state).toBe('READY')
  })

  it('of a partition that cannot be added ask for an abort, which drops its records', async () => {
    const { producer, broker, run, send, begun, log } = setUp(0)
    await begun()
    broker.next(addPartitionsToTxnApi, (_request, reply) =>
      reply({
        resultsByTopicV3AndBelow: [
          {
            name: 't',
            resultsByPartition: [
              { partitionIndex: 0, partitionErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED },
            ],
          },
        ],
      }),
    )
    const sent = send('a').catch((error: { code: string }) => error.code)
    await expect(run(producer.commitTransaction())).rejects.toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
    })
    await run(producer.abortTransaction())
    expect(await sent).toBe('TRANSACTION_ABORTED')
    expect(log()).not.toContain('Produce 11')
  })

  it('of initTransactions are final, but for those that pass', async () => {
    const { producer, broker, run } = setUp(2)
    broker.next(
      initProducerIdApi,
      refused(ErrorCode.CONCURRENT_TRANSACTIONS),
      refused(ErrorCode.INVALID_TRANSACTION_TIMEOUT),
    )
    const code = 'INVALID_TRANSACTION_TIMEOUT'
    await expect(run(producer.initTransactions())).rejects.toMatchObject({ code })
    expect(() => producer.beginTransaction()).toThrow(expect.objectContaining({ code }))
  })
})

describe('calls out of order', () => {
  it('are refused', async () => {
    const { producer, run, send, begun } = setUp(2)
    const illegal = { code: 'ILLEGAL_STATE' }
    expect(() => producer.beginTransaction()).toThrow(expect.objectContaining(illegal))
    await expect(run(send('a'))).rejects.toMatchObject(illegal)
    await begun()
    expect(() => producer.beginTransaction()).toThrow(expect.objectContaining(illegal))
    await expect(run(producer.initTransactions())).rejects.toMatchObject(illegal)
    await run(producer.commitTransaction())
    await expect(run(send('a'))).rejects.toMatchObject(illegal)
    await expect(run(producer.commitTransaction())).rejects.toMatchObject(illegal)
  })

  it('are refused without a transactional.id', async () => {
    const { scripted, run } = setUp(2)
    const plain = new Producer(
      { 'bootstrap.servers': scripted.bootstrap },
      scripted.clientNode.ports,
    )
    expect(() => plain.beginTransaction()).toThrow('no transactional.id')
    await expect(run(plain.initTransactions())).rejects.toThrow('no transactional.id')
  })
})
