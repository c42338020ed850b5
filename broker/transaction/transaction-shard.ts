import type { Offset } from '../../src/base/ids.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { NO_OUTCOME, type CoordinatorRecord, type Outcome } from '../coordinator/outcome.ts'
import type {
  CoordinatorShard,
  ReplayedRecord,
  ShardPartition,
  ShardPorts,
} from '../coordinator/shard.ts'
import { verifyPartitions, type AddPartitions } from './add-partitions.ts'
import type { Decision, Situation } from './decision.ts'
import type { MarkerSender } from './marker-sender.ts'
import { MarkerTask } from './marker-task.ts'
import type { PartitionSet } from './partition-set.ts'
import {
  decodeTransactionRecord,
  isFlexibleValue,
  transactionRecord,
  transactionTombstone,
} from './records.ts'
import { completeEnd, type Transaction } from './transaction.ts'
import type { TransactionConfig } from './transaction-config.ts'
import { isAtRest, isPrepared } from './transaction-state.ts'

/** Until a completion that could not be written is tried again. */
const COMPLETE_RETRY_MS = 50

/** A transactional id as the shard has it. */
export interface TransactionEntry {
  readonly transaction: Transaction
  /** Of its newest record. */
  readonly offset: Offset
  /** Its newest record has the fields of the flexible version. */
  readonly isFlexible: boolean
}

export interface TransactionShardOptions {
  readonly ports: ShardPorts
  readonly partition: ShardPartition
  readonly config: TransactionConfig
  readonly markers: Pick<MarkerSender, 'start'>
  /** The finalized transaction.version. */
  readonly level: () => number
}

/** All transactional ids of one partition of `__transaction_state`. */
export class TransactionShard implements CoordinatorShard {
  readonly #options: TransactionShardOptions
  readonly #entries = new Map<string, TransactionEntry>()
  /** Markers under way, by transactional id. */
  readonly #tasks = new Map<string, MarkerTask>()
  #isLoaded = false

  constructor(options: TransactionShardOptions) {
    this.#options = options
  }

  get entries(): ReadonlyMap<string, TransactionEntry> {
    return this.#entries
  }

  transaction(transactionalId: string): Transaction | null {
    return this.#entries.get(transactionalId)?.transaction ?? null
  }

  /** The partitions of a transaction; once its end is decided, those that still need their marker. */
  partitionsOf(transaction: Transaction): PartitionSet {
    return this.#tasks.get(transaction.transactionalId)?.remaining ?? transaction.partitions
  }

  replay({ offset, key, value }: ReplayedRecord): void {
    const record = decodeTransactionRecord({ key, value })
    if (record.kind === 'unknown') {
      const { events, partition } = this.#options.ports
      events.emit('coordinator.record-skipped', { partition, offset, recordType: record.type })
      return
    }
    const { transactionalId, transaction } = record
    if (transaction === null || value === null) this.#entries.delete(transactionalId)
    else {
      const isFlexible = isFlexibleValue(value)
      this.#entries.set(transactionalId, { transaction, offset, isFlexible })
    }
  }

  /** Kafka writes no transactional records to this topic. */
  replayTransactionEnd(): void {}

  /** Ends that were decided before this broker was elected are carried out once they are committed here. */
  onLoaded(): Outcome<never> {
    this.#isLoaded = true
    const prepared = [...this.#entries.values()].filter(({ transaction }) =>
      isPrepared(transaction.state),
    )
    if (prepared.length === 0) return NO_OUTCOME
    return {
      records: [],
      onCommitted: () => {
        for (const { transaction } of prepared) this.#startMarkers(transaction)
        return NO_OUTCOME
      },
    }
  }

