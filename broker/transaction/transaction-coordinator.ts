import type { LeaderEpoch, ProducerId } from '../../src/base/ids.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { coordinatorPartition } from '../../src/wire/java-hash.ts'
import type { TransactionState as DescribedTransaction } from '../../src/wire/messages/65-describe-transactions.ts'
import type { ListTransactionsResponse } from '../../src/wire/messages/66-list-transactions.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { CoordinatorLog } from '../coordinator/log-port.ts'
import { CoordinatorRuntime, type PartitionStatus, type ShardSlot } from '../coordinator/runtime.ts'
import { decideAddPartitions, type AddPartitions } from './add-partitions.ts'
import { NO_IDENTITY, refused, type Decision, type Situation } from './decision.ts'
import { decideEnd, fenceAndAbort, type EndTransaction } from './end-transaction.ts'
import { decideInitProducerId, type InitProducerId } from './init-producer-id.ts'
import type { MarkerSender } from './marker-sender.ts'
import type { ClientVersion, ProducerIdentity, Transaction } from './transaction.ts'
import type { TransactionConfig } from './transaction-config.ts'
import { TransactionShard } from './transaction-shard.ts'
import { describeTransaction, listTransactions, type ListFilter } from './transaction-views.ts'

export interface TransactionCoordinatorOptions {
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly config: TransactionConfig
  readonly markers: MarkerSender
  /** Producer ids out of the blocks of the controller. */
  readonly producerIds: {
    next(done: (errorCode: number, producerId: ProducerId) => void): void
  }
  /** The finalized transaction.version. */
  readonly level: () => number
  /** Partitions of `__transaction_state`; 0 as long as it does not exist. */
  readonly partitionCount: () => number
}

/** An error, or NONE with who the producer is from now on. */
export interface ProducerAnswer extends ProducerIdentity {
  readonly error: ErrorCode
}

