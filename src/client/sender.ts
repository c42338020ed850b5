import { TimeoutError } from '../base/errors.ts'
import type { BrokerId } from '../base/ids.ts'
import { topicPartitionKey } from '../base/topic-partition.ts'
import { ZERO_UUID } from '../base/uuid.ts'
import type { Timer } from '../ports/clock.ts'
import { ErrorCode, isRetriable } from '../wire/error-codes.ts'
import {
  produceApi,
  type PartitionProduceResponse,
  type ProduceRequest,
  type ProduceResponse,
} from '../wire/messages/00-produce.ts'
import { partitionOfKey } from '../wire/murmur2.ts'
import type { Input } from '../wire/schema.ts'
import type { Call } from './broker-channel.ts'
import type { Cluster } from './cluster.ts'
import { isRetriableError, KafkaError, needsMetadata } from './kafka-error.ts'
import type { TopicMetadata } from './metadata.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import { StickyPartitioner } from './partitioner.ts'
import { ProducerBatch, type Codec } from './producer-batch.ts'
import type { ProducerIds } from './producer-identity.ts'
import { ProducerPartition } from './producer-partition.ts'
import type { PreparedRecord } from './producer-record.ts'
import { backoffMs } from './retry.ts'
import type { TransactionManager } from './transaction-manager.ts'

/** The newest Produce version that names topics; from 13 on it has their ids. */
const LAST_VERSION_WITH_NAMES = 12
/** Up to here a broker does not add partitions to transactions (KIP-890). */
const LAST_PROTOCOL_1_VERSION = 11

export interface SenderSettings {
  readonly acks: -1 | 0 | 1
  readonly codec: Codec
  readonly batchBytes: number
  readonly lingerMs: number
  readonly maxRequestBytes: number
  readonly maxInFlightPerBroker: number
  readonly maxRetries: number
  readonly deliveryTimeoutMs: number
  readonly ignoresKeys: boolean
  readonly transactionalId: string | null
}

export interface SenderOptions {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly settings: SenderSettings
  /** Null for a producer that is not idempotent. */
  readonly identity: ProducerIds | null
  readonly transactions: TransactionManager | null
  /** True while batches are to be sent without waiting to be filled. */
  readonly isHurried: () => boolean
  /** A batch has ended and its bytes are free. */
  readonly onFreed: (bytes: number) => void
}

interface BrokerLoad {
  inFlight: number
  /** Asked by the broker to wait until then (KIP-219). */
  mutedUntilMs: number
}

/** Gathers records into batches and sends them to the leaders, again when that may help. */
export class Sender {
  readonly #options: SenderOptions
  readonly #sticky: StickyPartitioner
  readonly #partitions = new Map<string, ProducerPartition>()
  readonly #loads = new Map<BrokerId, BrokerLoad>()
  #timer: Timer | null = null
  #wakeAtMs = Infinity
  #round = 0
  #isClosed = false

  constructor(options: SenderOptions) {
    this.#options = options
    this.#sticky = new StickyPartitioner(options.cluster.ports.random.fork('partitioner'))
  }

  /** Puts a record into a batch of its partition. */
  append(record: PreparedRecord, topic: TopicMetadata): void {
    const { settings } = this.#options
    const partition = this.#partition(topic.name, this.#choose(record, topic))
    this.#options.transactions?.use(partition.topic, partition.partition)
    const nowMs = this.#nowMs()
    const added = partition.append(
      record,
      settings.batchBytes,
      (ordinal) =>
        new ProducerBatch({
          topic: partition.topic,
          partition: partition.partition,
          ordinal,
          createdAtMs: nowMs,
          deadlineMs: nowMs + settings.deliveryTimeoutMs,
          codec: settings.codec,
          isTransactional: settings.transactionalId !== null,
        }),
    )
    if (added !== null) this.wake()
  }

  /** Looks for batches to send, after the current step. */
  wake(): void {
    this.#wakeAt(this.#nowMs())
  }

