import type { Config } from '../../src/base/config-def.ts'
import type { ProducerId } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import type { BatchHeader } from '../../src/wire/record-batch.ts'
import { tryReadBatchHeader } from '../log/batch-scan.ts'
import type { VerificationGuard } from '../log/verification-states.ts'
import type { AppendPartitionResult } from './delayed-produce.ts'
import type { Lookup } from './hosted-partitions.ts'
import { refusedAppend, type AppendEntry, type AppendInput } from './produce-service.ts'
import {
  TransactionVerifier,
  type ProduceTransaction,
  type TransactionSupport,
  type TransactionVerifierOptions,
} from './transaction-verifier.ts'

/** A producer that writes to one partition through a coordinator (TxnOffsetCommit). */
export interface CoordinatedProducer extends ProduceTransaction {
  readonly producerId: ProducerId
  readonly producerEpoch: number
}

export interface TransactionalAppendsOptions extends Omit<
  TransactionVerifierOptions,
  'requestTimeoutMs'
> {
  readonly config: Config
  readonly find: (topic: string, partition: number) => Lookup
  readonly append: (input: AppendInput) => void
}

/** What was found out about the entries of one request, by their index. */
interface Verdicts {
  readonly errors: Map<number, ErrorCode>
  readonly guards: Map<number, VerificationGuard>
}

interface TransactionalEntry {
  readonly index: number
  readonly entry: Pick<AppendEntry, 'topic' | 'partition'>
  readonly header: Pick<BatchHeader, 'producerId' | 'producerEpoch' | 'baseSequence'>
}

const NO_SEQUENCE = -1
const ON_THE_WAY: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])
const NOT_LEADER = ErrorCode.NOT_LEADER_OR_FOLLOWER

/**
 * Appends of transactional producers. Before the first batch of a transaction on a partition the leader asks the
 * transaction coordinator (KIP-890; ReplicaManager.handleProduceAppend): what does not belong to an open transaction
 * would never be ended by a marker and hold up its readers for ever.
 */
export class TransactionalAppends {
  readonly #options: TransactionalAppendsOptions
  readonly #verifier: TransactionVerifier

  constructor(options: TransactionalAppendsOptions) {
    this.#options = options
    const requestTimeoutMs = options.config.int('request.timeout.ms')
    this.#verifier = new TransactionVerifier({ ...options, requestTimeoutMs })
  }

