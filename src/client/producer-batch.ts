import { assert } from '../base/assert.ts'
import type { BrokerId, Offset, ProducerId, TimestampMs } from '../base/ids.ts'
import { BATCH_HEADER_BYTES, writeBatch } from '../wire/record-batch.ts'
import type { PreparedRecord } from './producer-record.ts'

export type Codec = 0 | 1 | 2 | 3 | 4

/** What makes a batch recognisable as a retry (idempotent producer). */
export interface BatchStamp {
  readonly producerId: ProducerId
  readonly epoch: number
  readonly baseSequence: number
}

/** Records of one partition that travel together. Ends once, by `complete` or `fail`. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** Its place among the batches of its partition. */
  readonly ordinal: number
  readonly createdAtMs: number
  /** When it fails if nothing else happened (`delivery.timeout.ms`). Monotonic. */
  readonly deadlineMs: number
  readonly #codec: Codec
  readonly #isTransactional: boolean
  readonly #records: PreparedRecord[] = []
  #sizeBytes = BATCH_HEADER_BYTES
  #isOpen = true
  #isEnded = false
  #stamp: BatchStamp | null = null
  #bytes: Buffer | null = null
  /** Times it was sent. */
  attempts = 0
  /** The broker it was sent to last; -1: none yet. */
  sentTo: BrokerId = -1
  /** Not to be sent again before this. Monotonic. */
  retryAtMs = 0
  lastError: Error | null = null

  constructor(options: {
    readonly topic: string
    readonly partition: number
    readonly ordinal: number
    readonly createdAtMs: number
    readonly deadlineMs: number
    readonly codec: Codec
    readonly isTransactional?: boolean
  }) {
    this.topic = options.topic
    this.partition = options.partition
    this.ordinal = options.ordinal
    this.createdAtMs = options.createdAtMs
    this.deadlineMs = options.deadlineMs
    this.#codec = options.codec
    this.#isTransactional = options.isTransactional ?? false
  }

  get recordCount(): number {
    return this.#records.length
  }

  /** Upper bound of the size before compression. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Bytes to give back to the buffer when the batch has ended. */
  get bufferedBytes(): number {
    return this.#sizeBytes - BATCH_HEADER_BYTES
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get stamp(): BatchStamp | null {
    return this.#stamp
  }

  /** Takes the record unless the batch is closed or, not being empty, would outgrow `limitBytes`. */
  tryAppend(record: PreparedRecord, limitBytes: number): boolean {
    if (!this.#isOpen) return false
    if (this.#records.length > 0 && this.#sizeBytes + record.sizeBytes > limitBytes) return false
    this.#records.push(record)
    this.#sizeBytes += record.sizeBytes
    return true
  }

  /** No more records from now on. */
  close(): void {
    this.#isOpen = false
  }

  /** Gives it a place in the sequence; a new stamp makes it a new batch to the broker. */
  setStamp(stamp: BatchStamp): void {
    assert(!this.#isOpen, 'a batch is closed before it gets its sequence')
    this.#stamp = stamp
    this.#bytes = null
  }

  /** The batch as it goes on the wire; the same bytes for every retry. */
  encode(): Buffer {
    assert(!this.#isOpen, 'a batch is closed before it is sent')
    this.#bytes ??= writeBatch({
      records: this.#records.map((record) => record.input),
      timestampMs: this.#records[0]?.input.timestampMs ?? 0,
      codec: this.#codec,
      ...(this.#stamp === null
        ? {}
        : {
            producerId: this.#stamp.producerId,
            producerEpoch: this.#stamp.epoch,
            baseSequence: this.#stamp.baseSequence,
            isTransactional: this.#isTransactional,
          }),
    })
    return this.#bytes
  }

  /** `logAppendTimeMs` is -1 when the records keep their own timestamps. */
  complete(baseOffset: Offset, logAppendTimeMs: TimestampMs): void {
    this.#end()
    const { topic, partition } = this
    for (const [index, record] of this.#records.entries()) {
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      const timestampMs = logAppendTimeMs < 0 ? record.input.timestampMs : logAppendTimeMs
      record.done(null, { topic, partition, offset, timestampMs })
    }
  }

  /** `errorOf` may give one record an error of its own (KIP-467). */
  fail(errorOf: (index: number) => Error): void {
    this.#end()
    for (const [index, record] of this.#records.entries()) record.done(errorOf(index), null)
  }

  #end(): void {
    assert(!this.#isEnded, 'a batch ends once')
    this.#isEnded = true
    this.#isOpen = false
    this.#bytes = null
  }
}
