// Goal: a leader lets a transaction begin only when its coordinator says so, and tells each client what it understands.
// Method: two brokers over the simulated network; the coordinator's answers are scripted.
import { describe, expect, it } from 'vitest'
import type { AppendPartitionResult } from '../../../../broker/replica/delayed-produce.ts'
import type { TransactionSupport } from '../../../../broker/replica/transaction-verifier.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { endTxnMarkerRecord } from '../../../../src/wire/control-record.ts'
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnRequest,
} from '../../../../src/wire/messages/24-add-partitions-to-txn.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import { ReplicaCluster } from '../../../support/replica-cluster.ts'
import { ScriptedBroker } from '../../../support/scripted-broker.ts'

const ID = 'transfer'
const STATE_TOPIC = '__transaction_state'

interface Sketch {
  readonly support?: TransactionSupport
  readonly epoch?: number
  readonly sequence?: number
  readonly topic?: string
}

class World {
  readonly cluster: ReplicaCluster
  readonly asked: AddPartitionsToTxnRequest[] = []
  /** Error of every partition that is asked about; null: the connection ends. */
  answer: (count: number) => ErrorCode | null = () => ErrorCode.NONE

  constructor(properties: Readonly<Record<string, string>> = {}) {
    this.cluster = new ReplicaCluster({ seed: 3, brokers: 1, properties })
    this.cluster.start()
    this.cluster.controller.createTopic('orders', [[1]])
    this.cluster.world.runFor(50)
  }

  /** Broker 9 coordinates; it is nothing but this. */
  coordinate(): this {
    const { controller, world } = this.cluster
    const coordinator = new ScriptedBroker(world.node('broker-9').ports, {
      host: 'broker-9',
      port: 9092,
    })
    coordinator.on(addPartitionsToTxnApi, ({ body, version }, reply) => {
      expect(version).toBe(5)
      this.asked.push(body)
      const error = this.answer(this.asked.length)
      if (error === null) reply.drop()
      else reply(this.#answerOf(body.transactions, error))
    })
    coordinator.listen()
    controller.register(9)
    controller.unfence(9)
    controller.createTopic(STATE_TOPIC, [[9]])
    world.runFor(50)
    return this
  }

  produce(sketch: Sketch = {}): { results: readonly AppendPartitionResult[] | null } {
    const { support = 'abortable', epoch = 0, sequence = 0, topic = 'orders' } = sketch
    const holder: { results: readonly AppendPartitionResult[] | null } = { results: null }
    const records = writeBatch({
      records: [{ key: null, value: Buffer.from('v') }],
      timestampMs: 1_700_000_000_000,
      producerId: 7,
      producerEpoch: epoch,
      baseSequence: sequence,
      isTransactional: true,
    })
    this.cluster.broker(1).manager.append({
      requiredAcks: -1,
      timeoutMs: 1000,
      origin: 'client',
      transaction: { transactionalId: ID, support },
      entries: [{ topic, topicId: ZERO_UUID, partition: 0, records }],
      respond: (results) => {
        holder.results = results
      },
    })
    return holder
  }

  /** The error of one Produce, and what the client reads beside it. */
  outcome(sketch: Sketch = {}): readonly [ErrorCode, string | null] {
    const holder = this.produce(sketch)
    this.cluster.until(() => holder.results !== null, 'an answer', 40_000)
    return [holder.results![0]!.error, holder.results![0]!.errorMessage]
  }

  end(isCommit: boolean, epoch = 0): ErrorCode {
    let error: ErrorCode | null = null
    this.cluster.broker(1).manager.append({
      requiredAcks: -1,
      timeoutMs: 1000,
      origin: 'coordinator',
      transactionVersion: 1,
      entries: [
        {
          topic: 'orders',
          topicId: ZERO_UUID,
          partition: 0,
          records: writeBatch({
            records: [endTxnMarkerRecord(isCommit, 0)],
            timestampMs: 1_700_000_000_000,
            producerId: 7,
            producerEpoch: epoch,
            isTransactional: true,
            isControl: true,
          }),
        },
      ],
      respond: ([result]) => {
        error = result!.error
      },
    })
    this.cluster.until(() => error !== null, 'the marker is written')
    return error!
  }

  #answerOf(transactions: AddPartitionsToTxnRequest['transactions'], partitionErrorCode: number) {
    return {
      resultsByTransaction: transactions.map(({ transactionalId, topics }) => ({
        transactionalId,
        topicResults: topics.map(({ name, partitions }) => ({
          name,
          resultsByPartition: partitions.map((partitionIndex) => ({
            partitionIndex,
            partitionErrorCode,
          })),
        })),
      })),
    }
  }
}

