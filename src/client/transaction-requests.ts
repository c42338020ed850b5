import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { initProducerIdApi } from '../wire/messages/22-init-producer-id.ts'
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnResponse,
} from '../wire/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from '../wire/messages/25-add-offsets-to-txn.ts'
import { endTxnApi } from '../wire/messages/26-end-txn.ts'
import {
  txnOffsetCommitApi,
  type TxnOffsetCommitResponse,
} from '../wire/messages/28-txn-offset-commit.ts'
import type { Call } from './broker-channel.ts'
import type { Cluster } from './cluster.ts'
import { Coordinator, CoordinatorType } from './coordinator.ts'
import type { OffsetAndMetadata } from './group-offsets.ts'
import { isRetriableError, KafkaError } from './kafka-error.ts'
import type { ProducerIdAndEpoch } from './producer-identity.ts'
import { withRetries, type Cancellable } from './retry.ts'

/** Clients of protocol 1 leave out what came with 2 (KIP-890), and name partitions of a transaction one by one. */
const LAST_END_VERSION_1 = 4
const LAST_OFFSETS_VERSION_1 = 4
const LAST_ADD_VERSION = 3
/** TxnOffsetCommit names topics up to here. */
const LAST_VERSION_WITH_NAMES = 5
/** From here on it tells member and generation (KIP-447). */
const MEMBER_VERSION = 3
/** InitProducerId takes the present id, to go on with its next epoch (KIP-360). */
const BUMP_VERSION = 3

/** A consumer group as one of its members sees it; what `sendOffsetsToTransaction` needs. */
export interface ConsumerGroupMetadata {
  readonly groupId: string
  /** -1 with an empty member id: no membership. */
  readonly generation: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** What an error means for the transaction, as Java's TransactionManager has it. */
export type Severity = 'retry' | 'abortable' | 'fatal'

type Operation = 'init' | 'add-partitions' | 'add-offsets' | 'commit-offsets' | 'end'

export interface TransactionRequestsOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly timeoutMs: number
}

/** `error` has the severity that it is told with. */
export type TransactionDone<T> = (
  error: Error | null,
  value: T | null,
  severity: Severity | null,
) => void

/** The requests of one transactional producer to its coordinators: each is sent until it succeeds or cannot. */
export class TransactionRequests {
  readonly #options: TransactionRequestsOptions
  readonly #coordinator: Coordinator
  readonly #groups = new Map<string, Coordinator>()
  readonly #open = new Set<Cancellable>()

  constructor(options: TransactionRequestsOptions) {
    this.#options = options
    const { cluster, transactionalId } = options
    this.#coordinator = new Coordinator(cluster, CoordinatorType.TRANSACTION, transactionalId)
  }

