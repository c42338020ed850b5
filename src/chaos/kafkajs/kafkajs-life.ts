import type {
  Batch,
  Consumer,
  EachBatchPayload,
  ICustomPartitioner,
  Kafka,
  KafkaConfig,
  LogEntry,
  Producer,
} from 'kafkajs'
import { assert } from '../../base/assert.ts'
import type { SendOperation } from '../history/operation.ts'
import type { KafkajsPlan } from '../plan/workload-plan.ts'
import { decodePayload } from '../history/payload.ts'
import type { Life, LifeContext } from '../workload/workload-actor.ts'
import type { KafkajsCodec } from './kafkajs-codecs.ts'

/** The part of the package's exports that is used. */
export interface KafkajsExports {
  readonly Kafka: new (config: KafkaConfig) => Kafka
  readonly logLevel: { readonly NOTHING: number; readonly DEBUG: number }
  readonly Partitioners: { readonly DefaultPartitioner: ICustomPartitioner }
  readonly CompressionTypes: Readonly<Record<'Snappy' | 'LZ4' | 'ZSTD', number>>
  readonly CompressionCodecs: Record<number, () => KafkajsCodec>
}

/** The library in a sandbox, and how to end the program that it is in. */
export interface KafkajsSandbox {
  readonly kafkajs: KafkajsExports
  readonly exit: () => void
}

/** Less than what a run waits for clients that stop. */
const LEAVING_LIMIT_MS = 15_000
const REQUEST_TIMEOUT_MS = 3000
const CONNECTION_TIMEOUT_MS = 1500
const RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 20 }
const SESSION_TIMEOUT_MS = 6000
const HEARTBEAT_INTERVAL_MS = 500
const AUTO_COMMIT_INTERVAL_MS = 500
/** What a consumer that was told to stop says of each fetch that it does not send. */
const FETCHES_NOTHING = 'consumer not running, exiting'
/** So many in one moment are a loop without an end. */
const SPIN_FETCHES = 1000

/**
 * One life of a program that uses kafkajs as its users do: a producer that awaits one send after the other, and
 * consumers of one group with automatic commits. Each send goes to one partition, for kafkajs 2.2.4 may drop a
 * partition of a send to several without a word when leaders move.
 */
export class KafkajsLife implements Life {
  readonly #plan: KafkajsPlan
  readonly #context: LifeContext
  readonly #sandbox: KafkajsSandbox
  readonly #kafka: Kafka
  readonly #consumers = new Set<Consumer>()
  #sends = 0
  #open: { readonly of: number; readonly operation: SendOperation } | null = null
  #isProducing = true
  #leaving = 0
  #isStopped = false
  #hasExited = false
  #isAbandoned = false
  #idleFetches = 0
  #idleFetchMs = -1