describe('a transactional Produce', () => {
  it('asks once in a transaction, and again in the next', () => {
    const world = new World().coordinate()
    expect(world.outcome()).toEqual([ErrorCode.NONE, null])
    expect(world.outcome({ sequence: 1 })).toEqual([ErrorCode.NONE, null])
    expect(world.asked).toHaveLength(1)
    expect(world.end(true)).toBe(ErrorCode.NONE)
    expect(world.outcome({ sequence: 2 })).toEqual([ErrorCode.NONE, null])
    expect(world.asked).toHaveLength(2)
    for (const { transactions } of world.asked) {
      expect(transactions).toEqual([
        {
          transactionalId: ID,
          producerId: 7,
          producerEpoch: 0,
          verifyOnly: true,
          topics: [{ name: 'orders', partitions: [0] }],
        },
      ])
    }
  })

  it('of protocol 2 has its partition added', () => {
    const world = new World().coordinate()
    expect(world.outcome({ support: 'implicit' })).toEqual([ErrorCode.NONE, null])
    expect(world.asked[0]!.transactions[0]!.verifyOnly).toBe(false)
  })

  it('is refused in the words of its client', () => {
    const world = new World().coordinate()
    world.answer = () => ErrorCode.TRANSACTION_ABORTABLE
    const unknown = 'Partition was not added to the transaction'
    expect(world.outcome({ support: 'old' })).toEqual([ErrorCode.INVALID_TXN_STATE, unknown])
    expect(world.outcome()).toEqual([ErrorCode.TRANSACTION_ABORTABLE, null])
    world.answer = () => ErrorCode.PRODUCER_FENCED
    expect(world.outcome()).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, null])
    world.answer = () => ErrorCode.INVALID_PRODUCER_ID_MAPPING
    expect(world.outcome()).toEqual([ErrorCode.INVALID_PRODUCER_ID_MAPPING, null])
    expect(world.cluster.partition(1, 'orders').log.logEndOffset).toBe(0)
  })

  it('is to be tried again when the coordinator is not there', () => {
    const world = new World()
    const because = (name: string) =>
      `Unable to verify the partition has been added to the transaction. Underlying error: ${name}`
    const again = (name: string) => [ErrorCode.NOT_ENOUGH_REPLICAS, because(name)]
    expect(world.outcome()).toEqual(again('COORDINATOR_NOT_AVAILABLE'))
    world.coordinate()
    world.answer = () => ErrorCode.NOT_COORDINATOR
    expect(world.outcome()).toEqual(again('NOT_COORDINATOR'))
    world.answer = () => ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    expect(world.outcome({ support: 'implicit' })).toEqual(again('COORDINATOR_LOAD_IN_PROGRESS'))
    world.answer = () => null
    expect(world.outcome()).toEqual(again('NETWORK_EXCEPTION'))
    world.answer = () => ErrorCode.NONE
    expect(world.outcome()).toEqual([ErrorCode.NONE, null])
  })

  it('of protocol 2 waits a little for the transaction before to end', () => {
    const world = new World().coordinate()
    world.answer = (count) => (count < 3 ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE)
    expect(world.outcome({ support: 'implicit' })).toEqual([ErrorCode.NONE, null])
    expect(world.asked).toHaveLength(3)
  })

  it('is told of a transaction that goes on ending in a way its client knows', () => {
    const world = new World().coordinate()
    world.answer = () => ErrorCode.CONCURRENT_TRANSACTIONS
    expect(world.outcome()[0]).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(world.asked).toHaveLength(1)
    expect(world.outcome({ support: 'implicit' })[0]).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(world.asked.length).toBeGreaterThan(3)
  })

  it('is not verified where that is switched off, except when its partition must be added', () => {
    const world = new World({ 'transaction.partition.verification.enable': 'false' }).coordinate()
    expect(world.outcome()).toEqual([ErrorCode.NONE, null])
    expect(world.asked).toHaveLength(0)
    world.end(true)
    expect(world.outcome({ support: 'implicit', sequence: 1 })).toEqual([ErrorCode.NONE, null])
    expect(world.asked).toHaveLength(1)
  })

  it('is not appended when the marker came while the coordinator was asked', () => {
    const world = new World().coordinate()
    const held = world.produce()
    expect(world.end(false)).toBe(ErrorCode.NONE)
    world.cluster.until(() => held.results !== null, 'an answer')
    expect(held.results![0]!.error).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(world.cluster.partition(1, 'orders').log.logEndOffset).toBe(1)
  })

  it('is answered NETWORK_EXCEPTION in its words when another connection asks for the same', () => {
    const world = new World().coordinate()
    const first = world.produce()
    const second = world.produce()
    const third = world.produce()
    world.cluster.until(() => third.results !== null, 'the last answer')
    expect(first.results![0]!.error).toBe(ErrorCode.NONE)
    expect(second.results![0]!.error).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(third.results![0]!.error).toBe(ErrorCode.NONE)
    expect(third.results![0]!.baseOffset).toBe(0)
  })
})

it('forgets silent producers every producer.id.expiration.check.interval.ms, but none in a transaction', () => {
  const world = new World({
    'producer.id.expiration.ms': '1000',
    'producer.id.expiration.check.interval.ms': '500',
    'transaction.partition.verification.enable': 'false',
  })
  const { log } = world.cluster.partition(1, 'orders')
  world.outcome()
  world.cluster.world.runFor(3000)
  expect(log.producerEntries()).toHaveLength(1)
  world.end(true)
  world.cluster.world.runFor(3000)
  expect(log.producerEntries()).toEqual([])
})

describe('markers', () => {
  it('move what readers of committed records see, and say what was aborted', () => {
    const world = new World().coordinate()
    world.outcome()
    const { log } = world.cluster.partition(1, 'orders')
    expect([log.lastStableOffset, log.highWatermark]).toEqual([0, 1])
    const waiting = world.cluster.consume(
      1,
      { topic: 'orders', fetchOffset: 0 },
      { isolationLevel: 1, maxWaitMs: 5000 },
    )
    world.cluster.world.runFor(100)
    expect(waiting.result).toBeNull()
    world.end(false)
    expect(waiting.result).toMatchObject({
      lastStableOffset: 2,
      abortedTransactions: [{ producerId: 7, firstOffset: 0 }],
    })
    expect(log.producerEntries()).toMatchObject([{ currentTxnFirstOffset: -1 }])
  })
})
