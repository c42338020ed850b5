import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { AppendOrigin } from '../log/partition-log.ts'
import type { VerificationGuard } from '../log/verification-states.ts'
import {
  DelayedCommit,
  DelayedProduce,
  type AppendPartitionResult,
  type AwaitedAppend,
} from './delayed-produce.ts'
import { UNKNOWN_LEADER } from './fetch-result.ts'
import type { Lookup } from './hosted-partitions.ts'
import { leaderOf } from './partition-read.ts'
import type { Appended, AppendedTransaction } from './partition-exchange.ts'
import type { Partition } from './partition.ts'
import { Purgatory } from './purgatory.ts'
import { isStorageFailure, type StorageFailure } from './storage-failure.ts'
import type { ProduceTransaction } from './transaction-verifier.ts'

const MAX_WAITING_PRODUCES = 100_000
const TELLS_NO_LOG_START: ReadonlySet<number> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

export interface AppendInput {
  /** -1 (all), 0 or 1. */
  readonly requiredAcks: number
  /** How long acks=all may take. */
  readonly timeoutMs: number
  readonly origin: AppendOrigin
  readonly entries: readonly AppendEntry[]
  /** What a transactional producer says; its batches are verified first. */
  readonly transaction?: ProduceTransaction
  /** Of end markers: the transaction.version that their coordinator goes by. */
  readonly transactionVersion?: number
  /** Called once, possibly at once, with the results in the order of the entries; also for acks 0. */
  readonly respond: (results: readonly AppendPartitionResult[]) => void
}

export interface AppendEntry {
  readonly topic: string
  /** `ZERO_UUID` when the request names topics. */
  readonly topicId: Uuid
  readonly partition: number
  readonly records: Buffer
  /** Of the verification of its transaction. */
  readonly guard?: VerificationGuard
}

export interface ProduceServiceOptions {
  readonly clock: Clock
  readonly find: (topic: string, partition: number, topicId?: Uuid) => Lookup
  readonly onStorageFailure: (partition: Partition, error: StorageFailure) => void
}

/** Appends on leaders, and holds the answers that wait for the high watermark. */
export class ProduceService {
  readonly #options: ProduceServiceOptions
  readonly #purgatory: Purgatory

  constructor(options: ProduceServiceOptions) {
    this.#options = options
    const { clock } = options
    this.#purgatory = new Purgatory({ clock, name: 'produce.wait', limit: MAX_WAITING_PRODUCES })
  }

  get waitingCount(): number {
    return this.#purgatory.size
  }

  append(input: AppendInput): void {
    const { requiredAcks, entries, respond } = input
    if (requiredAcks !== -1 && requiredAcks !== 0 && requiredAcks !== 1) {
      return respond(
        entries.map((entry) => refusedAppend(entry, ErrorCode.INVALID_REQUIRED_ACKS, null)),
      )
    }
    const appends = entries.map((entry) => this.#appendOne(entry, input))
    const isWaiting = requiredAcks === -1 && appends.some((each) => each.requiredOffset !== null)
    if (!isWaiting) return respond(appends.map(({ result }) => result))
    const find = (topic: string, index: number): Partition | null =>
      this.#options.find(topic, index).partition
    const operation = new DelayedProduce(appends, find, respond)
    this.#purgatory.watch(operation, operation.keys, input.timeoutMs)
  }

  /** A coordinator's batch, under the rules of acks=all; nothing waits. */
  appendAsCoordinator(
    partition: Partition,
    batch: Buffer,
    transaction: AppendedTransaction = {},
  ): { readonly error: ErrorCode; readonly lastOffset: Offset } {
    const input = { requiredAcks: -1, origin: 'coordinator' } as const
    const { error, result } = this.#guarded(partition, batch, input, transaction)
    return { error, lastOffset: error === ErrorCode.NONE ? (result?.lastOffset ?? -1) : -1 }
  }

  /** Calls `done` once, possibly at once: NONE when `offset` is committed in `leaderEpoch`. */
  whenCommitted(
    partition: Partition,
    offset: Offset,
    leaderEpoch: LeaderEpoch,
    timeoutMs: number,
    done: (error: ErrorCode) => void,
  ): void {
    const operation = new DelayedCommit(partition, offset, leaderEpoch, done)
    this.#purgatory.watch(operation, [partition.key], timeoutMs)
  }

  /** The partition `key` has changed. */
  check(key: string): void {
    this.#purgatory.check(key)
  }

  close(): void {
    this.#purgatory.close()
  }

  #appendOne(entry: AppendEntry, input: AppendInput): AwaitedAppend {
    const { partition, error } = this.#options.find(entry.topic, entry.partition, entry.topicId)
    if (partition === null) {
      const isOther = error === ErrorCode.INCONSISTENT_TOPIC_ID
      const shown = isOther ? ErrorCode.UNKNOWN_TOPIC_ID : error
      return { result: refusedAppend(entry, shown, null), requiredOffset: null }
    }
    const { guard = null } = entry
    const transaction = { guard, transactionVersion: input.transactionVersion ?? 0 }
    const appended = this.#guarded(partition, entry.records, input, transaction)
    const { result } = appended
    if (result === null || appended.error !== ErrorCode.NONE) {
      const refused = refusedAppend(entry, appended.error, partition)
      const recordErrors = result?.recordErrors ?? []
      // As Kafka has it: a message only beside records, and where the log begins unless the error says enough.
      const told = {
        recordErrors,
        errorMessage: recordErrors.length > 0 ? (result?.message ?? null) : null,
        logStartOffset: TELLS_NO_LOG_START.has(appended.error)
          ? -1
          : (result?.logStartOffset ?? partition.log.logStartOffset),
      }
      return { result: { ...refused, ...told }, requiredOffset: null }
    }
    return {
      result: {
        topic: partition.topic,
        topicId: partition.topicId,
        partition: partition.partition,
        error: ErrorCode.NONE,
        baseOffset: result.baseOffset,
        logAppendTimeMs: result.logAppendTimeMs,
        logStartOffset: result.logStartOffset,
        recordErrors: [],
        errorMessage: null,
        currentLeader: leaderOf(partition),
      },
      requiredOffset: result.lastOffset + 1,
    }
  }

  #guarded(
    partition: Partition,
    records: Buffer,
    { requiredAcks, origin }: Pick<AppendInput, 'requiredAcks' | 'origin'>,
    transaction: AppendedTransaction,
  ): Appended {
    try {
      return partition.appendAsLeader(records, requiredAcks, origin, transaction)
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#options.onStorageFailure(partition, error)
      return { error: ErrorCode.KAFKA_STORAGE_ERROR, result: null }
    }
  }
}

/** The answer for a partition to which nothing was appended. */
export function refusedAppend(
  entry: Pick<AppendEntry, 'topic' | 'topicId' | 'partition'>,
  error: ErrorCode,
  partition: Partition | null,
): AppendPartitionResult {
  return {
    topic: entry.topic,
    topicId: partition?.topicId ?? entry.topicId ?? ZERO_UUID,
    partition: entry.partition,
    error,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage: null,
    currentLeader: partition === null ? UNKNOWN_LEADER : leaderOf(partition),
  }
}
