import { KafketteError, TimeoutError } from '../base/errors.ts'
import type { Timer } from '../ports/clock.ts'
import type { Cluster } from './cluster.ts'
import { KafkaError } from './kafka-error.ts'
import type { TopicMetadata } from './metadata.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import type { PreparedRecord } from './producer-record.ts'

interface Waiting {
  readonly record: PreparedRecord
  readonly deadlineMs: number
}

export interface ProducerIntakeOptions {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  /** `buffer.memory`: bytes of records in batches; as many again may wait here. */
  readonly bufferBytes: number
  /** `max.block.ms`: how long a record may wait here. */
  readonly maxBlockMs: number
  /** Takes a record whose topic is known and for which there is room. */
  readonly accept: (record: PreparedRecord, topic: TopicMetadata) => void
}

/**
 * Where records wait for their topic's metadata and then for room in the buffer: what blocks `send` in the Java
 * producer. Records of one topic pass in order; a later one never overtakes one that waits for room.
 */
export class ProducerIntake {
  readonly #options: ProducerIntakeOptions
  readonly #byTopic = new Map<string, Waiting[]>()
  #forRoom: Waiting[] = []
  #roomTimer: Timer | null = null
  #bufferedBytes = 0
  #waitingBytes = 0

  constructor(options: ProducerIntakeOptions) {
    this.#options = options
  }

  /** Records wait because the buffer is full, so batches are to be sent at once. */
  get isFull(): boolean {
    return this.#forRoom.length > 0
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  add(record: PreparedRecord): void {
    const { bufferBytes, maxBlockMs } = this.#options
    const waiting = { record, deadlineMs: this.#nowMs() + maxBlockMs }
    const line = this.#byTopic.get(record.topic)
    const topic = line === undefined ? this.#topicOf(record) : null
    if (topic !== null && this.#forRoom.length === 0 && this.#hasRoom(record)) {
      return this.#accept(record, topic)
    }
    if (this.#waitingBytes + record.sizeBytes > bufferBytes) {
      const text = `${this.#waitingBytes} bytes wait for room already (buffer.memory ${bufferBytes})`
      return this.#later(record, new KafketteError('BUFFER_EXHAUSTED', text))
    }
    this.#waitingBytes += record.sizeBytes
    if (topic !== null) return this.#waitForRoom(waiting)
    if (line !== undefined) {
      line.push(waiting)
      return
    }
    this.#byTopic.set(record.topic, [waiting])
    this.#awaitTopic(record.topic)
  }

  /** Bytes of batches that have ended. */
  release(bytes: number): void {
    this.#bufferedBytes -= bytes
    this.#fillRoom()
  }

  /** Fails everything that waits. */
  close(error: Error): void {
    if (this.#roomTimer !== null) this.#options.cluster.ports.clock.cancel(this.#roomTimer)
    this.#roomTimer = null
    const all = [...this.#byTopic.values()].flat().concat(this.#forRoom)
    this.#byTopic.clear()
    this.#forRoom = []
    for (const waiting of all) this.#fail(waiting, error)
  }

  #topicOf(record: PreparedRecord): TopicMetadata | null {
    const topic = this.#options.cluster.metadata.topic(record.topic)
    return topic !== null && topic.partitions.length >= leastPartitions(record) ? topic : null
  }

  #awaitTopic(topic: string): void {
    const head = this.#byTopic.get(topic)?.[0]
    if (head === undefined) {
      this.#byTopic.delete(topic)
      return
    }
    const remainingMs = Math.max(0, head.deadlineMs - this.#nowMs())
    const { updater } = this.#options
    updater.whenTopic(topic, leastPartitions(head.record), remainingMs, (error) =>
      this.#onTopic(topic, error),
    )
  }

  #onTopic(topic: string, error: Error | null): void {
    const line = this.#byTopic.get(topic) ?? []
    if (error !== null) {
      const isForAll = !(error instanceof TimeoutError)
      const failed = line.filter((each) => isForAll || each.deadlineMs <= this.#nowMs())
      this.#byTopic.set(
        topic,
        line.filter((each) => !failed.includes(each)),
      )
      for (const waiting of failed) this.#fail(waiting, error)
    }
    const rest = this.#byTopic.get(topic) ?? []
    while (rest[0] !== undefined && this.#topicOf(rest[0].record) !== null) {
      this.#forRoom.push(rest[0])
      rest.shift()
    }
    this.#fillRoom()
    this.#awaitTopic(topic)
  }

  #waitForRoom(waiting: Waiting): void {
    this.#forRoom.push(waiting)
    this.#armRoomTimer()
  }

  #fillRoom(): void {
    let head = this.#forRoom[0]
    while (head !== undefined && this.#hasRoom(head.record)) {
      this.#forRoom.shift()
      this.#waitingBytes -= head.record.sizeBytes
      const topic = this.#options.cluster.metadata.topic(head.record.topic)
      if (topic === null || topic.partitions.length < leastPartitions(head.record)) {
        head.record.done(new KafkaError(3, `topic "${head.record.topic}" was deleted`), null)
      } else this.#accept(head.record, topic)
      head = this.#forRoom[0]
    }
    this.#armRoomTimer()
  }

  #armRoomTimer(): void {
    const { clock } = this.#options.cluster.ports
    const head = this.#forRoom[0]
    if (head === undefined) {
      if (this.#roomTimer !== null) clock.cancel(this.#roomTimer)
      this.#roomTimer = null
    } else if (this.#roomTimer === null) {
      const delayMs = Math.max(0, head.deadlineMs - this.#nowMs())
      this.#roomTimer = clock.after(delayMs, 'client.buffer.timeout', () => this.#onRoomTimeout())
    }
  }

  #onRoomTimeout(): void {
    this.#roomTimer = null
    const { bufferBytes, maxBlockMs } = this.#options
    const nowMs = this.#nowMs()
    const text = `no room in the buffer of ${bufferBytes} bytes within ${maxBlockMs} ms`
    const isOver = (each: Waiting): boolean => each.deadlineMs <= nowMs
    const failed = this.#forRoom.filter(isOver)
    this.#forRoom = this.#forRoom.filter((each) => !isOver(each))
    for (const waiting of failed) this.#fail(waiting, new TimeoutError(text))
    this.#fillRoom()
  }

  #hasRoom(record: PreparedRecord): boolean {
    return (
      this.#bufferedBytes === 0 ||
      this.#bufferedBytes + record.sizeBytes <= this.#options.bufferBytes
    )
  }

  #accept(record: PreparedRecord, topic: TopicMetadata): void {
    this.#bufferedBytes += record.sizeBytes
    this.#options.accept(record, topic)
  }

  #fail(waiting: Waiting, error: Error): void {
    this.#waitingBytes -= waiting.record.sizeBytes
    waiting.record.done(error, null)
  }

  #later(record: PreparedRecord, error: Error): void {
    this.#options.cluster.ports.clock.after(0, 'client.refused', () => record.done(error, null))
  }

  #nowMs(): number {
    return this.#options.cluster.ports.clock.monoMs()
  }
}

function leastPartitions(record: PreparedRecord): number {
  return (record.partition ?? 0) + 1
}