  /** `current`: go on with this id in its next epoch. */
  init(current: ProducerIdAndEpoch | null, done: TransactionDone<ProducerIdAndEpoch>): void {
    const { transactionalId, timeoutMs } = this.#options
    this.#send(
      'init',
      this.#coordinator,
      {
        api: initProducerIdApi,
        timeoutMs: this.#options.cluster.requestTimeoutMs,
        limits: current === null ? {} : { min: BUMP_VERSION },
        body: () => ({
          transactionalId,
          transactionTimeoutMs: timeoutMs,
          ...(current && { producerId: current.producerId, producerEpoch: current.epoch }),
        }),
      },
      ({ errorCode }) => this.#coordinator.check(errorCode),
      (error, response, severity) => {
        const id = response && { producerId: response.producerId, epoch: response.producerEpoch }
        done(error, id, severity)
      },
    )
  }

  addPartitions(
    id: ProducerIdAndEpoch,
    partitions: readonly TopicPartition[],
    done: TransactionDone<unknown>,
  ): void {
    const byTopic = new Map<string, number[]>()
    for (const { topic, partition } of partitions) {
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
    }
    this.#send(
      'add-partitions',
      this.#coordinator,
      {
        api: addPartitionsToTxnApi,
        timeoutMs: this.#options.cluster.requestTimeoutMs,
        limits: { max: LAST_ADD_VERSION },
        body: () => ({
          v3AndBelowTransactionalId: this.#options.transactionalId,
          v3AndBelowProducerId: id.producerId,
          v3AndBelowProducerEpoch: id.epoch,
          v3AndBelowTopics: [...byTopic].map(([name, indexes]) => ({ name, partitions: indexes })),
        }),
      },
      (response) => this.#addProblem(response),
      done,
    )
  }

  addOffsets(id: ProducerIdAndEpoch, groupId: string, done: TransactionDone<unknown>): void {
    this.#send(
      'add-offsets',
      this.#coordinator,
      {
        api: addOffsetsToTxnApi,
        timeoutMs: this.#options.cluster.requestTimeoutMs,
        body: () => ({ ...this.#identity(id), groupId }),
      },
      ({ errorCode }) => this.#coordinator.check(errorCode),
      done,
    )
  }

  commitOffsets(
    id: ProducerIdAndEpoch,
    offsets: readonly OffsetAndMetadata[],
    group: ConsumerGroupMetadata,
    isProtocol2: boolean,
    done: TransactionDone<unknown>,
  ): void {
    const coordinator = this.#group(group.groupId)
    const { groupId, generation, memberId, groupInstanceId } = group
    this.#send(
      'commit-offsets',
      coordinator,
      {
        api: txnOffsetCommitApi,
        timeoutMs: this.#options.cluster.requestTimeoutMs,
        limits: { max: isProtocol2 ? LAST_VERSION_WITH_NAMES : LAST_OFFSETS_VERSION_1 },
        body: (version) => ({
          ...this.#identity(id),
          groupId,
          ...(version >= MEMBER_VERSION && {
            generationIdOrMemberEpoch: generation,
            memberId,
            groupInstanceId,
          }),
          topics: topicsOf(offsets),
        }),
      },
      (response) => offsetsProblem(response, coordinator),
      done,
    )
  }

  /** Gives the id to go on with; null: the present one. */
  end(
    id: ProducerIdAndEpoch,
    committed: boolean,
    isProtocol2: boolean,
    done: TransactionDone<ProducerIdAndEpoch | null>,
  ): void {
    this.#send(
      'end',
      this.#coordinator,
      {
        api: endTxnApi,
        timeoutMs: this.#options.cluster.requestTimeoutMs,
        limits: isProtocol2 ? {} : { max: LAST_END_VERSION_1 },
        body: () => ({ ...this.#identity(id), committed }),
      },
      ({ errorCode }) => this.#coordinator.check(errorCode),
      (error, response, severity) => {
        const isNew = response !== null && response.producerId >= 0
        const next = isNew
          ? { producerId: response.producerId, epoch: response.producerEpoch }
          : null
        done(error, next, severity)
      },
    )
  }

  /** Ends all without a word. */
  close(): void {
    for (const each of this.#open) each.abandon()
    this.#open.clear()
  }

  #identity({ producerId, epoch }: ProducerIdAndEpoch) {
    return {
      transactionalId: this.#options.transactionalId,
      producerId,
      producerEpoch: epoch,
    }
  }

  #group(groupId: string): Coordinator {
    const known = this.#groups.get(groupId)
    if (known !== undefined) return known
    const made = new Coordinator(this.#options.cluster, CoordinatorType.GROUP, groupId)
    this.#groups.set(groupId, made)
    return made
  }

  #send<Req, Res>(
    operation: Operation,
    coordinator: Coordinator,
    call: Call<Req, Res>,
    problemOf: (response: Res) => Error | null,
    done: TransactionDone<Res>,
  ): void {
    const { cluster, transactionalId } = this.#options
    let running: Cancellable | null = null
    running = withRetries<Res>({
      what: `${call.api.name} of transactional id "${transactionalId}"`,
      clock: cluster.ports.clock,
      random: cluster.ports.random,
      backoff: cluster.retryBackoff,
      timeoutMs: Infinity,
      isRetriable: (error) => severityOf(operation, error) === 'retry',
      attempt: (_remainingMs, answered) => {
        coordinator.request(call, (error, response) => {
          const problem = error ?? (response === null ? null : problemOf(response))
          answered(problem, response)
        })
      },
      done: (error, response) => {
        if (running !== null) this.#open.delete(running)
        if (error === null) done(null, response, null)
        else done(fencedAsSuch(error), null, severityOf(operation, error))
      },
    })
    this.#open.add(running)
  }

  /** The error that decides: one that a retry does not help before the others. */
  #addProblem(response: AddPartitionsToTxnResponse): Error | null {
    const errors: KafkaError[] = []
    for (const { name, resultsByPartition } of response.resultsByTopicV3AndBelow) {
      for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
        if (partitionErrorCode === ErrorCode.OPERATION_NOT_ATTEMPTED) continue
        const where = `adding ${topicPartitionKey(name, partitionIndex)} to the transaction`
        const code = partitionErrorCode
        const problem = this.#coordinator.check(code, code === ErrorCode.NONE ? null : where)
        if (problem !== null) errors.push(problem)
      }
    }
    return worstOf('add-partitions', errors)
  }
}

