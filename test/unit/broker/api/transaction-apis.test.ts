// What the handlers add to the transaction coordinator: the errors that old versions know, partitions that do not exist,
// the shapes of the versions. Method: requests of each version to a coordinator over a log in memory.
import { describe, expect, it } from 'vitest'
import { findCoordinatorHandler } from '../../../../broker/api/10-find-coordinator.ts'
import { initProducerIdHandler } from '../../../../broker/api/22-init-producer-id.ts'
import { addPartitionsToTxnHandler } from '../../../../broker/api/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnHandler } from '../../../../broker/api/25-add-offsets-to-txn.ts'
import { endTxnHandler } from '../../../../broker/api/26-end-txn.ts'
import { describeTransactionsHandler } from '../../../../broker/api/65-describe-transactions.ts'
import { listTransactionsHandler } from '../../../../broker/api/66-list-transactions.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld } from '../../../support/api-world.ts'
import { identity, TransactionWorld } from '../../../support/transaction-world.ts'

const { INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, NONE } = ErrorCode

function started(): TransactionWorld {
  const world = new TransactionWorld()
  world.init()
  world.init()
  return world
}

describe('FindCoordinator of a transactional id', () => {
  it('creates the topic on first need, then names the leader', () => {
    const partitionFor = (): number => 0
    const world = new ApiWorld({ services: { transactions: { partitionFor } as never } }).broker(1)
    const ask = () => world.ask(findCoordinatorHandler, 4, { keyType: 1, coordinatorKeys: ['t'] })
    expect(ask().coordinators).toMatchObject([{ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }])
    expect(world.requestedTopics).toEqual(['__transaction_state'])
    world.topic('__transaction_state', 1, [1])
    expect(ask().coordinators).toMatchObject([{ errorCode: NONE, nodeId: 1, key: 't' }])
  })
})

describe('InitProducerId', () => {
  it.each([0, 1, 2, 3, 4, 5])('v%i gives a transactional id its producer', (version) => {
    const world = new TransactionWorld()
    const body = { transactionalId: 't', transactionTimeoutMs: 1000 }
    expect(world.api.ask(initProducerIdHandler, version, body)).toMatchObject({
      errorCode: NONE,
      producerId: 100,
      producerEpoch: 0,
    })
  })

  it.each([
    [3, INVALID_PRODUCER_EPOCH],
    [4, PRODUCER_FENCED],
    [5, PRODUCER_FENCED],
  ])('v%i answers %i to a producer of former times', (version, errorCode) => {
    const body = { transactionalId: 't', transactionTimeoutMs: 1000, ...identity('7/0') }
    expect(started().api.ask(initProducerIdHandler, version, body)).toMatchObject({
      errorCode,
      ...identity('-1/-1'),
    })
  })
})

