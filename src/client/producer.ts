import { present } from '../base/assert.ts'
import type { Config, UnknownName } from '../base/config-def.ts'
import { ConnectionError, KafketteError } from '../base/errors.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { BATCH_HEADER_BYTES } from '../wire/record-batch.ts'
import {
  deliveryTimeoutMs,
  isIdempotent,
  parseClientConfig,
  requiredAcks,
  type Properties,
} from './client-config.ts'
import type { ClientPorts } from './client-ports.ts'
import { Cluster } from './cluster.ts'
import type { OffsetAndMetadata } from './group-offsets.ts'
import { KafkaError } from './kafka-error.ts'
import type { TopicMetadata } from './metadata.ts'
import { MetadataUpdater } from './metadata-updater.ts'
import type { Codec } from './producer-batch.ts'
import { ProducerIdentity, type ProducerIds } from './producer-identity.ts'
import { ProducerIntake } from './producer-intake.ts'
import {
  prepareRecord,
  type PreparedRecord,
  type ProducerRecord,
  type RecordMetadata,
  type SendDone,
} from './producer-record.ts'
import { asPromise, timedOut } from './retry.ts'
import { Sender } from './sender.ts'
import { TransactionManager } from './transaction-manager.ts'
import type { ConsumerGroupMetadata } from './transaction-requests.ts'

const CODECS: Readonly<Record<string, Codec>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

interface FlushWaiter {
  /** Sends of this generation and before must have ended. */
  readonly generation: number
  readonly done: () => void
}

/**
 * Sends records to a cluster, with the settings and promises of Kafka's own producer: order per partition,
 * no duplicates while `enable.idempotence` holds, a bounded buffer.
 */
export class Producer {
  readonly config: Config
  /** Given properties that no producer knows. */
  readonly unknownProperties: readonly UnknownName[]
  readonly #ports: ClientPorts
  readonly #cluster: Cluster
  readonly #updater: MetadataUpdater
  readonly #identity: ProducerIds | null
  readonly #transactions: TransactionManager | null
  readonly #intake: ProducerIntake
  readonly #sender: Sender
  /** Sends that have not ended, by the number of flushes before them. */
  readonly #openByGeneration = new Map<number, number>()
  #generation = 0
  #flushWaiters: FlushWaiter[] = []
  #isClosed = false
  #closing: Promise<void> | null = null

  /** Throws `ConfigError` for settings that cannot be used. */
  constructor(properties: Properties, ports: ClientPorts) {
    const { config, unknownNames } = parseClientConfig('producer', properties)
    this.config = config
    this.unknownProperties = unknownNames
    this.#ports = ports
    this.#cluster = new Cluster(config, ports)
    this.#updater = new MetadataUpdater(this.#cluster, { allowAutoTopicCreation: true })
    this.#transactions = this.#makeTransactions()
    this.#identity =
      this.#transactions ??
      (isIdempotent(config) ? new ProducerIdentity(this.#cluster, () => this.#onIdentity()) : null)
    this.#intake = new ProducerIntake({
      cluster: this.#cluster,
      updater: this.#updater,
      bufferBytes: config.long('buffer.memory'),
      maxBlockMs: config.long('max.block.ms'),
      accept: (record, topic) => this.#sender.append(record, topic),
    })
    this.#sender = this.#makeSender()
    this.#updater.onUpdate(() => this.#sender.wake())
  }

  /**
   * Sends one record. Rejects with `KafkaError` (what the broker said), `TimeoutError` (`max.block.ms` or
   * `delivery.timeout.ms` is over), `BUFFER_EXHAUSTED`, or `ConnectionError` when the producer is closed.
   */
  send(record: ProducerRecord): Promise<RecordMetadata> {
    return asPromise((done) => this.produce(record, done))
  }

