import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs'
import { valueOf, type History } from './history.ts'

export interface WorkloadOptions {
  readonly bootstrapServers: string
  readonly topic: string
  readonly partitions: number
  readonly keys: number
  readonly members: number
  readonly groupId: string
  readonly history: History
  readonly nowMs: () => number
  /** Pause between two sends of one key. */
  readonly everyMs: number
}

/** Long enough to outlive any failover of a scenario. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 250, retries: 100 }
const SPARES = 3
const SESSION_TIMEOUT_MS = 6000
const HEARTBEAT_MS = 500

/**
 * Unmodified kafkajs: one idempotent producer a key, each sending its numbers one after the other with
 * acks=all, and a group of consumers that reads them.
 */
export class KafkajsWorkload {
  readonly #options: WorkloadOptions
  readonly #kafka: Kafka
  readonly #producers: Producer[] = []
  /** Producers that know the cluster and wait for `sendTo`. */
  readonly #spares: Producer[] = []
  readonly #consumers: Consumer[] = []
  readonly #loops: Promise<void>[] = []
  readonly #sequences = new Map<string, number>()
  #isProducing = false

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.#kafka = new Kafka({
      clientId: 'scenario',
      brokers: options.bootstrapServers.split(','),
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1000,
      requestTimeout: 5000,
      retry: RETRY,
    })
  }

  get kafka(): Kafka {
    return this.#kafka
  }

  async start(): Promise<void> {
    this.#isProducing = true
    await Promise.all([
      ...Array.from({ length: this.#options.members }, () => this.#startConsumer()),
      ...Array.from({ length: this.#options.keys }, (_, index) => this.#startProducer(index)),
      ...Array.from({ length: SPARES }, () => this.#startSpare()),
    ])
  }

  /** Has every spare producer send one record to `partition`; their outcomes come into the history later. */
  sendTo(partition: number): number {
    for (const [index, producer] of this.#spares.entries()) {
      this.#loops.push(this.#sendOne(producer, `spare-${index}`, partition))
    }
    return this.#spares.length
  }

  /** Stops producing; resolves when every send has its outcome. */
  async stopProducing(): Promise<void> {
    this.#isProducing = false
    await Promise.all(this.#loops)
  }

  async stop(): Promise<void> {
    this.#isProducing = false
    await Promise.allSettled([
      ...this.#producers.map((producer) => producer.disconnect()),
      ...this.#consumers.map((consumer) => consumer.disconnect()),
    ])
  }

  async #startProducer(index: number): Promise<void> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
    })
    this.#producers.push(producer)
    await producer.connect()
    this.#loops.push(this.#produce(producer, `key-${index}`))
  }

  async #startSpare(): Promise<void> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
    })
    this.#spares.push(producer)
    this.#producers.push(producer)
    await producer.connect()
    const key = `spare-${this.#spares.indexOf(producer)}`
    for (let partition = 0; partition < this.#options.partitions; partition += 1) {
      await this.#sendOne(producer, key, partition)
    }
  }

  async #produce(producer: Producer, key: string): Promise<void> {
    while (this.#isProducing) {
      await this.#sendOne(producer, key)
      await pause(this.#options.everyMs)
    }
  }

  /** Without `partition` the key decides, as for every Kafka client. */
  async #sendOne(producer: Producer, key: string, partition?: number): Promise<void> {
    const { topic, history, nowMs } = this.#options
    const sequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, sequence + 1)
    const record = { key, sequence }
    const sentMs = nowMs()
    try {
      const message = { key, value: valueOf(record) }
      const [answer] = await producer.send({
        topic,
        acks: -1,
        messages: [partition === undefined ? message : { ...message, partition }],
      })
      const acked = answer?.partition ?? -1
      history.recordAck({ ...record, partition: acked, sentMs, ackedMs: nowMs() })
    } catch {
      history.recordUnknown(record)
    }
  }

  async #startConsumer(): Promise<void> {
    const { topic, groupId, history } = this.#options
    const consumer = this.#kafka.consumer({
      groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: 200,
      allowAutoTopicCreation: false,
      retry: RETRY,
    })
    this.#consumers.push(consumer)
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommitInterval: 500,
      eachMessage: ({ message }) => {
        history.recordConsumed(message.value?.toString() ?? '')
        return Promise.resolve()
      },
    })
  }
}