describe('AddPartitionsToTxn of clients', () => {
  const add = (
    world: TransactionWorld,
    version: number,
    producer: string,
    ...partitions: number[]
  ) =>
    world.api
      .ask(addPartitionsToTxnHandler, version, {
        v3AndBelowTransactionalId: 't',
        v3AndBelowProducerId: identity(producer).producerId,
        v3AndBelowProducerEpoch: identity(producer).producerEpoch,
        v3AndBelowTopics: [{ name: 'foo', partitions }],
      })
      .resultsByTopicV3AndBelow.flatMap(({ name, resultsByPartition }) =>
        resultsByPartition.map((each) => [name, each.partitionIndex, each.partitionErrorCode]),
      )

  it.each([0, 1, 2, 3])('v%i adds all partitions', (version) => {
    const world = started()
    expect(add(world, version, '100/1', 0, 2)).toEqual([
      ['foo', 0, NONE],
      ['foo', 2, NONE],
    ])
    expect(world.transaction()).toMatchObject({ state: 'Ongoing', clientVersion: 0 })
  })

  it('adds none when one does not exist', () => {
    const world = started()
    expect(add(world, 3, '100/1', 0, 9)).toEqual([
      ['foo', 0, ErrorCode.OPERATION_NOT_ATTEMPTED],
      ['foo', 9, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    expect(world.state()).toBe('Empty 100/1')
  })

  it.each([
    [0, INVALID_PRODUCER_EPOCH],
    [1, INVALID_PRODUCER_EPOCH],
    [2, PRODUCER_FENCED],
  ])('v%i answers %i to a fenced producer', (version, error) => {
    expect(add(started(), version, '100/0', 1)).toEqual([['foo', 1, error]])
  })

  it('may not name internal topics', () => {
    const world = started()
    world.api.topic('__consumer_offsets', 1, [1])
    const { resultsByTopicV3AndBelow } = world.api.ask(addPartitionsToTxnHandler, 3, {
      v3AndBelowTransactionalId: 't',
      v3AndBelowTopics: [{ name: '__consumer_offsets', partitions: [0] }],
    })
    expect(resultsByTopicV3AndBelow[0]!.resultsByPartition).toEqual([
      { partitionIndex: 0, partitionErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED },
    ])
  })
})

describe('AddPartitionsToTxn of leaders', () => {
  const transaction = (transactionalId: string, verifyOnly: boolean, partitions: number[]) => ({
    transactionalId,
    ...identity('100/1'),
    verifyOnly,
    topics: [{ name: 'foo', partitions }],
  })

  it.each([4, 5])('v%i verifies and adds, each transaction by itself', (version) => {
    const world = started()
    const ask = (...transactions: ReturnType<typeof transaction>[]) =>
      world.api
        .ask(addPartitionsToTxnHandler, version, { transactions })
        .resultsByTransaction.map(({ transactionalId, topicResults }) => [
          transactionalId,
          ...topicResults.flatMap(({ resultsByPartition }) =>
            resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
          ),
        ])
    expect(ask(transaction('t', true, [0]), transaction('u', false, [0]))).toEqual([
      ['t', ErrorCode.TRANSACTION_ABORTABLE],
      ['u', ErrorCode.INVALID_PRODUCER_ID_MAPPING],
    ])
    expect(ask(transaction('t', false, [0]))).toEqual([['t', NONE]])
    expect(world.transaction()).toMatchObject({ state: 'Ongoing', clientVersion: 2 })
    expect(ask(transaction('t', true, [0, 1]))).toEqual([
      ['t', NONE, ErrorCode.TRANSACTION_ABORTABLE],
    ])
    expect(ask()).toEqual([])
  })

  it('is refused as a whole under transaction.version 0, which has no record for protocol 2', () => {
    const world = started()
    world.level = 0
    const transactions = [transaction('t', false, [0])]
    expect(world.api.ask(addPartitionsToTxnHandler, 5, { transactions })).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      resultsByTransaction: [],
    })
    expect(world.state()).toBe('Empty 100/1')
  })
})

describe('AddOffsetsToTxn', () => {
  it.each([
    [0, '100/1', NONE],
    [4, '100/1', NONE],
    [1, '100/0', INVALID_PRODUCER_EPOCH],
    [2, '100/0', PRODUCER_FENCED],
    [4, '99/0', ErrorCode.INVALID_PRODUCER_ID_MAPPING],
  ])('v%i of producer %s answers %i', (version, producer, errorCode) => {
    const world = started()
    const body = { transactionalId: 't', ...identity(producer), groupId: 'g' }
    expect(world.api.ask(addOffsetsToTxnHandler, version, body).errorCode).toBe(errorCode)
    const topics = world.transaction().partitions.byTopic()
    expect(topics).toEqual(
      errorCode === NONE ? [{ topic: '__consumer_offsets', partitions: [0] }] : [],
    )
  })
})

describe('EndTxn', () => {
  it.each([
    [0, '100/0', INVALID_PRODUCER_EPOCH],
    [1, '100/0', INVALID_PRODUCER_EPOCH],
    [2, '100/0', PRODUCER_FENCED],
    [4, '100/1', NONE],
    [5, '100/0', PRODUCER_FENCED],
  ])('v%i of producer %s answers %i', (version, producer, errorCode) => {
    const world = started()
    world.add('100/1', [0])
    const body = { transactionalId: 't', ...identity(producer), committed: true }
    expect(world.api.ask(endTxnHandler, version, body).errorCode).toBe(errorCode)
  })

  it('tells from v5 on who the producer is now', () => {
    const world = started()
    world.add('100/1', [0])
    const body = { transactionalId: 't', ...identity('100/1'), committed: true }
    expect(world.api.ask(endTxnHandler, 5, body)).toMatchObject(identity('100/2'))
    expect(world.api.ask(endTxnHandler, 5, { ...body, transactionalId: '' })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      ...identity('-1/-1'),
    })
  })
})

