import type { BrokerId, ProducerId } from '../../src/base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../../src/base/topic-partition.ts'
import { MovingConnection } from '../../src/client/connection.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Address, Network } from '../../src/ports/network.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { coordinatorPartition } from '../../src/wire/java-hash.ts'
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnResponse,
} from '../../src/wire/messages/24-add-partitions-to-txn.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { TRANSACTION_STATE_TOPIC } from '../metadata/topic-name.ts'

/** The newest version; brokers that ask each other speak it since 3.8. */
const VERSION = 5

/**
 * What the client that began a transaction understands (KIP-890): `old` has no error for a transaction that must be
 * aborted, `abortable` has TRANSACTION_ABORTABLE, `implicit` lets the broker add its partitions (protocol 2).
 */
export type TransactionSupport = 'old' | 'abortable' | 'implicit'

/** The transaction that a request says it belongs to. */
export interface ProduceTransaction {
  readonly transactionalId: string
  readonly support: TransactionSupport
}

export interface VerifiedTransaction extends ProduceTransaction {
  readonly producerId: ProducerId
  readonly producerEpoch: number
  readonly partitions: readonly TopicPartition[]
}

/** Errors by `topic-partition`; a partition that is not in it belongs to the transaction. */
export type VerificationErrors = ReadonlyMap<string, ErrorCode>

export interface TransactionVerifierOptions {
  readonly brokerId: BrokerId
  readonly clock: Clock
  readonly network: Network
  readonly image: () => MetadataImage
  readonly interBrokerListenerName: string
  readonly requestTimeoutMs: number
  /** Runs a change of the replication layer's state as one step. */
  readonly step: (fn: () => void) => void
}

interface Question {
  readonly transaction: VerifiedTransaction
  readonly done: (errors: VerificationErrors) => void
}

/** The way to the coordinators on one broker: one request in flight, all that came meanwhile in the next. */
interface Peer {
  readonly connection: MovingConnection
  /** By transactional id. */
  waiting: Map<string, Question>
  isBusy: boolean
}

/**
 * Asks transaction coordinators whether partitions belong to a transaction, or has them added to it
 * (AddPartitionsToTxn as brokers send it; Kafka's AddPartitionsToTxnManager).
 */
export class TransactionVerifier {
  readonly #options: TransactionVerifierOptions
  readonly #peers = new Map<BrokerId, Peer>()
  #isClosed = false

  constructor(options: TransactionVerifierOptions) {
    this.#options = options
  }

  /**
   * Calls `done` once, possibly at once. Of a transaction that is asked about anew before it was sent, the first
   * question is answered NETWORK_EXCEPTION: the client was connected anew.
   */
  verify(transaction: VerifiedTransaction, done: Question['done']): void {
    const coordinator = this.#coordinatorOf(transaction.transactionalId)
    if (coordinator === null || this.#isClosed) {
      return done(errorsOf(transaction, ErrorCode.COORDINATOR_NOT_AVAILABLE))
    }
    const peer = this.#peer(coordinator)
    const earlier = peer.waiting.get(transaction.transactionalId)
    if (earlier !== undefined) {
      const { producerEpoch } = earlier.transaction
      if (transaction.producerEpoch < producerEpoch) {
        return done(errorsOf(transaction, ErrorCode.INVALID_PRODUCER_EPOCH))
      }
      const isSame = transaction.producerEpoch === producerEpoch
      const error = isSame ? ErrorCode.NETWORK_EXCEPTION : ErrorCode.INVALID_PRODUCER_EPOCH
      earlier.done(errorsOf(earlier.transaction, error))
    }
    peer.waiting.set(transaction.transactionalId, { transaction, done })
    this.#pump(coordinator, peer)
  }

  /** Answers all that waits; a connection in use ends. */
  close(): void {
    this.#isClosed = true
    for (const peer of this.#peers.values()) {
      const { connection, waiting } = peer
      peer.waiting = new Map()
      for (const { transaction, done } of waiting.values()) {
        done(errorsOf(transaction, ErrorCode.NETWORK_EXCEPTION))
      }
      connection.close()
    }
    this.#peers.clear()
  }

