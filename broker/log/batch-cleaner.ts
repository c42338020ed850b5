import { CorruptionError, WireError } from '../../src/base/errors.ts'
import type { Offset, ProducerId, TimestampMs } from '../../src/base/ids.ts'
import {
  deleteHorizonMsOf,
  readBatchHeader,
  readRecords,
  rewriteBatch,
  type BatchHeader,
  type DecodedRecord,
} from '../../src/wire/record-batch.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import { readEndMarker } from './end-marker.ts'
import type { OffsetMap } from './offset-map.ts'
import type { ProducerSnapshot } from './producer-snapshot.ts'

export interface BatchCleanerOptions {
  readonly map: OffsetMap
  readonly transactions: CleanedTransactions
  /** The producers that the log still knows. */
  readonly producers: readonly ProducerSnapshot[]
  /** Where the part ends that may be cleaned. */
  readonly upperBound: Offset
  readonly deleteRetentionMs: number
  readonly nowMs: TimestampMs
}

/**
 * Decides batch by batch what compaction keeps (Kafka's Cleaner.cleanInto and MemoryRecords.filterTo): of each key the
 * last record, tombstones and markers until their delete horizon, and of each known producer its last batch, though
 * it be without records. To be shown every batch from the beginning of the log on.
 */
export class BatchCleaner {
  readonly #options: BatchCleanerOptions
  readonly #producers: ReadonlyMap<ProducerId, ProducerSnapshot>

  constructor(options: BatchCleanerOptions) {
    this.#options = options
    this.#producers = new Map(options.producers.map((entry) => [entry.producerId, entry]))
  }

  /** The bytes to keep of the whole batch at `position`: itself, less of it, or null. */
  clean(buffer: Buffer, position: number): Buffer | null {
    const header = readBatchHeader(buffer, position)
    const isOver = this.#isOver(buffer, position, header)
    const horizonMs = deleteHorizonMsOf(header)
    const isMarkerOfNothing = header.isControl && isOver
    const isDiscarded = header.isControl
      ? isOver && horizonMs !== null && horizonMs <= this.#options.nowMs
      : isOver
    const records = isDiscarded ? [] : recordsOf(buffer, position)
    const kept = records.filter((record) => this.#isKept(record, header, horizonMs))
    if (kept.length === 0) return this.#mustStay(header) ? rewriteBatch(header, [], null) : null
    const hasTombstones = kept.some((record) => record.value === null)
    const needsHorizon = (hasTombstones || isMarkerOfNothing) && horizonMs === null
    if (!needsHorizon && kept.length === header.recordCount) {
      return buffer.subarray(position, position + header.sizeBytes)
    }
    const { nowMs, deleteRetentionMs } = this.#options
    return rewriteBatch(header, kept, needsHorizon ? nowMs + deleteRetentionMs : horizonMs)
  }

  /** An aborted batch, or a marker that ends nothing any more. */
  #isOver(buffer: Buffer, position: number, header: BatchHeader): boolean {
    const { transactions } = this.#options
    if (!header.isControl) return transactions.onBatch(header)
    return transactions.onMarker(header, readEndMarker(buffer, position, header))
  }

  #isKept(record: DecodedRecord, header: BatchHeader, horizonMs: number | null): boolean {
    if (header.isControl) return true
    const { map, nowMs } = this.#options
    if (record.offset > map.latestOffset) return true
    // A topic that became compacted later may have records without key; they go, as in Kafka.
    if (record.key === null || record.offset < map.get(record.key)) return false
    return record.value !== null || horizonMs === null || nowMs < horizonMs
  }

  /**
   * The last batch of a producer tells its sequence and epoch after a restart; the last batch of the round tells where
   * the log goes on (both also without records).
   */
  #mustStay(header: BatchHeader): boolean {
    if (header.lastOffset + 1 === this.#options.upperBound) return true
    const last = header.producerId < 0 ? undefined : this.#producers.get(header.producerId)
    if (last === undefined) return false
    if (last.lastOffset >= 0) return header.lastOffset === last.lastOffset
    return header.isControl && header.producerEpoch === last.producerEpoch
  }
}

/** Throws `CorruptionError` when a stored batch cannot be taken apart: what cannot be read cannot be compacted. */
export function recordsOf(buffer: Buffer, position: number): readonly DecodedRecord[] {
  try {
    return readRecords(buffer, position)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new CorruptionError(`a batch cannot be compacted: ${error.message}`)
  }
}