/**
 * The transaction coordinator of one broker: sends each request to the shard of its transactional id, gets producer
 * ids for those that need one, and looks for transactions that timed out and ids that expired. Every request is
 * answered exactly once, possibly before its method returns. Authorization is the caller's.
 */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions
  readonly #runtime: CoordinatorRuntime<TransactionShard>
  #hasTimers = false
  #isClosed = false

  constructor(options: TransactionCoordinatorOptions) {
    const { log, clock, random, events, config, markers, level } = options
    this.#options = options
    this.#runtime = new CoordinatorRuntime({
      name: 'transaction',
      log,
      clock,
      random,
      events,
      commitTimeoutMs: config.requestTimeoutMs,
      loadStepBytes: config.loadBufferBytes,
      createShard: (ports, partition) =>
        new TransactionShard({ ports, partition, config, markers, level }),
    })
  }

  /** The partition of `__transaction_state` that holds an id, by Java's hash; -1 without the topic. */
  partitionFor(transactionalId: string): number {
    const count = this.#options.partitionCount()
    return count <= 0 ? -1 : coordinatorPartition(transactionalId, count)
  }

  /** This broker leads a partition of `__transaction_state`: its log is loaded, then served. */
  onElected(partition: number, leaderEpoch: LeaderEpoch): void {
    this.#runtime.onElected(partition, leaderEpoch)
    if (this.#hasTimers) return
    this.#hasTimers = true
    this.#scheduleAborts()
    this.#scheduleExpiry()
  }

  onResigned(partition: number): void {
    this.#runtime.onResigned(partition)
  }

  onMetadataChanged(): void {
    this.#options.markers.onMetadataChanged()
  }

  /** Answers everything that waits with COORDINATOR_NOT_AVAILABLE, and all that comes later. */
  close(): void {
    this.#isClosed = true
    this.#options.markers.close()
    this.#runtime.close()
  }

  statusOf(partition: number): PartitionStatus {
    return this.#runtime.statusOf(partition)
  }

  /** The state of a led and loaded partition, for checks and views. */
  shardOf(partition: number): TransactionShard | null {
    return this.#runtime.shardOf(partition)
  }

  /** Every partition of `__transaction_state` that this broker leads, for checks and views. */
  slots(): readonly ShardSlot<TransactionShard>[] {
    return this.#runtime.slots()
  }

  /** Requests that have not been answered yet. */
  get openCount(): number {
    return this.#runtime.openCount
  }

  initProducerId(request: InitProducerId, respond: (answer: ProducerAnswer) => void): void {
    const { transactionalId, timeoutMs } = request
    if (transactionalId === '') {
      respond({ error: ErrorCode.INVALID_REQUEST, ...NO_IDENTITY })
    } else if (timeoutMs <= 0 || timeoutMs > this.#options.config.maxTimeoutMs) {
      respond({ error: ErrorCode.INVALID_TRANSACTION_TIMEOUT, ...NO_IDENTITY })
    } else {
      this.#decide(transactionalId, (now) => decideInitProducerId(request, now), respond)
    }
  }

  /** Adds partitions, or says why none of them was added. */
  addPartitions(
    request: AddPartitions,
    clientVersion: ClientVersion,
    respond: (error: ErrorCode) => void,
  ): void {
    const { transactionalId } = request
    if (transactionalId === '') return respond(ErrorCode.INVALID_REQUEST)
    this.#decide(
      transactionalId,
      (now) => decideAddPartitions(request, clientVersion, now),
      ({ error }) => respond(error),
    )
  }

  /** Says of each partition whether it belongs to the producer's transaction. */
  verifyPartitions(
    request: AddPartitions,
    respond: (errors: ReadonlyMap<TopicPartition, ErrorCode>) => void,
  ): void {
    const { transactionalId, partitions } = request
    const all = (error: ErrorCode): ReadonlyMap<TopicPartition, ErrorCode> =>
      new Map(partitions.map((partition) => [partition, error]))
    if (transactionalId === '') return respond(all(ErrorCode.INVALID_REQUEST))
    this.#runtime.request<ReadonlyMap<TopicPartition, ErrorCode>>({
      partition: this.partitionFor(transactionalId),
      run: (shard) => ({ records: [], answer: shard.verify(request) }),
      onError: all,
      respond,
    })
  }

  /** Answers when the end is decided for good; the markers follow. */
  endTransaction(
    request: EndTransaction,
    clientVersion: ClientVersion,
    respond: (answer: ProducerAnswer) => void,
  ): void {
    if (request.transactionalId === '') {
      return respond({ error: ErrorCode.INVALID_REQUEST, ...NO_IDENTITY })
    }
    const { transactionalId } = request
    this.#decide(transactionalId, (now) => decideEnd(request, clientVersion, now), respond)
  }

  describe(
    transactionalId: string,
    respond: (described: Input<DescribedTransaction>) => void,
  ): void {
    const onError = (errorCode: ErrorCode): Input<DescribedTransaction> => ({
      errorCode,
      transactionalId,
    })
    if (transactionalId === '') return respond(onError(ErrorCode.INVALID_REQUEST))
    this.#runtime.request<Input<DescribedTransaction>>({
      partition: this.partitionFor(transactionalId),
      run: (shard) => {
        const transaction = shard.transaction(transactionalId)
        const answer =
          transaction === null
            ? onError(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
            : describeTransaction(transaction, shard.partitionsOf(transaction))
        return { records: [], answer }
      },
      onError,
      respond,
    })
  }

  /** The transactions of all partitions that this broker leads. Like Kafka it shows what is not committed yet too. */
  list(filter: ListFilter): Input<ListTransactionsResponse> {
    if (this.#isClosed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    if (this.#runtime.loadingPartitions.length > 0) {
      return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }
    }
    const transactions = this.#activeShards().flatMap((shard) =>
      [...shard.entries.values()].map(({ transaction }) => transaction),
    )
    return listTransactions(transactions, filter, this.#options.clock.wallMs())
  }

  /** Aborts what is open for too long; whoever comes first, the producer or the coordinator, decides. */
  abortTimedOut(): void {
    for (const transaction of this.#activeShards().flatMap((shard) => shard.timedOut())) {
      const { transactionalId } = transaction
      const decideOn = (now: Situation): Decision =>
        isStill(transaction, now)
          ? fenceAndAbort(transaction, now, ErrorCode.NONE)
          : refused(ErrorCode.CONCURRENT_TRANSACTIONS)
      this.#decide(transactionalId, decideOn, ({ error }) => {
        this.#options.events.emit('transaction.timed-out', { transactionalId, error })
      })
    }
  }

  removeExpired(): void {
    this.#runtime.performOnAll((shard) => shard.removeExpired())
  }

  #decide(
    transactionalId: string,
    decideOn: (situation: Situation) => Decision,
    respond: (answer: ProducerAnswer) => void,
    newProducerId: ProducerId | null = null,
  ): void {
    this.#runtime.request<Decision>({
      partition: this.partitionFor(transactionalId),
      run: (shard) => shard.decide(transactionalId, newProducerId, decideOn),
      onError: refused,
      respond: (decision) => {
        if (decision.kind !== 'needs-producer-id') {
          respond({ error: decision.error, ...decision.identity })
          return
        }
        this.#options.producerIds.next((error, producerId) => {
          if (error === ErrorCode.NONE) {
            this.#decide(transactionalId, decideOn, respond, producerId)
          } else respond({ error: error as ErrorCode, ...NO_IDENTITY })
        })
      },
    })
  }

  #activeShards(): readonly TransactionShard[] {
    return this.#runtime.activePartitions.flatMap((partition) => {
      const shard = this.#runtime.shardOf(partition)
      return shard === null ? [] : [shard]
    })
  }

  #scheduleAborts(): void {
    const { clock, config } = this.#options
    clock.after(config.abortTimedOutIntervalMs, 'transaction.abort-timed-out', () => {
      if (this.#isClosed) return
      this.abortTimedOut()
      this.#scheduleAborts()
    })
  }

  #scheduleExpiry(): void {
    const { clock, config } = this.#options
    clock.after(config.removeExpiredIntervalMs, 'transaction.remove-expired', () => {
      if (this.#isClosed) return
      this.removeExpired()
      this.#scheduleExpiry()
    })
  }
}

/** The very transaction is still open. */
function isStill(before: Transaction, { transaction, isPending }: Situation): boolean {
  return !isPending && transaction === before
}
