import { WireError } from '../base/errors.ts'
import type { LeaderEpoch, Offset } from '../base/ids.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { ControlType, controlTypeOf } from '../wire/control-record.ts'
import {
  BATCH_HEADER_BYTES,
  batchSizeBytes,
  isBatchCrcValid,
  readBatchHeader,
  readRecords,
  type BatchHeader,
  type DecodedRecord,
} from '../wire/record-batch.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { KafkaError } from './kafka-error.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
}

export interface FetchedDataOptions {
  readonly topic: string
  readonly partition: number
  readonly records: Buffer
  /** Records before it are in the first batch by accident. */
  readonly fetchOffset: Offset
  /** Null when reading uncommitted data: everything but markers is given. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly checksCrcs: boolean
}

/**
 * What one Fetch answer holds of one partition, decoded batch by batch as it is taken. Leaves out control records,
 * and for `read_committed` the data of aborted transactions: those of a listed producer from its first offset
 * up to its abort marker (KIP-98).
 */
export class FetchedData {
  readonly #options: FetchedDataOptions
  readonly #openAborts: AbortedTransaction[]
  readonly #abortedProducers = new Set<number>()
  #position = 0
  #batch: readonly DecodedRecord[] = []
  #header: BatchHeader | null = null
  #index = 0
  #nextOffset: Offset
  #lastEpoch: LeaderEpoch = -1

  constructor(options: FetchedDataOptions) {
    this.#options = options
    this.#nextOffset = options.fetchOffset
    this.#openAborts = [...(options.abortedTransactions ?? [])].sort(
      (a, b) => a.firstOffset - b.firstOffset,
    )
  }

  get topic(): string {
    return this.#options.topic
  }

  get partition(): number {
    return this.#options.partition
  }

  /** Where to go on after what was taken; also past records that are never given. */
  get nextOffset(): Offset {
    return this.#nextOffset
  }

  /** Leader epoch of the last batch that was begun; -1 before. */
  get lastEpoch(): LeaderEpoch {
    return this.#lastEpoch
  }

  /**
   * Up to `limit` records; none means that it is used up. Throws `KafkaError` CORRUPT_MESSAGE and `WireError`,
   * also for a first batch that is not whole: brokers send at least one whole batch (KIP-74).
   */
  take(limit: number): readonly ConsumerRecord[] {
    const taken: ConsumerRecord[] = []
    while (taken.length < limit) {
      const record = this.#batch[this.#index]
      if (record === undefined || this.#header === null) {
        if (!this.#nextBatch()) break
        continue
      }
      this.#index += 1
      const isLast = this.#index === this.#batch.length
      if (record.offset >= this.#nextOffset) taken.push(this.#toRecord(record, this.#header))
      const next = isLast ? this.#header.lastOffset + 1 : record.offset + 1
      this.#nextOffset = Math.max(this.#nextOffset, next)
    }
    return taken
  }

  #nextBatch(): boolean {
    const { records } = this.#options
    const left = records.length - this.#position
    if (left < BATCH_HEADER_BYTES || left < batchSizeBytes(records, this.#position)) {
      if (left === 0 || this.#position > 0) return false
      const { topic, partition } = this.#options
      throw new WireError(`the first batch of ${topic}-${partition} is cut, ${left} bytes came`)
    }
    // Before anything of it is read: what a flipped bit makes of a number may be beyond all numbers.
    this.#checkCrc()
    const header = readBatchHeader(records, this.#position)
    this.#header = header
    this.#lastEpoch = header.partitionLeaderEpoch
    this.#batch = this.#isGiven(header) ? readRecords(records, this.#position) : []
    this.#index = 0
    this.#position += header.sizeBytes
    if (this.#batch.length === 0) {
      this.#nextOffset = Math.max(this.#nextOffset, header.lastOffset + 1)
    }
    return true
  }

  #checkCrc(): void {
    const { records, checksCrcs, topic, partition } = this.#options
    if (!checksCrcs || isBatchCrcValid(records, this.#position)) return
    throw new KafkaError(
      ErrorCode.CORRUPT_MESSAGE,
      `the batch at offset ${this.#nextOffset} of ${topic}-${partition} has a wrong CRC`,
    )
  }

  #isGiven(header: BatchHeader): boolean {
    if (this.#options.abortedTransactions === null) return !header.isControl
    while ((this.#openAborts[0]?.firstOffset ?? Infinity) <= header.lastOffset) {
      const begun = this.#openAborts.shift()
      if (begun !== undefined) this.#abortedProducers.add(begun.producerId)
    }
    if (header.isControl) {
      const [marker] = readRecords(this.#options.records, this.#position)
      const isAbort = marker !== undefined && controlTypeOf(marker) === ControlType.ABORT
      if (isAbort) this.#abortedProducers.delete(header.producerId)
      return false
    }
    return !(header.isTransactional && this.#abortedProducers.has(header.producerId))
  }

  #toRecord(record: DecodedRecord, header: BatchHeader): ConsumerRecord {
    return {
      topic: this.#options.topic,
      partition: this.#options.partition,
      offset: record.offset,
      timestampMs: record.timestampMs,
      timestampType: header.timestampType === 1 ? 'LogAppendTime' : 'CreateTime',
      leaderEpoch: header.partitionLeaderEpoch,
      key: record.key,
      value: record.value,
      headers: record.headers,
    }
  }
}