describe('DescribeTransactions', () => {
  it('shows each id, or why not, and of a decided end the partitions that miss their marker', () => {
    const world = started()
    world.add('100/1', [0, 1, 2])
    const describe = () =>
      world.api.ask(describeTransactionsHandler, 0, { transactionalIds: ['t', 'x', ''] })
    expect(describe().transactionStates).toMatchObject([
      {
        errorCode: NONE,
        transactionalId: 't',
        transactionState: 'Ongoing',
        transactionTimeoutMs: 60_000,
        ...identity('100/1'),
        topics: [{ topic: 'foo', partitions: [0, 1, 2] }],
      },
      { errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, transactionalId: 'x', topics: [] },
      { errorCode: ErrorCode.INVALID_REQUEST, transactionalId: '' },
    ])
    world.markerError = (_, __, partition) =>
      partition === 1 ? ErrorCode.NOT_ENOUGH_REPLICAS : NONE
    world.end('100/1', true)
    world.run(20)
    expect(describe().transactionStates[0]).toMatchObject({
      transactionState: 'PrepareCommit',
      topics: [{ topic: 'foo', partitions: [1] }],
    })
  })

  it('answers nothing to nothing', () => {
    const answer = started().api.ask(describeTransactionsHandler, 0, { transactionalIds: [] })
    expect(answer.transactionStates).toEqual([])
  })
})

describe('ListTransactions', () => {
  const list = (world: TransactionWorld, version: number, filter: object) =>
    world.api.ask(listTransactionsHandler, version, {
      stateFilters: [],
      producerIdFilters: [],
      ...filter,
    })

  it.each([
    [0, {}, ['t Ongoing 100', 'tu Empty 101']],
    [0, { stateFilters: ['Ongoing'] }, ['t Ongoing 100']],
    [0, { stateFilters: ['ongoing'] }, []],
    [0, { producerIdFilters: [101, 7] }, ['tu Empty 101']],
    [1, { durationFilter: 5000 }, ['tu Empty 101']],
    [1, { durationFilter: 500, stateFilters: ['Ongoing'] }, ['t Ongoing 100']],
    [2, { transactionalIdPattern: 't.+' }, ['tu Empty 101']],
    [2, { transactionalIdPattern: 't' }, ['t Ongoing 100']],
    [2, { transactionalIdPattern: '' }, ['t Ongoing 100', 'tu Empty 101']],
  ])('v%i with %j', (version, filter, expected) => {
    const world = started()
    world.init(null, { transactionalId: 'tu' })
    world.add('100/1', [0])
    world.run(1000)
    const { errorCode, transactionStates } = list(world, version, filter)
    expect(errorCode).toBe(NONE)
    expect(
      transactionStates.map(
        ({ transactionalId, transactionState, producerId }) =>
          `${transactionalId} ${transactionState} ${producerId}`,
      ),
    ).toEqual(expected)
  })

  it('tells unknown states back, and patterns that are none', () => {
    const world = started()
    const { unknownStateFilters } = list(world, 0, { stateFilters: ['Ongoing', 'Foo'] })
    expect(unknownStateFilters).toEqual(['Foo'])
    for (const pattern of ['(', '(?=t)', String.raw`(t)\1`]) {
      expect(list(world, 2, { transactionalIdPattern: pattern }).errorCode).toBe(
        ErrorCode.INVALID_REGULAR_EXPRESSION,
      )
    }
  })

  it('waits until all partitions are loaded', () => {
    const world = started()
    world.coordinator.onElected(1, 1)
    expect(list(world, 0, {}).errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    world.coordinator.close()
    expect(list(world, 0, {}).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})