  /** The leader of the partition of `__transaction_state` that the id belongs to. */
  #coordinatorOf(transactionalId: string): BrokerId | null {
    const image = this.#options.image()
    const count = image.topicsByName.get(TRANSACTION_STATE_TOPIC)?.partitions.size ?? 0
    if (count === 0) return null
    const index = coordinatorPartition(transactionalId, count)
    const leader = image.partition(TRANSACTION_STATE_TOPIC, index)?.leader ?? -1
    return this.#addressOf(leader) === null ? null : leader
  }

  #addressOf(id: BrokerId): Address | null {
    const { image, interBrokerListenerName } = this.#options
    const broker = image().brokers.get(id)
    if (broker === undefined || broker.isFenced) return null
    const listener = endpointNamed(broker.listeners, interBrokerListenerName)
    return listener === undefined ? null : { host: listener.host, port: listener.port }
  }

  #peer(id: BrokerId): Peer {
    const known = this.#peers.get(id)
    if (known !== undefined) return known
    const { brokerId, network, clock } = this.#options
    const clientId = `broker-${brokerId}-txn-verifier`
    const connection = new MovingConnection({ network, clock, clientId })
    const peer: Peer = { connection, waiting: new Map(), isBusy: false }
    this.#peers.set(id, peer)
    return peer
  }

  #pump(id: BrokerId, peer: Peer): void {
    if (peer.isBusy || peer.waiting.size === 0 || this.#isClosed) return
    const questions = [...peer.waiting.values()]
    peer.waiting = new Map()
    const address = this.#addressOf(id)
    const connection = address === null ? null : peer.connection.to(address)
    if (connection === null) {
      for (const { transaction, done } of questions) {
        done(errorsOf(transaction, ErrorCode.COORDINATOR_NOT_AVAILABLE))
      }
      return
    }
    peer.isBusy = true
    const body = { transactions: questions.map(({ transaction }) => requestOf(transaction)) }
    const { requestTimeoutMs, step } = this.#options
    const api = addPartitionsToTxnApi
    connection.request(api, VERSION, body, requestTimeoutMs, (_error, response) => {
      step(() => {
        peer.isBusy = false
        for (const { transaction, done } of questions) done(outcomeOf(transaction, response))
        this.#pump(id, peer)
      })
    })
  }
}

function requestOf(transaction: VerifiedTransaction) {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of transaction.partitions) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  }
  return {
    transactionalId: transaction.transactionalId,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    verifyOnly: transaction.support !== 'implicit',
    topics: [...byTopic].map(([name, partitions]) => ({ name, partitions })),
  }
}

/** No answer at all is one that the client may wait for; it is not told of errors between brokers. */
function outcomeOf(
  transaction: VerifiedTransaction,
  response: AddPartitionsToTxnResponse | null,
): VerificationErrors {
  if (response === null) return errorsOf(transaction, ErrorCode.NETWORK_EXCEPTION)
  if (response.errorCode !== ErrorCode.NONE) {
    const isForbidden = response.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED
    const error = isForbidden ? ErrorCode.INVALID_TXN_STATE : (response.errorCode as ErrorCode)
    return errorsOf(transaction, error)
  }
  const { transactionalId, support } = transaction
  const result = response.resultsByTransaction.find(
    (each) => each.transactionalId === transactionalId,
  )
  if (result === undefined) return errorsOf(transaction, ErrorCode.NETWORK_EXCEPTION)
  const errors = new Map<string, ErrorCode>()
  for (const { name, resultsByPartition } of result.topicResults) {
    for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
      if (partitionErrorCode === ErrorCode.NONE) continue
      const error = producerError(partitionErrorCode as ErrorCode, support)
      errors.set(topicPartitionKey(name, partitionIndex), error)
    }
  }
  return errors
}

/** Producers expect INVALID_PRODUCER_EPOCH of a leader, and old ones know no TRANSACTION_ABORTABLE. */
function producerError(error: ErrorCode, support: TransactionSupport): ErrorCode {
  if (error === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH
  const isUnknown = error === ErrorCode.TRANSACTION_ABORTABLE && support === 'old'
  return isUnknown ? ErrorCode.INVALID_TXN_STATE : error
}

function errorsOf(transaction: VerifiedTransaction, error: ErrorCode): VerificationErrors {
  return new Map(
    transaction.partitions.map(({ topic, partition }) => [
      topicPartitionKey(topic, partition),
      error,
    ]),
  )
}
