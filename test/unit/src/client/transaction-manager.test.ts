// Goal: whatever a coordinator or a leader answers, every call of a transactional producer ends, no step is illegal, and
// a producer that is not finished can go on after an abort. Method: random calls, random errors of Kafka in the answers.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Producer } from '../../../../src/client/producer.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { produceApi } from '../../../../src/wire/messages/00-produce.ts'
import { initProducerIdApi } from '../../../../src/wire/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../../src/wire/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from '../../../../src/wire/messages/25-add-offsets-to-txn.ts'
import { endTxnApi } from '../../../../src/wire/messages/26-end-txn.ts'
import { txnOffsetCommitApi } from '../../../../src/wire/messages/28-txn-offset-commit.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { settle } from '../../../support/sim-promise.ts'

/** Errors that pass come most often, those that are the end of a producer seldom. */
const ANSWERS: readonly ErrorCode[] = [
  ...Array.from({ length: 14 }, () => ErrorCode.NONE),
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.PRODUCER_FENCED,
]
const CALLS = ['begin', 'send', 'send-unawaited', 'offsets', 'commit', 'abort', 'init'] as const
/** More than there are errors in a run. */
const MOST_ABORTS = 70
const GROUP = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: null }

class Fuzzed {
  readonly #scripted = new ScriptedCluster({ brokers: 1, seed: 3 })
  readonly #answers: ErrorCode[]
  readonly #unawaited: Promise<unknown>[] = []
  readonly producer: Producer

  constructor(level: number, answers: readonly ErrorCode[]) {
    this.#answers = [...answers]
    this.#scripted.createTopic('t', 2)
    this.#script(level)
    this.producer = new Producer(
      {
        'bootstrap.servers': this.#scripted.bootstrap,
        'transactional.id': 'x',
        'delivery.timeout.ms': '40000',
        'max.block.ms': '90000',
      },
      this.#scripted.clientNode.ports,
    )
  }

  /** The code of the error that a call ended with, or null. */
  async call(name: (typeof CALLS)[number], index: number): Promise<string | null> {
    try {
      await settle(this.#scripted.world, this.#start(name, index))
      return null
    } catch (error) {
      return (error as { code?: string }).code ?? String(error)
    }
  }

  /** What a user does with a transaction that is open or has failed. */
  async abortUntilReady(): Promise<void> {
    const { transactions } = this.producer
    for (let tries = 0; tries < MOST_ABORTS; tries += 1) {
      if (transactions!.state === 'READY' || transactions!.state === 'FATAL_ERROR') return
      await this.call('abort', 0)
    }
  }

  /** All that was sent has ended one way or the other. */
  async end(): Promise<void> {
    await settle(this.#scripted.world, this.producer.close({ timeoutMs: 60_000 }))
    await settle(this.#scripted.world, Promise.all(this.#unawaited))
  }

  async #start(name: (typeof CALLS)[number], index: number): Promise<unknown> {
    const { producer } = this
    const record = { topic: 't', value: `v${index}`, partition: index % 2 }
    switch (name) {
      case 'init':
        return producer.initTransactions()
      case 'begin':
        return producer.beginTransaction()
      case 'send':
        return producer.send(record)
      case 'send-unawaited':
        this.#unawaited.push(producer.send(record).catch(() => undefined))
        return null
      case 'offsets': {
        const offset = { topic: 't', partition: 0, offset: index }
        return producer.sendOffsetsToTransaction([offset], GROUP)
      }
      case 'commit':
        return producer.commitTransaction()
      case 'abort':
        return producer.abortTransaction()
    }
  }

  #script(level: number): void {
    const broker = this.#scripted.broker(1)
    if (level > 0) broker.finalize({ 'transaction.version': level })
    const next = (): ErrorCode => this.#answers.shift() ?? ErrorCode.NONE
    const ids = { producerId: 900, producerEpoch: 0 }
    broker.on(initProducerIdApi, (_request, reply) => {
      ids.producerEpoch += 1
      reply({ errorCode: next(), ...ids })
    })
    broker.on(addOffsetsToTxnApi, (_request, reply) => reply({ errorCode: next() }))
    broker.on(endTxnApi, ({ version }, reply) => {
      const errorCode = next()
      if (version >= 5 && errorCode === ErrorCode.NONE) ids.producerEpoch += 1
      reply({ errorCode, ...(version >= 5 && errorCode === ErrorCode.NONE && ids) })
    })
    broker.on(addPartitionsToTxnApi, ({ body }, reply) => {
      reply({
        resultsByTopicV3AndBelow: body.v3AndBelowTopics.map((topic) => ({
          name: topic.name,
          resultsByPartition: topic.partitions.map((partitionIndex) => ({
            partitionIndex,
            partitionErrorCode: next(),
          })),
        })),
      })
    })
    broker.on(txnOffsetCommitApi, ({ body }, reply) => {
      reply({
        topics: body.topics.map((topic) => ({
          name: topic.name,
          partitions: topic.partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode: next(),
          })),
        })),
      })
    })
    broker.on(produceApi, ({ body }, reply) => {
      reply({
        responses: body.topicData.map((topic) => ({
          name: topic.name,
          topicId: topic.topicId,
          partitionResponses: topic.partitionData.map((data) => ({
            index: data.index,
            errorCode: next(),
            baseOffset: 0,
          })),
        })),
      })
    })
  }
}

it('ends every call, and is usable after an abort unless it is finished', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(0, 2),
    fc.array(fc.constantFrom(...ANSWERS), { maxLength: 60 }),
    fc.array(fc.constantFrom(...CALLS), { maxLength: 25 }),
    async (level, answers, calls) => {
      const fuzzed = new Fuzzed(level, answers)
      const { transactions } = fuzzed.producer
      const outcomes = [await fuzzed.call('init', 0)]
      for (const [index, name] of calls.entries()) outcomes.push(await fuzzed.call(name, index))
      expect(outcomes.filter((code) => code === 'ASSERTION')).toEqual([])
      await fuzzed.abortUntilReady()
      const isFinished = transactions!.state === 'FATAL_ERROR'
      const next = await fuzzed.call('begin', 0)
      expect([transactions!.state, next === null]).toEqual(
        isFinished ? ['FATAL_ERROR', false] : ['IN_TRANSACTION', true],
      )
      await fuzzed.end()
    },
  )
  await fc.assert(property, { numRuns: 120, seed: 17 })
}, 60_000)