  /** Fails everything that is not stored yet. */
  close(error: Error): void {
    this.#isClosed = true
    if (this.#timer !== null) this.#options.cluster.ports.clock.cancel(this.#timer)
    this.failAll(error)
  }

  /** Fails what was never sent; what was is still awaited. */
  dropUnsent(error: Error): void {
    for (const partition of this.#partitions.values()) {
      for (const batch of partition.takeUnsent()) this.#fail(batch, error)
    }
  }

  failAll(error: Error): void {
    for (const partition of this.#partitions.values()) {
      for (const batch of partition.clear()) this.#fail(batch, error)
    }
  }

  #choose(record: PreparedRecord, topic: TopicMetadata): number {
    if (record.partition !== null) return record.partition
    const { key } = record.input
    const isKeyed = key !== null && !this.#options.settings.ignoresKeys
    if (isKeyed) return partitionOfKey(key, topic.partitions.length)
    return this.#sticky.partitionFor(topic)
  }

  #partition(topic: string, partition: number): ProducerPartition {
    const key = topicPartitionKey(topic, partition)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const made = new ProducerPartition(topic, partition, this.#options.identity)
    this.#partitions.set(key, made)
    return made
  }

  #wakeAt(atMs: number): void {
    const { clock } = this.#options.cluster.ports
    if (this.#isClosed || atMs === Infinity || (this.#timer !== null && this.#wakeAtMs <= atMs)) {
      return
    }
    if (this.#timer !== null) clock.cancel(this.#timer)
    this.#wakeAtMs = atMs
    const delayMs = Math.max(0, atMs - this.#nowMs())
    this.#timer = clock.after(delayMs, 'client.producer.wake', () => {
      this.#timer = null
      this.#pump()
    })
  }

  #pump(): void {
    const nowMs = this.#nowMs()
    const active = [...this.#partitions.values()].filter((partition) => !partition.isEmpty)
    for (const partition of active) this.#expire(partition, nowMs)
    this.#round += 1
    const first = active.length === 0 ? 0 : this.#round % active.length
    const inTurn = [...active.slice(first), ...active.slice(0, first)]
    let isStale = false
    for (;;) {
      const plan = new Map<BrokerId, ProducerBatch[]>()
      for (const partition of inTurn) isStale = this.#planFor(partition, nowMs, plan) || isStale
      if (plan.size === 0) break
      for (const [leader, batches] of plan) this.#send(leader, batches)
    }
    if (isStale) {
      this.#options.updater.requestUpdate()
      this.#wakeAt(nowMs + this.#options.cluster.retryBackoff.baseMs)
    }
    this.#wakeAt(this.#nextWakeMs(active, nowMs))
  }

  /** Adds at most one batch of the partition. True when its leader is not known or cannot be reached. */
  #planFor(
    partition: ProducerPartition,
    nowMs: number,
    plan: Map<BrokerId, ProducerBatch[]>,
  ): boolean {
    const { cluster, settings, transactions } = this.#options
    const isHeld = transactions?.maySendTo(partition.topic, partition.partition) === false
    if (isHeld) return false
    const batch = partition.sendable(nowMs, (open) => this.#isDue(open, nowMs))
    if (batch === null) return false
    const leader = cluster.metadata.partition(partition.topic, partition.partition)?.leader ?? -1
    if (leader < 0 || !cluster.canReach(leader)) return true
    if (!partition.mayGoTo(leader)) return false
    const load = this.#load(leader)
    if (load.inFlight >= settings.maxInFlightPerBroker || load.mutedUntilMs > nowMs) return false
    const planned = plan.get(leader) ?? []
    const bytes = planned.reduce((sum, each) => sum + each.sizeBytes, 0)
    if (planned.length > 0 && bytes + batch.sizeBytes > settings.maxRequestBytes) return false
    if (!partition.take(batch, leader)) return false
    this.#sticky.onBatchClosed(partition.topic, partition.partition)
    planned.push(batch)
    plan.set(leader, planned)
    return false
  }

  #isDue(batch: ProducerBatch, nowMs: number): boolean {
    const { settings, isHurried } = this.#options
    return (
      // As `nextDueMs` counts: the difference may be less than linger.ms by a rounding error, and nobody would look again.
      nowMs >= batch.createdAtMs + settings.lingerMs ||
      batch.sizeBytes >= settings.batchBytes ||
      isHurried()
    )
  }

  /** Only what time alone brings about; answers and metadata wake the sender by themselves. */
  #nextWakeMs(active: readonly ProducerPartition[], nowMs: number): number {
    let earliest = Infinity
    for (const partition of active) {
      const dueMs = partition.nextDueMs(this.#options.settings.lingerMs)
      if (dueMs > nowMs) earliest = Math.min(earliest, dueMs)
      earliest = Math.min(earliest, partition.nextDeadlineMs())
    }
    for (const load of this.#loads.values()) {
      if (load.mutedUntilMs > nowMs) earliest = Math.min(earliest, load.mutedUntilMs)
    }
    return earliest
  }

  #expire(partition: ProducerPartition, nowMs: number): void {
    const { deliveryTimeoutMs } = this.#options.settings
    const expired = partition.expire(nowMs)
    for (const batch of expired) {
      const why = batch.lastError === null ? '' : `; last error: ${batch.lastError.message}`
      const what = `${batch.recordCount} records for ${batch.topic}-${batch.partition}`
      const text = `${what} were not delivered within ${deliveryTimeoutMs} ms${why}`
      const error = new TimeoutError(text)
      this.#fail(batch, error)
      this.#options.transactions?.onBatchFailed(error)
    }
  }

  #send(leader: BrokerId, batches: readonly ProducerBatch[]): void {
    const { cluster, settings } = this.#options
    const load = this.#load(leader)
    load.inFlight += 1
    const hasIds = batches.every(({ topic }) => this.#topicId(topic) !== ZERO_UUID)
    const call: Call<ProduceRequest, ProduceResponse> = {
      api: produceApi,
      timeoutMs: cluster.requestTimeoutMs,
      limits: { max: this.#maxVersion(hasIds) },
      body: () => this.#body(batches),
    }
    const landed = (error: Error | null, response: ProduceResponse | null): void => {
      load.inFlight -= 1
      if (this.#isClosed) return
      this.#onAnswer(leader, batches, error, response)
      this.wake()
    }
    if (settings.acks === 0)
      cluster.requestOneWay(leader, 'main', call, (error) => landed(error, null))
    else cluster.request(leader, 'main', call, landed)
  }

  #maxVersion(hasIds: boolean): number {
    if (this.#options.transactions?.isProtocol2 === false) return LAST_PROTOCOL_1_VERSION
    return hasIds ? Infinity : LAST_VERSION_WITH_NAMES
  }

  #body(batches: readonly ProducerBatch[]): Input<ProduceRequest> {
    const byTopic = new Map<string, { index: number; records: Buffer }[]>()
    for (const batch of batches) {
      const partitions = byTopic.get(batch.topic) ?? []
      partitions.push({ index: batch.partition, records: batch.encode() })
      byTopic.set(batch.topic, partitions)
    }
    return {
      transactionalId: this.#options.settings.transactionalId,
      acks: this.#options.settings.acks,
      timeoutMs: this.#options.cluster.requestTimeoutMs,
      topicData: [...byTopic].map(([name, partitionData]) => ({
        name,
        topicId: this.#topicId(name),
        partitionData,
      })),
    }
  }

  #onAnswer(
    leader: BrokerId,
    batches: readonly ProducerBatch[],
    error: Error | null,
    response: ProduceResponse | null,
  ): void {
    if (error !== null) {
      this.#options.updater.requestUpdate()
      for (const batch of batches) this.#onLost(batch, error)
    } else if (response === null) {
      for (const batch of batches) this.#onStored(batch, -1, -1)
    } else {
      const { cluster } = this.#options
      if (response.throttleTimeMs > 0) {
        this.#load(leader).mutedUntilMs = this.#nowMs() + response.throttleTimeMs
      }
      for (const node of response.nodeEndpoints) {
        cluster.learn({ id: node.nodeId, host: node.host, port: node.port, rack: node.rack })
      }
      const answers = this.#answersOf(response)
      for (const batch of batches) {
        const answer = answers.get(topicPartitionKey(batch.topic, batch.partition))
        if (answer === undefined) this.#onLost(batch, new KafkaError(ErrorCode.NETWORK_EXCEPTION))
        else this.#onPartitionAnswer(batch, answer)
      }
    }
  }

  #answersOf(response: ProduceResponse): ReadonlyMap<string, PartitionProduceResponse> {
    const answers = new Map<string, PartitionProduceResponse>()
    for (const topic of response.responses) {
      const name =
        topic.topicId === ZERO_UUID
          ? topic.name
          : (this.#options.cluster.metadata.topicName(topic.topicId) ?? topic.name)
      for (const answer of topic.partitionResponses) {
        answers.set(topicPartitionKey(name, answer.index), answer)
      }
    }
    return answers
  }

  #onPartitionAnswer(batch: ProducerBatch, answer: PartitionProduceResponse): void {
    const code = answer.errorCode
    if (code === ErrorCode.NONE) {
      return this.#onStored(batch, answer.baseOffset, answer.logAppendTimeMs)
    }
    if (code === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return this.#onStored(batch, -1, -1)
    const { leaderId, leaderEpoch } = answer.currentLeader
    const { metadata } = this.#options.cluster
    const isTold = metadata.updateLeader(batch.topic, batch.partition, leaderId, leaderEpoch)
    if (needsMetadata(code) && !isTold) this.#options.updater.requestUpdate()
    const error = new KafkaError(code, answer.errorMessage)
    this.#onRefused(batch, error, isRetriable(code), isTold, (index) => {
      const own = answer.recordErrors.find((each) => each.batchIndex === index)
      return own === undefined ? error : new KafkaError(code, own.batchIndexErrorMessage)
    })
  }

  #onLost(batch: ProducerBatch, error: Error): void {
    this.#onRefused(batch, error, isRetriableError(error), false, () => error)
  }

  #onStored(batch: ProducerBatch, baseOffset: number, logAppendTimeMs: number): void {
    this.#partition(batch.topic, batch.partition).onStored(batch)
    if (batch.isEnded) return
    batch.complete(baseOffset, logAppendTimeMs)
    this.#options.onFreed(batch.bufferedBytes)
  }

  #onRefused(
    batch: ProducerBatch,
    error: Error,
    mayRetry: boolean,
    isAtOnce: boolean,
    errorOf: (index: number) => Error,
  ): void {
    const { cluster, settings } = this.#options
    const partition = this.#partition(batch.topic, batch.partition)
    const code = error instanceof KafkaError ? error.errorCode : ErrorCode.NETWORK_EXCEPTION
    batch.lastError = error
    const verdict = partition.judge(batch, code, mayRetry)
    if (verdict === 'retry' && batch.attempts <= settings.maxRetries) {
      const delayMs = backoffMs(batch.attempts, cluster.retryBackoff, cluster.ports.random)
      partition.retryAt(batch, this.#nowMs() + (isAtOnce ? 0 : delayMs))
      return
    }
    partition.drop(batch)
    if (batch.isEnded) return
    batch.fail(errorOf)
    this.#options.onFreed(batch.bufferedBytes)
    this.#options.transactions?.onBatchFailed(error)
  }

  #fail(batch: ProducerBatch, error: Error): void {
    batch.fail(() => error)
    this.#options.onFreed(batch.bufferedBytes)
  }

  #load(broker: BrokerId): BrokerLoad {
    const known = this.#loads.get(broker)
    if (known !== undefined) return known
    const load = { inFlight: 0, mutedUntilMs: 0 }
    this.#loads.set(broker, load)
    return load
  }

  #topicId(topic: string): string {
    return this.#options.cluster.metadata.topic(topic)?.id ?? ZERO_UUID
  }

  #nowMs(): number {
    return this.#options.cluster.ports.clock.monoMs()
  }
}
