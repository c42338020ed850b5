import type { ConsumerRecord, RebalanceListener } from '../../src/client/index.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type {
  ConnectConsumer,
  ConnectProducer,
  KafkaClients,
} from '../../connect/runtime/kafka-clients.ts'

type Produced = Parameters<ConnectProducer['produce']>[0]
type ProduceDone = Parameters<ConnectProducer['produce']>[1]

/**
 * A cluster in memory behind the port of Connect's runtime: every topic has one partition, and a test says when
 * sends end, and how.
 */
export class MemoryKafka implements KafkaClients {
  readonly topics = new Map<string, ConsumerRecord[]>()
  readonly committed = new Map<string, number>()
  readonly closedProducers: number[] = []
  /** What a send ends with; null: it is stored. `hold`: it does not end until `release`. */
  onSend: (record: Produced) => Error | null | 'hold' = () => null
  /** `hold`: a commit in the background does not end until `release`. */
  onCommit: () => Error | null | 'hold' = () => null
  onPoll: () => Error | null = () => null
  readonly held: (() => void)[] = []
  readonly consumers: MemoryConsumer[] = []
  readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  values(topic: string): readonly (string | null)[] {
    return (this.topics.get(topic) ?? []).map(({ value }) => value?.toString() ?? null)
  }

  append(topic: string, value: string | null, more: Partial<ConsumerRecord> = {}): ConsumerRecord {
    const log = this.topics.get(topic) ?? []
    this.topics.set(topic, log)
    const record: ConsumerRecord = {
      topic,
      partition: 0,
      offset: log.length,
      timestampMs: this.clock.wallMs(),
      timestampType: 'CreateTime',
      leaderEpoch: 0,
      key: null,
      value: value === null ? null : Buffer.from(value),
      headers: [],
      ...more,
    }
    log.push(record)
    for (const consumer of this.consumers) consumer.onRecord()
    return record
  }

  release(): void {
    for (const end of this.held.splice(0)) end()
  }

  clusterId(): Promise<string> {
    return Promise.resolve('memory')
  }

  producer(): ConnectProducer {
    return {
      unknownProperties: [],
      produce: (record, done) => this.#produce(record, done),
      close: (options) => {
        this.closedProducers.push(options?.timeoutMs ?? -1)
        return Promise.resolve()
      },
    }
  }

  consumer(): MemoryConsumer {
    const consumer = new MemoryConsumer(this)
    this.consumers.push(consumer)
    return consumer
  }

  #produce(record: Produced, done: ProduceDone): void {
    const outcome = this.onSend(record)
    const end = (): void => {
      if (outcome instanceof Error) return done(outcome, null)
      const { topic, key, value, headers } = record
      const bytes = (given: Produced['value'] | undefined): Buffer | null =>
        typeof given === 'string' ? Buffer.from(given) : (given ?? null)
      const stored = this.append(topic, null, {
        key: bytes(key),
        value: bytes(value),
        headers: (headers ?? []).map((each) => ({ key: each.key, value: bytes(each.value) })),
        ...(record.timestampMs === undefined ? {} : { timestampMs: record.timestampMs }),
      })
      done(null, stored)
    }
    if (outcome === 'hold') this.held.push(end)
    else this.clock.after(1, 'memory.ack', end)
  }
}

/** A group of one member. */
export class MemoryConsumer implements ConnectConsumer {
  readonly unknownProperties = []
  readonly pausedTopics = new Set<string>()
  isClosed = false
  readonly #kafka: MemoryKafka
  #topics: readonly string[] = []
  #listener: RebalanceListener = {}
  readonly #positions = new Map<string, number>()
  #wake: (() => void) | null = null
  #isWoken = false

  constructor(kafka: MemoryKafka) {
    this.#kafka = kafka
  }

  subscribe(to: readonly string[] | RegExp, listener: RebalanceListener = {}): void {
    this.#topics = to instanceof RegExp ? [...this.#kafka.topics.keys()] : to
    this.#listener = listener
  }

  async poll(maxWaitMs: number): Promise<readonly ConsumerRecord[]> {
    const problem = this.#kafka.onPoll()
    if (problem !== null) throw problem
    await this.#assign()
    const now = this.#take()
    if (now.length > 0) return now
    await this.#wait(maxWaitMs)
    return this.#take()
  }

  wakeup(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  onRecord(): void {
    this.#wake?.()
  }

  seek({ topic }: { readonly topic: string }, offset: number): void {
    this.#positions.set(topic, offset)
  }

  pause(partitions: readonly { readonly topic: string }[]): void {
    for (const { topic } of partitions) this.pausedTopics.add(topic)
  }

  resume(partitions: readonly { readonly topic: string }[]): void {
    for (const { topic } of partitions) this.pausedTopics.delete(topic)
  }

  position({ topic }: { readonly topic: string }): Promise<number> {
    return Promise.resolve(this.#positions.get(topic) ?? 0)
  }

  commitSync: ConnectConsumer['commitSync'] = (offsets = []) => {
    const problem = this.#kafka.onCommit()
    if (problem instanceof Error) return Promise.reject(problem)
    for (const { topic, offset } of offsets) this.#kafka.committed.set(topic, offset)
    return Promise.resolve()
  }

  commitAsync: ConnectConsumer['commitAsync'] = (offsets = [], done) => {
    this.#kafka.clock.after(1, 'memory.commit', () => {
      const outcome = this.#kafka.onCommit()
      const end = (): void => {
        if (outcome instanceof Error) return done?.(outcome)
        for (const { topic, offset } of offsets) this.#kafka.committed.set(topic, offset)
        done?.(null)
      }
      if (outcome === 'hold') this.#kafka.held.push(end)
      else end()
    })
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }

  /** Takes partitions away, as a rebalance does, or a lost membership. */
  async revoke(isLost: boolean): Promise<void> {
    const partitions = this.#assigned()
    if (isLost) await this.#listener.onLost?.(partitions)
    else await this.#listener.onRevoked?.(partitions)
    this.#positions.clear()
  }

  async #assign(): Promise<void> {
    const fresh = this.#topics.filter((topic) => !this.#positions.has(topic))
    if (fresh.length === 0) return
    for (const topic of fresh) this.#positions.set(topic, this.#kafka.committed.get(topic) ?? 0)
    await this.#listener.onAssigned?.(fresh.map((topic) => ({ topic, partition: 0 })))
  }

  #assigned(): readonly { readonly topic: string; readonly partition: number }[] {
    return [...this.#positions.keys()].map((topic) => ({ topic, partition: 0 }))
  }

  #take(): readonly ConsumerRecord[] {
    for (const [topic, position] of this.#positions) {
      if (this.pausedTopics.has(topic)) continue
      const records = (this.#kafka.topics.get(topic) ?? []).slice(position, position + 500)
      if (records.length === 0) continue
      this.#positions.set(topic, position + records.length)
      return records
    }
    return []
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#kafka
      let timer: Timer | null = null
      const end = (): void => {
        this.#wake = null
        this.#isWoken = false
        if (timer !== null) clock.cancel(timer)
        resolve()
      }
      timer = clock.after(this.#isWoken ? 0 : ms, 'memory.poll', end)
      this.#wake = end
    })
  }
}