/** Retriable for ever, the end of this transaction, or the end of this producer. */
export function severityOf(operation: Operation, error: Error): Severity {
  if (!(error instanceof KafkaError)) return isRetriableError(error) ? 'retry' : 'fatal'
  switch (error.errorCode) {
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return 'retry'
    case ErrorCode.TRANSACTION_ABORTABLE:
      return 'abortable'
    case ErrorCode.UNKNOWN_PRODUCER_ID:
    case ErrorCode.INVALID_PRODUCER_ID_MAPPING:
      return operation === 'init' ? 'fatal' : 'abortable'
    case ErrorCode.GROUP_AUTHORIZATION_FAILED:
      return 'abortable'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.PRODUCER_FENCED:
    case ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case ErrorCode.CLUSTER_AUTHORIZATION_FAILED:
    case ErrorCode.UNSUPPORTED_VERSION:
    case ErrorCode.INVALID_TXN_STATE:
      return 'fatal'
    case ErrorCode.FENCED_INSTANCE_ID:
    case ErrorCode.UNKNOWN_MEMBER_ID:
    case ErrorCode.ILLEGAL_GENERATION:
      return operation === 'commit-offsets' ? 'abortable' : 'fatal'
    default:
      if (error.isRetriable) return 'retry'
      return operation === 'add-partitions' ? 'abortable' : 'fatal'
  }
}

/** Both errors say that a newer producer has taken over the id. */
function fencedAsSuch(error: Error): Error {
  const isOld = error instanceof KafkaError && error.errorCode === ErrorCode.INVALID_PRODUCER_EPOCH
  return isOld ? new KafkaError(ErrorCode.PRODUCER_FENCED, null, { cause: error }) : error
}

function worstOf(operation: Operation, errors: readonly KafkaError[]): KafkaError | null {
  const of = (severity: Severity): KafkaError | undefined =>
    errors.find((error) => severityOf(operation, error) === severity)
  return of('fatal') ?? of('abortable') ?? errors[0] ?? null
}

function offsetsProblem(
  response: TxnOffsetCommitResponse,
  coordinator: Coordinator,
): KafkaError | null {
  const errors: KafkaError[] = []
  for (const { name, partitions } of response.topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      const where = `committing offset of ${topicPartitionKey(name, partitionIndex)}`
      const problem = coordinator.check(errorCode, errorCode === ErrorCode.NONE ? null : where)
      if (problem !== null) errors.push(problem)
    }
  }
  return worstOf('commit-offsets', errors)
}

function topicsOf(offsets: readonly OffsetAndMetadata[]) {
  const topics = new Map<string, OffsetAndMetadata[]>()
  for (const each of offsets) topics.set(each.topic, [...(topics.get(each.topic) ?? []), each])
  return [...topics].map(([name, own]) => ({
    name,
    partitions: own.map((each) => ({
      partitionIndex: each.partition,
      committedOffset: each.offset,
      committedLeaderEpoch: each.leaderEpoch ?? -1,
      committedMetadata: each.metadata ?? '',
    })),
  }))
}