  onUnloaded(): void {
    for (const task of this.#tasks.values()) task.cancel()
    this.#tasks.clear()
  }

  /** Decides on a request for one transactional id and writes what it decides. */
  decide(
    transactionalId: string,
    newProducerId: number | null,
    decideOn: (situation: Situation) => Decision,
  ): Outcome<Decision> {
    const decision = decideOn({
      transaction: this.transaction(transactionalId),
      isPending: this.isPending(transactionalId),
      newProducerId,
      nowMs: this.#options.ports.clock.wallMs(),
      level: this.#options.level(),
    })
    if (decision.kind === 'needs-producer-id') {
      return { records: [], answer: decision, leavesAtOnce: true }
    }
    if (decision.kind === 'answered') {
      // The client is to ask again: there is nothing to wait for.
      const leavesAtOnce = decision.error === ErrorCode.CONCURRENT_TRANSACTIONS
      return { records: [], answer: decision, leavesAtOnce }
    }
    return { ...this.#write(decision.next), answer: decision }
  }

  verify(request: AddPartitions): ReadonlyMap<TopicPartition, ErrorCode> {
    return verifyPartitions(request, this.transaction(request.transactionalId))
  }

  /** Whether the newest record is not committed yet: Kafka's transition in progress. */
  isPending(transactionalId: string): boolean {
    const entry = this.#entries.get(transactionalId)
    return entry !== undefined && entry.offset >= this.#options.partition.highWatermark()
  }

  /** Transactions that are open for longer than their producer allowed. */
  timedOut(): readonly Transaction[] {
    const nowMs = this.#options.ports.clock.wallMs()
    return [...this.#entries.values()]
      .map(({ transaction }) => transaction)
      .filter(
        ({ transactionalId, state, startMs, timeoutMs }) =>
          state === 'Ongoing' && startMs + timeoutMs < nowMs && !this.isPending(transactionalId),
      )
  }

  /** Tombstones for the transactional ids that nobody has used for long. */
  removeExpired(): Outcome<never> {
    const { ports, config } = this.#options
    const latestMs = ports.clock.wallMs() - config.idExpirationMs
    const records: CoordinatorRecord[] = []
    for (const { transaction } of this.#entries.values()) {
      const { transactionalId, state, lastUpdateMs } = transaction
      if (!isAtRest(state) || lastUpdateMs > latestMs || this.isPending(transactionalId)) continue
      records.push(transactionTombstone(transactionalId))
    }
    return { records, isAtomic: false }
  }

  #write(next: Transaction): Outcome<never> {
    const record = transactionRecord(next, this.#options.level())
    return {
      records: [record],
      onAppended: () => this.#remember(next),
      ...(isPrepared(next.state) && {
        onCommitted: () => {
          this.#startMarkers(next)
          return NO_OUTCOME
        },
      }),
    }
  }

  /** What a record does not tell stays in memory: the last epoch, and of the classic version the other ids. */
  #remember(transaction: Transaction): void {
    const entry = this.#entries.get(transaction.transactionalId)
    if (entry === undefined) return
    this.#entries.set(transaction.transactionalId, { ...entry, transaction })
    this.#tell(transaction)
  }

  #startMarkers(transaction: Transaction): void {
    const { transactionalId } = transaction
    const task = new MarkerTask({
      transaction,
      coordinatorEpoch: () => this.#options.partition.leaderEpoch(),
      onDone: () => this.#options.partition.perform(() => this.#complete(transactionalId, task)),
    })
    this.#tasks.set(transactionalId, task)
    this.#options.markers.start(task)
  }

  #complete(transactionalId: string, task: MarkerTask): Outcome<never> {
    const transaction = this.transaction(transactionalId)
    if (transaction === null || this.#tasks.get(transactionalId) !== task) return NO_OUTCOME
    const { ports } = this.#options
    const outcome = this.#write(completeEnd(transaction, ports.clock.wallMs()))
    return {
      ...outcome,
      onAppended: () => {
        this.#tasks.delete(transactionalId)
        outcome.onAppended?.()
      },
      onAppendFailed: () => {
        ports.timers.schedule(`transaction-complete ${transactionalId}`, COMPLETE_RETRY_MS, () =>
          this.#complete(transactionalId, task),
        )
      },
    }
  }

  /** While loading the past goes by, which is no news. */
  #tell({ transactionalId, state, producerId, producerEpoch }: Transaction): void {
    if (!this.#isLoaded) return
    const fields = { transactionalId, state, producerId, producerEpoch }
    this.#options.ports.events.emit('transaction.state-changed', fields)
  }
}
