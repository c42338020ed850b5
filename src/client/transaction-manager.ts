import { assert, present } from '../base/assert.ts'
import { ConnectionError, KafketteError } from '../base/errors.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { Cluster } from './cluster.ts'
import type { OffsetAndMetadata } from './group-offsets.ts'
import { KafkaError } from './kafka-error.ts'
import type { ProducerIdAndEpoch, ProducerIds } from './producer-identity.ts'
import { timedOut } from './retry.ts'
import {
  TransactionRequests,
  type ConsumerGroupMetadata,
  type Severity,
} from './transaction-requests.ts'

const TRANSACTION_VERSION = 'transaction.version'
/** From this level on brokers add partitions themselves, and every transaction has an epoch of its own (KIP-890). */
const IMPLICIT_LEVEL = 2
/** After these a producer can do nothing any more, whatever request they answer. */
const FATAL_FOR_BATCHES: ReadonlySet<number> = new Set([
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.UNSUPPORTED_VERSION,
])

export type TransactionState =
  | 'UNINITIALIZED'
  | 'INITIALIZING'
  | 'READY'
  | 'IN_TRANSACTION'
  | 'COMMITTING_TRANSACTION'
  | 'ABORTING_TRANSACTION'
  | 'ABORTABLE_ERROR'
  | 'FATAL_ERROR'

/** Legal steps; any may end in FATAL_ERROR. */
const NEXT_STATES: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  UNINITIALIZED: ['INITIALIZING'],
  INITIALIZING: ['READY', 'ABORTABLE_ERROR'],
  READY: ['IN_TRANSACTION'],
  IN_TRANSACTION: ['COMMITTING_TRANSACTION', 'ABORTING_TRANSACTION', 'ABORTABLE_ERROR'],
  COMMITTING_TRANSACTION: ['READY', 'INITIALIZING', 'ABORTABLE_ERROR'],
  ABORTING_TRANSACTION: ['READY', 'INITIALIZING', 'ABORTABLE_ERROR'],
  ABORTABLE_ERROR: ['ABORTING_TRANSACTION', 'ABORTABLE_ERROR'],
  FATAL_ERROR: [],
}

export interface TransactionManagerOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly timeoutMs: number
  /** How long a call of the user waits; what it began goes on (max.block.ms). */
  readonly maxBlockMs: number
  /** Calls `done` when everything that was sent has ended, without lingering. */
  readonly flush: (done: () => void) => void
  /** Fails what was sent by the user and has not gone to a broker. */
  readonly dropUnsent: (error: Error) => void
  readonly failAll: (error: Error) => void
  readonly wake: () => void
}

export type Done = (error: Error | null) => void

/** What the user called and waits for; the same call made again after its time-out waits for it too. */
interface Pending {
  readonly name: string
  waiters: Done[]
}

/**
 * The transactions of one producer: Java's TransactionManager, its states, its two protocols, and which errors end a
 * transaction and which the producer. One call of the user is under way at a time.
 */
export class TransactionManager implements ProducerIds {
  readonly isTransactional = true
  readonly #options: TransactionManagerOptions
  readonly #requests: TransactionRequests
  #state: TransactionState = 'UNINITIALIZED'
  #error: Error | null = null
  #id: ProducerIdAndEpoch | null = null
  #isProtocol2 = false
  /** The next transaction must begin with a new epoch: batches of this one may come late. */
  #needsEpochBump = false
  /** Anything was sent that a marker must end. */
  #hasBegun = false
  #pending: Pending | null = null
  /** Partitions of the open transaction by `topic-partition`; those in `#unadded` are not the coordinator's yet. */
  readonly #partitions = new Map<string, TopicPartition>()
  readonly #unadded = new Map<string, TopicPartition>()
  #isAdding = false
  #addWaiters: (() => void)[] = []

  constructor(options: TransactionManagerOptions) {
    this.#options = options
    this.#requests = new TransactionRequests(options)
  }

  get state(): TransactionState {
    return this.#state
  }