  append(input: AppendInput, transaction: ProduceTransaction): void {
    const entries = transactionalEntries(input.entries)
    const [first] = entries
    if (first === undefined) return this.#options.append(input)
    if (entries.some(({ header }) => !isSameProducer(header, first.header))) {
      const error = ErrorCode.INVALID_PRODUCER_ID_MAPPING
      return input.respond(input.entries.map((entry) => refusedAppend(entry, error, null)))
    }
    this.#verify(entries, transaction, (verdicts) => {
      this.#appendVerified(input, verdicts, transaction.support)
    })
  }

  /**
   * For coordinators: verifies that the partition belongs to the producer's transaction. The guard belongs with the
   * append; null when none is needed. Calls `done` once, possibly at once.
   */
  verifyOne(
    topic: string,
    partition: number,
    producer: CoordinatedProducer,
    done: (error: ErrorCode, guard: VerificationGuard | null) => void,
  ): void {
    const { producerId, producerEpoch } = producer
    const header = { producerId, producerEpoch, baseSequence: NO_SEQUENCE }
    const entries = [{ index: 0, entry: { topic, partition }, header }]
    this.#verifyOnce(entries, producer, ({ errors, guards }) => {
      done(errors.get(0) ?? ErrorCode.NONE, guards.get(0) ?? null)
    })
  }

  /** Ends what is being verified. */
  close(): void {
    this.#verifier.close()
  }

  /** Only a client of protocol 2 is not sent away when its last transaction is still being ended. */
  #verify(
    entries: readonly TransactionalEntry[],
    transaction: ProduceTransaction,
    done: (verdicts: Verdicts) => void,
  ): void {
    const { clock, config, step } = this.#options
    const backoffMs = config.int('add.partitions.to.txn.retry.backoff.ms')
    const backoffMaxMs = config.int('add.partitions.to.txn.retry.backoff.max.ms')
    const retryMaxMs = Math.min(backoffMaxMs, config.int('request.timeout.ms'))
    const startMs = clock.monoMs()
    const ask = (): void => {
      this.#verifyOnce(entries, transaction, (verdicts) => {
        const isEnding = [...verdicts.errors.values()].includes(ErrorCode.CONCURRENT_TRANSACTIONS)
        const mayWait = clock.monoMs() - startMs < retryMaxMs
        if (transaction.support !== 'implicit' || !isEnding || !mayWait) return done(verdicts)
        clock.after(backoffMs, 'produce.verify-again', () => step(ask))
      })
    }
    ask()
  }

  #verifyOnce(
    entries: readonly TransactionalEntry[],
    transaction: ProduceTransaction,
    done: (verdicts: Verdicts) => void,
  ): void {
    const verdicts: Verdicts = { errors: new Map(), guards: new Map() }
    const supportsEpochBump = transaction.support === 'implicit'
    const isVerifying = this.#options.config.boolean('transaction.partition.verification.enable')
    if (!supportsEpochBump && !isVerifying) return done(verdicts)
    const asked: TransactionalEntry[] = []
    for (const each of entries) {
      const { index, entry, header } = each
      const found = this.#options.find(entry.topic, entry.partition)
      const { producerId, producerEpoch, baseSequence: sequence } = header
      const request = { producerId, producerEpoch, sequence, supportsEpochBump }
      const isLeader = found.partition?.isLeader === true
      if (found.partition === null || !isLeader) {
        const error = found.error === ErrorCode.NONE ? NOT_LEADER : found.error
        verdicts.errors.set(index, error)
        continue
      }
      const guard = found.partition.beginVerification(request)
      if (guard === null) continue
      verdicts.guards.set(index, guard)
      asked.push(each)
    }
    const [first] = asked
    if (first === undefined) return done(verdicts)
    const { producerId, producerEpoch } = first.header
    const partitions = asked.map(({ entry: { topic, partition } }) => ({ topic, partition }))
    const question = { ...transaction, producerId, producerEpoch, partitions }
    this.#verifier.verify(question, (errors) => {
      for (const { index, entry } of asked) {
        const error = errors.get(topicPartitionKey(entry.topic, entry.partition))
        if (error !== undefined) verdicts.errors.set(index, error)
      }
      done(verdicts)
    })
  }

  #appendVerified(
    input: AppendInput,
    { errors, guards }: Verdicts,
    support: TransactionSupport,
  ): void {
    const refused = new Map<number, AppendPartitionResult>()
    const accepted: AppendEntry[] = []
    for (const [index, entry] of input.entries.entries()) {
      const error = errors.get(index)
      const guard = guards.get(index)
      if (error === undefined) accepted.push(guard === undefined ? entry : { ...entry, guard })
      else refused.set(index, this.#refusedResult(entry, error, support))
    }
    if (refused.size === 0) return this.#options.append({ ...input, entries: accepted })
    const respond = (results: readonly AppendPartitionResult[]): void => {
      const rest = results.values()
      const inOrder = input.entries.flatMap((_, index) => {
        const result = refused.get(index) ?? rest.next().value
        return result === undefined ? [] : [result]
      })
      input.respond(inOrder)
    }
    if (accepted.length === 0) respond([])
    else this.#options.append({ ...input, entries: accepted, respond })
  }

  /**
   * What goes wrong on the way to the coordinator is told as an error for which producers of all ages try again
   * without looking for another leader.
   */
  #refusedResult(
    entry: AppendEntry,
    error: ErrorCode,
    support: TransactionSupport,
  ): AppendPartitionResult {
    const { partition } = this.#options.find(entry.topic, entry.partition)
    partition?.tell('partition.transaction-refused', { errorCode: error })
    const isEnding = error === ErrorCode.CONCURRENT_TRANSACTIONS && support !== 'implicit'
    if (isEnding || ON_THE_WAY.has(error)) {
      const errorMessage = `Unable to verify the partition has been added to the transaction. Underlying error: ${errorName(error)}`
      return {
        ...refusedAppend(entry, ErrorCode.NOT_ENOUGH_REPLICAS, partition),
        errorMessage,
      }
    }
    const isUnknown = error === ErrorCode.INVALID_TXN_STATE
    const errorMessage = isUnknown ? 'Partition was not added to the transaction' : null
    return { ...refusedAppend(entry, error, partition), errorMessage }
  }
}

function transactionalEntries(entries: readonly AppendEntry[]): readonly TransactionalEntry[] {
  return entries.flatMap((entry, index) => {
    const header = tryReadBatchHeader(entry.records, 0)
    const isTransactional = header !== null && header.isTransactional && header.producerId >= 0
    return isTransactional ? [{ index, entry, header }] : []
  })
}

function isSameProducer(a: TransactionalEntry['header'], b: TransactionalEntry['header']): boolean {
  return a.producerId === b.producerId && a.producerEpoch === b.producerEpoch
}
