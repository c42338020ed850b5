import {
  dumpOfTransactionReplay,
  dumpOfTransactions,
} from '../../broker/transaction/transaction-dump.ts'
import { MarkerSender } from '../../broker/transaction/marker-sender.ts'
import {
  DEFAULT_TRANSACTION_CONFIG,
  type TransactionConfig,
} from '../../broker/transaction/transaction-config.ts'
import {
  TransactionCoordinator,
  type ProducerAnswer,
} from '../../broker/transaction/transaction-coordinator.ts'
import { transactionRecord } from '../../broker/transaction/records.ts'
import { newTransaction, type Transaction } from '../../broker/transaction/transaction.ts'
import type { TransactionShard } from '../../broker/transaction/transaction-shard.ts'
import { assert, present } from '../../src/base/assert.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import {
  writeTxnMarkersApi,
  type WritableTxnMarker,
  type WriteTxnMarkersRequest,
} from '../../src/wire/messages/27-write-txn-markers.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { ApiWorld } from './api-world.ts'
import { MemoryCoordinatorLog } from './memory-coordinator-log.ts'
import { ScriptedBroker } from './scripted-broker.ts'

const FOO_ID = 'Zm9vZm9vZm9vZm9vZm9vZg'

export interface TransactionWorldOptions {
  readonly seed?: number
  readonly config?: Partial<TransactionConfig>
  /** transaction.version, 2. */
  readonly level?: number
}

/** What an answer was: the name of its error, or the producer it speaks of. */
export type Told = string

/**
 * One transaction coordinator at a time over a log that stays, with the leaders b1 and b2 as scripts: b1 leads foo-0 and
 * foo-2, b2 leads foo-1.
 */
export class TransactionWorld {
  readonly world: SimWorld
  readonly log: MemoryCoordinatorLog
  readonly api = new ApiWorld()
  readonly leaders: readonly ScriptedBroker[]
  readonly events: NodeEvent[] = []
  readonly config: TransactionConfig
  /** Markers that the leaders have taken, as `foo-0 commit 7/1 by 1`. */
  readonly markers: string[] = []
  /** By which protocol each of them was written. */
  readonly protocols: number[] = []
  level: number
  /** What leaders answer to a marker of a partition. */
  markerError: (marker: WritableTxnMarker, topic: string, partition: number) => ErrorCode = () =>
    ErrorCode.NONE
  coordinator: TransactionCoordinator
  leaderEpoch = 1
  nextProducerId = 100
  producerIdError: ErrorCode = ErrorCode.NONE

  constructor(options: TransactionWorldOptions = {}) {
    this.world = new SimWorld({ seed: options.seed ?? 1 })
    this.world.onEvent((event) => this.events.push(event))
    this.level = options.level ?? 2
    this.config = { ...DEFAULT_TRANSACTION_CONFIG, ...options.config }
    this.log = new MemoryCoordinatorLog(this.world.node('c1').ports.clock)
    this.api.broker(1).broker(2)
    this.api.apply(metadataRecord('TopicRecord', { name: 'foo', topicId: FOO_ID }))
    for (const [partitionId, leader] of [1, 2, 1].entries()) this.#partition(partitionId, leader)
    this.leaders = [1, 2].map((id) => this.#leader(id))
    this.coordinator = this.#newCoordinator()
    this.coordinator.onElected(0, this.leaderEpoch)
    this.run(1)
  }

  get shard(): TransactionShard {
    return present(this.coordinator.shardOf(0), 'an active shard')
  }

  run(ms: number): void {
    this.world.runFor(ms)
  }

  transaction(transactionalId = 't'): Transaction {
    return present(this.shard.transaction(transactionalId), `transaction ${transactionalId}`)
  }

  /** State and producer of a transactional id, as `Ongoing 100/0`. */
  state(transactionalId = 't'): string {
    const { state, producerId, producerEpoch } = this.transaction(transactionalId)
    return `${state} ${producerId}/${producerEpoch}`
  }

  /** What the leader of a partition is from now on; the coordinator hears of it. */
  moveLeader(partitionId: number, leader: number): void {
    this.api.apply(
      metadataRecord('PartitionChangeRecord', { partitionId, topicId: FOO_ID, leader }),
    )
    this.coordinator.onMetadataChanged()
  }

  deleteTopic(): void {
    this.api.apply(metadataRecord('RemoveTopicRecord', { topicId: FOO_ID }))
    this.coordinator.onMetadataChanged()
  }

  init(expected: string | null = null, { transactionalId = 't', timeoutMs = 60_000 } = {}): Told[] {
    return this.#told((respond) =>
      this.coordinator.initProducerId(
        { transactionalId, timeoutMs, expected: expected === null ? null : identity(expected) },
        respond,
      ),
    )
  }

  add(producer: string, partitions: readonly number[], clientVersion: 0 | 2 = 2): Told[] {
    return this.addTo('t', producer, partitions, clientVersion)
  }