  get isProtocol2(): boolean {
    return this.#isProtocol2
  }

  /** Why the producer can do nothing any more. */
  get fatalError(): Error | null {
    return this.#state === 'FATAL_ERROR' ? this.#error : null
  }

  acquire(): ProducerIdAndEpoch | null {
    return this.#id
  }

  /** A transactional producer chooses no epochs: its coordinator does. */
  next(): null {
    return null
  }

  init(done: Done): void {
    if (this.#joins('initTransactions', done)) return
    const problem = this.#problem(['UNINITIALIZED'], 'initTransactions')
    if (problem !== null) return this.#later(done, problem)
    this.#begin('initTransactions', done)
    this.#initialize(null)
  }

  /** Null, or why no transaction can begin. */
  begin(): Error | null {
    const problem = this.#problem(['READY'], 'beginTransaction')
    if (problem === null) this.#move('IN_TRANSACTION')
    return problem
  }

  /** Why nothing can be sent now, or null. */
  sendProblem(): Error | null {
    return this.#problem(['IN_TRANSACTION'], 'send')
  }

  /** A record is about to go to this partition; it may have waited for metadata until the commit was asked for. */
  use(topic: string, partition: number): void {
    if (this.#state !== 'IN_TRANSACTION' && this.#state !== 'COMMITTING_TRANSACTION') return
    const key = topicPartitionKey(topic, partition)
    if (this.#isProtocol2) {
      this.#hasBegun = true
      return
    }
    if (this.#partitions.has(key)) return
    this.#partitions.set(key, { topic, partition })
    this.#unadded.set(key, { topic, partition })
    this.#addPartitions()
  }

  /** Whether batches may go to this partition: with protocol 1 only when the coordinator knows of it. */
  maySendTo(topic: string, partition: number): boolean {
    if (this.#state === 'FATAL_ERROR' || this.#id === null) return false
    if (this.#isProtocol2) return true
    const key = topicPartitionKey(topic, partition)
    return this.#partitions.has(key) && !this.#unadded.has(key)
  }

  /** A batch ended without being stored, or without being known as stored. */
  onBatchFailed(error: Error): void {
    const isFatal = error instanceof KafkaError && FATAL_FOR_BATCHES.has(error.errorCode)
    if (isFatal) return this.#fail(error, 'fatal')
    const isOpen = this.#state === 'IN_TRANSACTION' || this.#state === 'ABORTABLE_ERROR'
    if (!isOpen && this.#state !== 'COMMITTING_TRANSACTION') return
    if (!this.#isProtocol2) this.#needsEpochBump = true
    this.#fail(error, 'abortable')
  }

  sendOffsets(
    offsets: readonly OffsetAndMetadata[],
    group: ConsumerGroupMetadata,
    done: Done,
  ): void {
    if (this.#joins('sendOffsetsToTransaction', done)) return
    const problem = this.#problem(['IN_TRANSACTION'], 'sendOffsetsToTransaction')
    if (problem !== null || offsets.length === 0) return this.#later(done, problem)
    this.#begin('sendOffsetsToTransaction', done)
    const id = present(this.#id, 'the id of an open transaction')
    const commit = (): void => {
      this.#hasBegun = true
      this.#requests.commitOffsets(id, offsets, group, this.#isProtocol2, (error, _, severity) => {
        this.#settle(error, severity)
      })
    }
    if (this.#isProtocol2) return commit()
    this.#whenAdded(() => {
      if (this.#pending === null) return
      this.#requests.addOffsets(id, group.groupId, (error, _, severity) => {
        if (error === null) commit()
        else this.#settle(error, severity)
      })
    })
  }

  /** Ends with what was sent stored and visible, or fails: then the transaction must be aborted. */
  commit(done: Done): void {
    if (this.#joins('commitTransaction', done)) return
    const problem = this.#problem(['IN_TRANSACTION'], 'commitTransaction')
    if (problem !== null) return this.#later(done, problem)
    this.#begin('commitTransaction', done)
    this.#move('COMMITTING_TRANSACTION')
    this.#options.flush(() => {
      if (this.#state === 'COMMITTING_TRANSACTION') this.#end(true)
    })
  }

  abort(done: Done): void {
    if (this.#joins('abortTransaction', done)) return
    const problem = this.#problem(['IN_TRANSACTION', 'ABORTABLE_ERROR'], 'abortTransaction')
    if (problem !== null) return this.#later(done, problem)
    this.#begin('abortTransaction', done)
    this.#move('ABORTING_TRANSACTION')
    this.#unadded.clear()
    const text = 'the transaction was aborted before the record was sent'
    this.#options.dropUnsent(new KafketteError('TRANSACTION_ABORTED', text))
    this.#options.flush(() => {
      this.#whenAdded(() => {
        if (this.#state === 'ABORTING_TRANSACTION') this.#end(false)
      })
    })
  }

  /** A producer that is closed in order leaves no transaction open. */
  endOpen(done: () => void): void {
    const isOpen = this.#state === 'IN_TRANSACTION' || this.#state === 'ABORTABLE_ERROR'
    if (this.#pending !== null) this.#wait(this.#pending, done)
    else if (isOpen) this.abort(done)
    else done()
  }

  /** Nothing of the user is left waiting. */
  close(): void {
    this.#requests.close()
    this.#finish(new ConnectionError('the producer is closed'))
  }

  #initialize(current: ProducerIdAndEpoch | null): void {
    this.#move('INITIALIZING')
    this.#requests.init(current, (error, id, severity) => {
      if (error !== null || id === null) return this.#settle(error, severity)
      this.#id = id
      this.#needsEpochBump = false
      this.#isProtocol2 = this.#hasImplicitLevel()
      this.#options.cluster.emit('client.transactions-initialized', {
        ...id,
        isProtocol2: this.#isProtocol2,
      })
      this.#move('READY')
      this.#finish(null)
    })
  }

  #end(isCommit: boolean): void {
    // Nothing is written of a transaction in which nothing was sent; there may not even be an id.
    if (!this.#hasBegun) return this.#ended(null)
    const id = present(this.#id, 'the id of an open transaction')
    this.#requests.end(id, isCommit, this.#isProtocol2, (error, next, severity) => {
      if (error === null) this.#ended(next)
      else this.#settle(error, severity)
    })
  }

  #ended(next: ProducerIdAndEpoch | null): void {
    this.#id = next ?? this.#id
    this.#hasBegun = false
    this.#error = null
    this.#partitions.clear()
    this.#unadded.clear()
    const isUpgraded = !this.#isProtocol2 && this.#hasImplicitLevel()
    if (this.#id === null || this.#needsEpochBump || isUpgraded) return this.#initialize(this.#id)
    this.#isProtocol2 = this.#hasImplicitLevel()
    this.#move('READY')
    this.#finish(null)
  }

  #hasImplicitLevel(): boolean {
    return this.#options.cluster.featureLevel(TRANSACTION_VERSION) >= IMPLICIT_LEVEL
  }

  /** One request at a time; what came meanwhile goes with the next. */
  #addPartitions(): void {
    if (this.#isAdding || this.#unadded.size === 0) return
    this.#isAdding = true
    const asked = new Map(this.#unadded)
    const id = present(this.#id, 'the id of an open transaction')
    this.#requests.addPartitions(id, [...asked.values()], (error, _, severity) => {
      this.#isAdding = false
      if (error === null) {
        this.#hasBegun = true
        for (const key of asked.keys()) this.#unadded.delete(key)
        this.#options.wake()
      } else {
        // It may have been taken all the same, so that a marker is needed.
        this.#hasBegun = true
        const isLate = this.#state === 'ABORTING_TRANSACTION' && severity === 'abortable'
        if (!isLate) this.#fail(error, severity ?? 'fatal')
      }
      if (this.#state === 'IN_TRANSACTION' || this.#state === 'COMMITTING_TRANSACTION') {
        this.#addPartitions()
      }
      this.#serveAdded()
    })
  }

  #whenAdded(fn: () => void): void {
    this.#addWaiters.push(fn)
    this.#serveAdded()
  }

  #serveAdded(): void {
    if (this.#isAdding) return
    const waiters = this.#addWaiters
    this.#addWaiters = []
    for (const waiter of waiters) waiter()
  }

  /** The outcome of the call under way. */
  #settle(error: Error | null, severity: Severity | null): void {
    if (error === null) return this.#finish(null)
    this.#fail(error, severity ?? 'fatal')
    this.#finish(error)
  }

  #fail(error: Error, severity: Severity): void {
    if (this.#state === 'FATAL_ERROR') return
    const isMapping =
      error instanceof KafkaError &&
      (error.errorCode === ErrorCode.INVALID_PRODUCER_ID_MAPPING ||
        error.errorCode === ErrorCode.UNKNOWN_PRODUCER_ID)
    if (isMapping && !this.#isProtocol2) this.#needsEpochBump = true
    const wasError = this.#state === 'ABORTABLE_ERROR'
    if (severity === 'fatal') {
      this.#state = 'FATAL_ERROR'
      this.#error = error
    } else if (!wasError) {
      this.#move('ABORTABLE_ERROR')
      this.#error = error
    }
    const { cluster } = this.#options
    cluster.emit('client.transaction-failed', { severity, why: error.message })
    const isCall = this.#pending !== null && this.#pending.name !== 'abortTransaction'
    if (severity === 'fatal' || isCall) this.#finish(error)
    if (severity === 'fatal') this.#options.failAll(error)
  }

  #move(to: TransactionState): void {
    assert(NEXT_STATES[this.#state].includes(to), `a transaction goes from ${this.#state} to ${to}`)
    this.#state = to
  }

  /** Why `operation`, which is for `states`, cannot be done now. */
  #problem(states: readonly TransactionState[], operation: string): Error | null {
    if (this.#state === 'FATAL_ERROR') return this.#error
    const isBlocked = this.#pending !== null && operation !== 'send'
    const isEnding = this.#pending !== null && this.#pending.name !== 'sendOffsetsToTransaction'
    if (this.#pending !== null && (isBlocked || isEnding)) {
      const text = `${operation}: ${this.#pending.name} has not ended, it must be called again first`
      return new KafketteError('ILLEGAL_STATE', text)
    }
    if (states.includes(this.#state)) return null
    if (this.#state === 'ABORTABLE_ERROR') {
      const text = `${operation}: the transaction has failed and must be aborted`
      return new KafketteError('ABORTABLE_TRANSACTION', text, { cause: this.#error })
    }
    const text = `${operation} needs the state ${states.join(' or ')}, this is ${this.#state}`
    return new KafketteError('ILLEGAL_STATE', text)
  }

  #joins(name: string, done: Done): boolean {
    if (this.#pending?.name !== name) return false
    this.#wait(this.#pending, done)
    return true
  }

  #begin(name: string, done: Done): void {
    assert(this.#pending === null, 'one call at a time')
    this.#pending = { name, waiters: [] }
    this.#wait(this.#pending, done)
  }

  /** Waits no longer than the user wants to; the call itself goes on. */
  #wait(pending: Pending, done: Done): void {
    const { cluster, maxBlockMs } = this.#options
    const { clock } = cluster.ports
    const waiter: Done = (error) => {
      clock.cancel(timer)
      done(error)
    }
    const timer = clock.after(maxBlockMs, 'client.transaction.wait', () => {
      pending.waiters = pending.waiters.filter((each) => each !== waiter)
      done(timedOut(pending.name, maxBlockMs, this.#error))
    })
    pending.waiters.push(waiter)
  }

  #finish(error: Error | null): void {
    const pending = this.#pending
    this.#pending = null
    for (const waiter of pending?.waiters ?? []) waiter(error)
  }

  #later(done: Done, error: Error | null): void {
    this.#options.cluster.ports.clock.after(0, 'client.refused', () => done(error))
  }
}