  constructor(plan: KafkajsPlan, context: LifeContext, sandbox: KafkajsSandbox) {
    const { kafkajs } = sandbox
    this.#plan = plan
    this.#context = context
    this.#sandbox = sandbox
    this.#kafka = new kafkajs.Kafka({
      clientId: context.process,
      brokers: context.bootstrap.map(({ host, port }) => `${host}:${port}`),
      logLevel: kafkajs.logLevel.NOTHING,
      logCreator: () => (entry) => this.#onLog(entry),
      retry: RETRY,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
    })
    void this.#produce()
    for (let member = 1; member <= plan.members; member += 1) void this.#consume(member)
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#kafka.logger().setLogLevel(this.#sandbox.kafkajs.logLevel.DEBUG)
    // kafkajs 2.2.4 may wait for itself for ever, above all while it rebalances; its users end the program then.
    this.#context.ports.clock.after(LEAVING_LIMIT_MS, 'kafkajs.leaving', () => this.#exit())
    for (const consumer of this.#consumers) {
      this.#leaving += 1
      void attempt(() => consumer.disconnect()).then(() => {
        this.#leaving -= 1
        this.#exitWhenDone()
      })
    }
  }

  pending(): string | null {
    if (this.#hasExited || !this.#isStopped) return null
    const { process } = this.#context
    return this.#isProducing
      ? `${process}: kafkajs awaits a send`
      : `${process}: ${this.#leaving} kafkajs consumers are leaving`
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#endOpen('info', { error: 'DISCONNECTED' })
  }

  /**
   * After a send that failed kafkajs 2.2.4 gives its sequence number to the next record, which the broker then takes
   * for a repeat if the first one has got there. So a producer is used up to its first failure.
   */
  async #produce(): Promise<void> {
    while (!this.#isOver()) {
      const producer = this.#createProducer()
      let isUsable = await attempt(() => producer.connect())
      while (isUsable && !this.#isOver()) {
        isUsable = await this.#sendOne(producer)
        await this.#pause()
      }
      // That may take for ever when a broker does not answer.
      void attempt(() => producer.disconnect())
      if (!isUsable) await this.#pause()
    }
    this.#isProducing = false
    this.#exitWhenDone()
  }

  #exitWhenDone(): void {
    if (this.#isStopped && !this.#isProducing && this.#leaving === 0) this.#exit()
  }

  #exit(): void {
    if (this.#hasExited || this.#isAbandoned) return
    this.#hasExited = true
    this.#sandbox.exit()
    this.#endOpen('info', { error: 'TIMEOUT' })
  }

  /**
   * A consumer of kafkajs 2.2.4 that is told to stop while it makes new fetchers, because a broker came or went, never
   * stops these: they ask for nothing again and again and let nothing else in the process run. Its users kill it.
   */
  #onLog({ log: { message } }: LogEntry): void {
    if (message !== FETCHES_NOTHING) return
    const nowMs = this.#context.ports.clock.monoMs()
    if (nowMs !== this.#idleFetchMs) this.#idleFetches = 0
    this.#idleFetchMs = nowMs
    this.#idleFetches += 1
    if (this.#idleFetches < SPIN_FETCHES) return
    this.#exit()
    // Only this ends the loop.
    throw new Error('the program is over')
  }

  #createProducer(): Producer {
    const { idempotent } = this.#plan
    return this.#kafka.producer({
      idempotent,
      ...(idempotent ? { maxInFlightRequests: 1 } : {}),
      allowAutoTopicCreation: false,
      createPartitioner: this.#sandbox.kafkajs.Partitioners.DefaultPartitioner,
    })
  }

  /** False when it is not known what became of it. */
  async #sendOne(producer: Producer): Promise<boolean> {
    const { topic, partitions, idempotent } = this.#plan
    const { history, process } = this.#context
    const number = this.#sends
    this.#sends += 1
    const partition = partitions[number % partitions.length]
    assert(partition !== undefined, 'a kafkajs plan names at least one partition')
    const operation: SendOperation = {
      op: 'send',
      topic,
      partition,
      value: `${process}:${number}`,
      key: null,
      acks: -1,
      idempotent,
      producerId: -1,
      producerEpoch: -1,
    }
    this.#open = { of: history.invoke(process, operation), operation }
    try {
      const messages = [{ value: operation.value, key: null, partition }]
      const answers = await producer.send({ topic, messages, acks: -1 })
      const offset = Number(answers[0]?.baseOffset ?? -1)
      // Of a repeated batch that the broker no longer knows, kafkajs reports no offset.
      this.#endOpen(offset >= 0 ? 'ok' : 'info', offset >= 0 ? { offset } : { error: 'NO_OFFSET' })
      return true
    } catch (error) {
      // kafkajs hides its retries: whether one of them got through is not known.
      this.#endOpen('info', { error: nameOf(error) })
      return false
    }
  }

  #endOpen(kind: 'ok' | 'info', outcome: { offset?: number; error?: string }): void {
    const open = this.#open
    if (open === null) return
    this.#open = null
    const { history, process } = this.#context
    history.end(open.of, process, kind, { ...open.operation, ...outcome })
  }

  /** kafkajs starts a consumer again after some errors; after the others its users make a new one. */
  async #consume(member: number): Promise<void> {
    const name = `${this.#context.process}-${member}`
    while (!this.#isOver()) {
      const consumer = this.#createConsumer()
      this.#consumers.add(consumer)
      const crash = new Promise<void>((resolve) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) resolve()
        })
      })
      if (await attempt(() => this.#startConsumer(consumer, name))) await crash
      if (this.#isStopped) return
      this.#consumers.delete(consumer)
      void attempt(() => consumer.disconnect())
      await this.#pause()
    }
  }

  #createConsumer(): Consumer {
    return this.#kafka.consumer({
      groupId: this.#plan.groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      rebalanceTimeout: SESSION_TIMEOUT_MS,
      maxWaitTimeInMs: 500,
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(true) },
      allowAutoTopicCreation: false,
    })
  }

  async #startConsumer(consumer: Consumer, name: string): Promise<void> {
    const next = new Map<number, number>()
    await consumer.connect()
    await consumer.subscribe({ topics: [this.#plan.topic], fromBeginning: true })
    await consumer.run({
      autoCommitInterval: AUTO_COMMIT_INTERVAL_MS,
      eachBatch: (payload) => this.#onBatch(name, next, payload),
    })
  }

  /** `next` has the offsets after the last records; where kafkajs goes on elsewhere is its own affair. */
  #onBatch(member: string, next: Map<number, number>, { batch }: EachBatchPayload): Promise<void> {
    const { topic, partition, messages, highWatermark } = batch
    const position = Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset)
    this.#context.history.note(member, {
      op: 'poll',
      topic,
      partition,
      position,
      isolation: 'read_committed',
      isFirst: next.get(partition) !== position,
      purpose: 'group',
      records: messages.map(({ offset, value, key }) => ({
        offset: Number(offset),
        value: decodePayload(value),
        key: key?.toString() ?? null,
      })),
      highWatermark: Number(highWatermark),
    })
    next.set(partition, Number(messages.at(-1)?.offset ?? position - 1) + 1)
    return Promise.resolve()
  }

  #pause(): Promise<void> {
    const { random, ports } = this.#context
    const everyMs = this.#plan.everyMs
    return new Promise((resolve) => {
      ports.clock.after(everyMs / 2 + random.below(everyMs + 1), 'kafkajs.pause', resolve)
    })
  }

  #isOver(): boolean {
    return this.#isStopped || this.#isAbandoned || this.#hasExited
  }
}

async function attempt(action: () => Promise<void>): Promise<boolean> {
  try {
    await action()
    return true
  } catch {
    return false
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  const { type } = error as Error & { readonly type?: string }
  return type ?? error.name
}