  addTo(
    transactionalId: string,
    producer: string,
    partitions: readonly number[],
    clientVersion: 0 | 2 = 2,
  ): Told[] {
    const told: Told[] = []
    this.coordinator.addPartitions(
      { transactionalId, ...identity(producer), partitions: partitions.map(foo) },
      clientVersion,
      (error) => told.push(errorName(error)),
    )
    return told
  }

  end(producer: string, isCommit: boolean, clientVersion: 0 | 2 = 2): Told[] {
    return this.endOf('t', producer, isCommit, clientVersion)
  }

  endOf(
    transactionalId: string,
    producer: string,
    isCommit: boolean,
    clientVersion: 0 | 2 = 2,
  ): Told[] {
    return this.#told((respond) =>
      this.coordinator.endTransaction(
        { transactionalId, ...identity(producer), isCommit },
        clientVersion,
        respond,
      ),
    )
  }

  /** Puts a transactional id at rest into the log and loads it; new producers begin at 300. */
  writeEmpty(producer: string): void {
    const made = newTransaction(
      't',
      identity(producer).producerId,
      60_000,
      this.world.scheduler.nowMs,
    )
    const record = transactionRecord({ ...made, ...identity(producer) }, this.level)
    this.log.inject(0, writeBatch({ records: [record], timestampMs: 0 }))
    this.nextProducerId = 300
    this.failOver()
  }

  /** Another broker becomes the coordinator; the old one learns of it. */
  failOver(options: { readonly losesTail?: boolean } = {}): void {
    const old = this.coordinator
    this.leaderEpoch += 1
    this.log.elect(0, this.leaderEpoch, options.losesTail)
    old.onResigned(0)
    assert(old.openCount === 0, 'a coordinator that resigned owes nobody an answer')
    old.close()
    this.coordinator = this.#newCoordinator()
    this.coordinator.onElected(0, this.leaderEpoch)
    this.run(1)
  }

  dump(): string {
    return dumpOfTransactions(this.shard)
  }

  /** What a replay of the log gives. */
  replayedDump(): string {
    const endOffset = this.log.logEndOffset(0)
    const read = (offset: number): Buffer => this.log.read(0, offset, 1000)
    return dumpOfTransactionReplay(read, this.log.logStartOffset(0), endOffset)
  }

  #told(ask: (respond: (answer: ProducerAnswer) => void) => void): Told[] {
    const told: Told[] = []
    ask(({ error, producerId, producerEpoch }) =>
      told.push(error === ErrorCode.NONE ? `${producerId}/${producerEpoch}` : errorName(error)),
    )
    return told
  }

  #partition(partitionId: number, leader: number): void {
    this.api.apply(
      metadataRecord('PartitionRecord', {
        partitionId,
        topicId: FOO_ID,
        replicas: [1, 2],
        isr: [1, 2],
        leader,
        leaderEpoch: 1,
        partitionEpoch: 0,
      }),
    )
  }

  #newCoordinator(): TransactionCoordinator {
    const { clock, network, random, events } = this.world.node(`c${this.leaderEpoch}`).ports
    const coordinator = new TransactionCoordinator({
      log: this.log,
      clock,
      random,
      events,
      config: this.config,
      markers: new MarkerSender({
        network,
        clock,
        events,
        clientId: 'markers',
        requestTimeoutMs: this.config.requestTimeoutMs,
        interBrokerListenerName: 'PLAINTEXT',
        image: () => this.api.image,
      }),
      producerIds: {
        next: (done) => {
          if (this.producerIdError === ErrorCode.NONE) done(ErrorCode.NONE, this.nextProducerId++)
          else done(this.producerIdError, -1)
        },
      },
      level: () => this.level,
      partitionCount: () => 1,
    })
    Object.assign(this.api.services, { transactions: coordinator })
    return coordinator
  }

  #leader(id: number): ScriptedBroker {
    const address = { host: `b${id}`, port: 9000 + id }
    const broker = new ScriptedBroker(this.world.node(`b${id}`).ports, address)
    broker.on(writeTxnMarkersApi, ({ body }, reply) => reply({ markers: this.#take(body) }))
    broker.listen()
    return broker
  }

  #take({ markers }: WriteTxnMarkersRequest) {
    return markers.map((marker) => ({
      producerId: marker.producerId,
      topics: marker.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => {
          const errorCode = this.markerError(marker, name, partitionIndex)
          const { transactionResult, producerId, producerEpoch, coordinatorEpoch } = marker
          const result = transactionResult ? 'commit' : 'abort'
          const who = `${producerId}/${producerEpoch} by ${coordinatorEpoch}`
          if (errorCode === ErrorCode.NONE) {
            this.markers.push(`${name}-${partitionIndex} ${result} ${who}`)
            this.protocols.push(marker.transactionVersion)
          }
          return { partitionIndex, errorCode }
        }),
      })),
    }))
  }
}

/** `7/1` as producer id and epoch. */
export function identity(producer: string): { producerId: number; producerEpoch: number } {
  const [producerId = NaN, producerEpoch = NaN] = producer.split('/').map(Number)
  return { producerId, producerEpoch }
}

export function foo(partition: number): TopicPartition {
  return { topic: 'foo', partition }
}