  /** `send` with a callback, which is called once and later. */
  produce(record: ProducerRecord, done: SendDone): void {
    const generation = this.#generation
    this.#openByGeneration.set(generation, (this.#openByGeneration.get(generation) ?? 0) + 1)
    const prepared = prepareRecord(record, this.#ports.clock.wallMs(), (error, metadata) => {
      this.#onEnded(generation)
      done(error, metadata)
    })
    const problem = this.#problemWith(prepared)
    if (problem === null) this.#intake.add(prepared)
    else this.#ports.clock.after(0, 'client.refused', () => prepared.done(problem, null))
    if (this.#intake.isFull) this.#sender.wake()
  }

  /**
   * Takes over the transactional id: earlier producers with it are fenced, their open transaction is ended. To be called
   * once, before all else. Rejects with `PRODUCER_FENCED` and other `KafkaError`s that are final, with `TimeoutError`
   * after `max.block.ms`: then it may be called again, as may commit and abort.
   */
  initTransactions(): Promise<void> {
    return this.#transactional((transactions, done) => transactions.init(done))
  }

  /** Every `send` from now on belongs to the transaction. Throws in the wrong state. */
  beginTransaction(): void {
    const problem = this.#transactions === null ? notTransactional() : this.#transactions.begin()
    if (problem !== null) throw problem
  }

  /** Commits offsets of a consumer with the transaction. `group`: from the consumer's `groupMetadata`. */
  sendOffsetsToTransaction(
    offsets: readonly OffsetAndMetadata[],
    group: ConsumerGroupMetadata,
  ): Promise<void> {
    return this.#transactional((transactions, done) =>
      transactions.sendOffsets(offsets, group, done),
    )
  }

  /** Waits for all that was sent, then commits. When it rejects and nothing was fenced: abort. */
  commitTransaction(): Promise<void> {
    return this.#transactional((transactions, done) => transactions.commit(done))
  }

  /** Drops what was not sent yet and ends the transaction; nothing of it is ever seen by readers of committed data. */
  abortTransaction(): Promise<void> {
    return this.#transactional((transactions, done) => transactions.abort(done))
  }

  /** For callers without promises; null unless `transactional.id` is set. */
  get transactions(): TransactionManager | null {
    return this.#transactions
  }

  /** Sends all that waits without lingering; resolves when every earlier `send` has ended, well or not. */
  flush(): Promise<void> {
    return asPromise<true>((done) => this.#whenFlushed(() => done(null, true))).then(
      () => undefined,
    )
  }

  /** What is known of a topic; looks it up first when nothing is. */
  partitionsFor(topic: string): Promise<TopicMetadata> {
    const timeoutMs = this.config.long('max.block.ms')
    return asPromise((done) => this.#updater.whenTopic(topic, 1, timeoutMs, done))
  }

  /** Flushes for at most `timeoutMs`, aborts an open transaction, fails what is left, and ends the connections. Safe to call twice. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? deliveryTimeoutMs(this.config)
    this.#closing ??= new Promise((resolve) => this.shutDown(timeoutMs, resolve))
    return this.#closing
  }

  /** `close` with a callback. Call it once. */
  shutDown(timeoutMs: number, done: () => void): void {
    this.#isClosed = true
    const { clock } = this.#ports
    let isEnded = false
    const end = (): void => {
      if (isEnded) return
      isEnded = true
      clock.cancel(timer)
      const error = timedOut('closing the producer', timeoutMs, null)
      this.#intake.close(error)
      this.#sender.close(error)
      this.#identity?.close()
      this.#updater.close()
      this.#cluster.close()
      done()
    }
    const timer = clock.after(timeoutMs, 'client.close.timeout', end)
    this.#whenFlushed(() => {
      if (this.#transactions === null) end()
      else this.#transactions.endOpen(end)
    })
  }

  #transactional(
    start: (transactions: TransactionManager, done: (error: Error | null) => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#transactions === null) return reject(notTransactional())
      start(this.#transactions, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  #makeTransactions(): TransactionManager | null {
    const { config } = this
    const transactionalId = config.nullableString('transactional.id')
    if (transactionalId === null) return null
    return new TransactionManager({
      cluster: this.#cluster,
      transactionalId,
      timeoutMs: config.int('transaction.timeout.ms'),
      maxBlockMs: config.long('max.block.ms'),
      flush: (done) => this.#whenFlushed(done),
      dropUnsent: (error) => {
        this.#intake.close(error)
        this.#sender.dropUnsent(error)
      },
      failAll: (error) => {
        this.#intake.close(error)
        this.#sender.failAll(error)
      },
      wake: () => this.#sender.wake(),
    })
  }

  #makeSender(): Sender {
    const { config } = this
    return new Sender({
      cluster: this.#cluster,
      updater: this.#updater,
      identity: this.#identity,
      transactions: this.#transactions,
      isHurried: () => this.#flushWaiters.length > 0 || this.#intake.isFull,
      onFreed: (bytes) => this.#intake.release(bytes),
      settings: {
        acks: requiredAcks(config),
        codec: present(CODECS[config.string('compression.type')], 'the codec'),
        batchBytes: config.int('batch.size'),
        lingerMs: config.long('linger.ms'),
        maxRequestBytes: config.int('max.request.size'),
        maxInFlightPerBroker: config.int('max.in.flight.requests.per.connection'),
        maxRetries: config.int('retries'),
        deliveryTimeoutMs: deliveryTimeoutMs(config),
        ignoresKeys: config.boolean('partitioner.ignore.keys'),
        transactionalId: config.nullableString('transactional.id'),
      },
    })
  }

  #problemWith(record: PreparedRecord): Error | null {
    if (this.#isClosed) return new ConnectionError('the producer is closed')
    if (this.#identity?.fatalError) return this.#identity.fatalError
    const refusal = this.#transactions?.sendProblem() ?? null
    if (refusal !== null) return refusal
    const sizeBytes = BATCH_HEADER_BYTES + record.sizeBytes
    const maxBytes = this.config.int('max.request.size')
    const bufferBytes = this.config.long('buffer.memory')
    if (sizeBytes > maxBytes || sizeBytes > bufferBytes) {
      const limit =
        sizeBytes > maxBytes ? `max.request.size ${maxBytes}` : `buffer.memory ${bufferBytes}`
      const text = `a record of ${sizeBytes} bytes is larger than ${limit}`
      return new KafkaError(ErrorCode.MESSAGE_TOO_LARGE, text)
    }
    const { partition } = record
    if (partition !== null && (!Number.isInteger(partition) || partition < 0)) {
      return new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `partition ${partition}`)
    }
    return null
  }

  #onIdentity(): void {
    const fatal = this.#identity?.fatalError ?? null
    if (fatal === null) this.#sender.wake()
    else this.#sender.failAll(fatal)
  }

  #whenFlushed(done: () => void): void {
    const generation = this.#generation
    this.#generation += 1
    this.#flushWaiters.push({ generation, done })
    this.#sender.wake()
    this.#ports.clock.after(0, 'client.flush', () => this.#serveFlushes())
  }

  #onEnded(generation: number): void {
    const open = present(this.#openByGeneration.get(generation), 'the generation of a send') - 1
    if (open > 0) {
      this.#openByGeneration.set(generation, open)
      return
    }
    this.#openByGeneration.delete(generation)
    this.#serveFlushes()
  }

  #serveFlushes(): void {
    const isOpen = (waiter: FlushWaiter): boolean =>
      [...this.#openByGeneration.keys()].some((generation) => generation <= waiter.generation)
    const served = this.#flushWaiters.filter((waiter) => !isOpen(waiter))
    this.#flushWaiters = this.#flushWaiters.filter(isOpen)
    for (const waiter of served) waiter.done()
  }
}

function notTransactional(): Error {
  return new KafketteError('ILLEGAL_STATE', 'this producer has no transactional.id')
}
