import { assert } from '../../src/base/assert.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { LeaderEpoch, Offset, ProducerId, TimestampMs } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { batchBaseOffset } from '../../src/wire/record-batch.ts'
import type { AbortedTransaction } from './aborted-transactions.ts'
import { cleanableOf, type Cleanable } from './cleanable.ts'
import { LogCompaction } from './log-compaction.ts'
import type { EpochEnd, EpochStart, LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { LogFlusher, type FlushDone } from './log-flusher.ts'
import {
  LogWriter,
  type AppendResult,
  type FollowerAppendResult,
  type LeaderAppendOptions,
} from './log-writer.ts'
import { readPartitionMetadata, writePartitionMetadata } from './partition-metadata.ts'
import type { ProducerSnapshot, ProducerSnapshots } from './producer-snapshot.ts'
import { ProducerState, type CachedBatch } from './producer-state.ts'
import { loadProducers, recoverLog, type RecoveredLog } from './recovery.ts'
import { expiredSegments } from './retention.ts'
import type { SegmentList } from './segment-list.ts'
import { EMPTY, type Segment } from './segment.ts'
import type { VerificationGuard, VerificationRequest } from './verification-states.ts'
import { findByTimestamp, findLargestTimestamp, type FoundRecord } from './timestamp-search.ts'

export type {
  AppendOrigin,
  AppendResult,
  FollowerAppendResult,
  LeaderAppendOptions,
} from './log-writer.ts'

export interface PartitionLogOptions {
  readonly disk: Disk
  /** `<log dir>/<topic>-<partition>`. */
  readonly directory: string
  readonly topic: string
  readonly partition: number
  readonly topicId: Uuid
  readonly config: LogConfig
  /** As the caller stored it; 0 when it never did. */
  readonly recoveryPoint: Offset
  readonly isCleanShutdown: boolean
  /**
   * As the caller stored it after DeleteRecords; the first segment's base offset when that is
   * larger.
   */
  readonly logStartOffset?: Offset
  /** As the caller stored them; 0 when it never did. See the properties of the same names. */
  readonly cleanedTo?: Offset
  readonly compactedTo?: Offset
  readonly nowMs: TimestampMs
  readonly events: EventSink
  /** For segment.jitter.ms; without it there is none. */
  readonly random?: Random
}

/** What a compaction of a log may take at a time. */
export interface CompactionLimits {
  readonly mapBytes: number
  readonly stepBytes: number
  readonly nowMs: TimestampMs
}

/** What a log is made of. */
export interface LogParts {
  readonly segments: readonly Segment[]
  readonly epochs: LeaderEpochs
  readonly snapshots: ProducerSnapshots
}

export interface ReadRequest {
  readonly offset: Offset
  readonly maxBytes: number
  /** Return the first batch also when it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
  /** What the reader may see: only batches that end before this offset. */
  readonly endOffset: Offset
}

export interface ReadResult {
  /** OFFSET_OUT_OF_RANGE, or KAFKA_STORAGE_ERROR when the disk or the bytes on it are bad. */
  readonly error: ErrorCode
  /** Whole batches; perhaps a view of memory that others read too, so never to be written to. */
  readonly records: Buffer
  /**
   * Base offset of the first batch, at most the offset asked for; that offset when there is no
   * batch.
   */
  readonly firstOffset: Offset
}

/**
 * The log of one partition on one broker: batches by offset, in segments, with all that is derived
 * from them (epochs, producers, aborted transactions). What clients and the world get wrong comes
 * back as an `ErrorCode`. The high watermark, the recovery point and the log start are kept here
 * and stored by the caller; after a truncation the recovery point must be stored before anything is
 * appended.
 */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly topicId: Uuid
  readonly directory: string
  readonly #disk: Disk
  readonly #events: EventSink
  readonly #segments: SegmentList
  readonly #epochs: LeaderEpochs
  readonly #snapshots: ProducerSnapshots
  readonly #producers: ProducerState
  readonly #flusher: LogFlusher
  readonly #writer: LogWriter
  #logStartOffset: Offset
  #highWatermark: Offset
  #cleanedTo: Offset
  #compactedTo: Offset
  #compaction: LogCompaction | null = null
  #isClosed = false

  private constructor(options: PartitionLogOptions, recovered: RecoveredLog) {
    this.topic = options.topic
    this.partition = options.partition
    this.topicId = options.topicId
    this.directory = options.directory
    this.#disk = options.disk
    this.#events = options.events
    this.#segments = recovered.segments
    this.#epochs = recovered.epochs
    this.#snapshots = recovered.snapshots
    this.#producers = recovered.producers
    this.#logStartOffset = recovered.logStartOffset
    this.#highWatermark = recovered.logStartOffset
    const { endOffset } = recovered.segments.active
    this.#cleanedTo = Math.min(options.cleanedTo ?? 0, endOffset)
    this.#compactedTo = Math.min(options.compactedTo ?? 0, endOffset)
    this.#flusher = new LogFlusher({
      disk: options.disk,
      directory: options.directory,
      recoveryPoint: Math.min(options.recoveryPoint, endOffset),
      onFailure: (code) => this.#emit('log.flush-failed', { code }),
    })
    const flusher = this.#flusher
    const logStartOffset = (): Offset => this.#logStartOffset
    const parts = { ...options, ...recovered, flusher, logStartOffset }
    this.#writer = new LogWriter(parts, options.config, options.nowMs)
  }

  /**
   * Opens the log of a directory, which is made when missing; an interrupted one is recovered
   * first. Throws `CorruptionError` when synced bytes are bad or the directory is of another topic
   * id, and `DiskError`.
   */
  static open(options: PartitionLogOptions): PartitionLog {
    const { disk, directory, topicId } = options
    disk.makeDirectory(directory)
    const stored = readPartitionMetadata(disk, directory)
    if (stored !== null && stored !== topicId) {
      throw new CorruptionError(`${directory}: expected topic id ${topicId}, found ${stored}`)
    }
    const written = stored === null ? writePartitionMetadata(disk, directory, topicId) : null
    const { logStartOffset = 0, compactedTo = 0 } = options
    const recovered = recoverLog({ ...options, logStartOffset, compactedTo })
    const log = new PartitionLog(options, recovered)
    if (written !== null) log.#flusher.fileReplaced(written)
    return log
  }

  get config(): LogConfig {
    return this.#writer.config
  }

  get logStartOffset(): Offset {
    return this.#logStartOffset
  }

  /** The next offset. */
  get logEndOffset(): Offset {
    return this.#segments.active.endOffset
  }

  /** At the log start until the caller sets it. */
  get highWatermark(): Offset {
    return this.#highWatermark
  }

  /** The high watermark, or the start of the earliest transaction that is not decided below it. */
  get lastStableOffset(): Offset {
    const unstable = Math.max(this.#producers.firstUnstableOffset, this.#logStartOffset)
    return Math.min(this.#highWatermark, unstable)
  }

  /** -1 when there is none. */
  get latestEpoch(): LeaderEpoch {
    return this.#epochs.latest
  }

  get epochEntries(): readonly EpochStart[] {
    return this.#epochs.entries
  }

  /** Everything below was synced. */
  get recoveryPoint(): Offset {
    return this.#flusher.recoveryPoint
  }

  /** Where the last compaction ended: the first dirty offset of Kafka's cleaner checkpoint. */
  get cleanedTo(): Offset {
    return this.#cleanedTo
  }

  /** No record was ever compacted away at or above; below there may be gaps, also between segments. */
  get compactedTo(): Offset {
    return this.#compactedTo
  }

  /** All `.log` files together. */
  get sizeBytes(): number {
    return this.#segments.sizeBytes
  }

  /** Base offsets of the segments, rising. */
  get segmentBaseOffsets(): readonly Offset[] {
    return this.#segments.all.map((segment) => segment.baseOffset)
  }

  /**
   * A sync or a truncation failed: appends get KAFKA_STORAGE_ERROR until the log is opened again.
   */
  get hasFailed(): boolean {
    return this.#flusher.failure !== null
  }

  /** The parts behind the log, for checks that compare memory with the bytes. Read only. */
  inspect(): LogParts {
    return { segments: this.#segments.all, epochs: this.#epochs, snapshots: this.#snapshots }
  }

  /** The last state of each producer of this partition. */
  producerEntries(): readonly ProducerSnapshot[] {
    return this.#producers.entries()
  }

  /**
   * Begins to verify a transaction that is to begin here with the batch that `request` tells of; null when it is
   * open already. The guard belongs with the append.
   */
  beginVerification(request: VerificationRequest, nowMs: TimestampMs): VerificationGuard | null {
    const { producerId, producerEpoch } = request
    if (this.#producers.hasOngoing(producerId, producerEpoch)) return null
    return this.#producers.verifications.begin(request, nowMs)
  }

  /** Forgets producers that were silent for producer.id.expiration.ms and have no transaction open. */
  expireProducers(nowMs: TimestampMs): void {
    this.#producers.expire(nowMs, this.#writer.config.producerIdExpirationMs)
  }

  /** The batches of a producer whose retry would be recognised, oldest first. */
  cachedBatches(producerId: ProducerId): readonly CachedBatch[] {
    return this.#producers.cachedBatches(producerId)
  }

  updateConfig(config: LogConfig): void {
    this.#writer.config = config
    for (const segment of this.#segments.all) {
      segment.indexIntervalBytes = config.indexIntervalBytes
    }
  }

  /** Checks, places and appends batches, changing `records`; one that is refused changes nothing in the log. */
  appendAsLeader(records: Buffer, options: LeaderAppendOptions): AppendResult {
    this.#assertOpen()
    return this.#writer.appendAsLeader(records, options)
  }

  /**
   * Appends what a leader sent, with its offsets and epochs, which must go on at the log end
   * (OFFSET_OUT_OF_RANGE; later offsets only in compacted logs, which have gaps). CORRUPT_MESSAGE
   * for a bad CRC. A cut batch at the end is left out, and so is what comes after `leaderEpoch`, that of the fetch:
   * no leader of this epoch can have written it (KAFKA-18723). A checksum does not cover the epoch of a batch.
   * CORRUPT_MESSAGE when nothing else is there.
   */
  appendAsFollower(
    records: Buffer,
    nowMs: TimestampMs,
    leaderEpoch: LeaderEpoch = Infinity,
  ): FollowerAppendResult {
    this.#assertOpen()
    return this.#writer.appendAsFollower(records, nowMs, leaderEpoch)
  }

  /** Whole batches from the one that holds `offset`; may stop at the end of a segment. */
  read(request: ReadRequest): ReadResult {
    const { offset } = request
    if (offset < this.#logStartOffset || offset > this.logEndOffset) {
      return { error: ErrorCode.OFFSET_OUT_OF_RANGE, records: EMPTY, firstOffset: offset }
    }
    try {
      const records = this.#readSegments(request)
      const firstOffset = records.length === 0 ? offset : batchBaseOffset(records, 0)
      return { error: ErrorCode.NONE, records, firstOffset }
    } catch (error) {
      this.#writer.storageError(error)
      return { error: ErrorCode.KAFKA_STORAGE_ERROR, records: EMPTY, firstOffset: offset }
    }
  }

  /** The largest epoch at most `epoch` and where it ends (KIP-101, KIP-279, KIP-320); -1 and -1: unknown. */
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd {
    return this.#epochs.endOffsetFor(epoch, this.logEndOffset)
  }

  /**
   * A leader starts at the log end: followers must find its epoch before its first record is
   * written.
   */
  startEpoch(epoch: LeaderEpoch, startOffset: Offset): void {
    assert(
      startOffset === this.logEndOffset,
      `epoch ${epoch} starts at ${startOffset}, the log ends at ${this.logEndOffset}`,
    )
    this.#epochs.assign(epoch, startOffset)
  }

  /** -1 when it is not known. */
  epochAt(offset: Offset): LeaderEpoch {
    return this.#epochs.epochAt(offset)
  }

  /**
   * The first record below `endOffset` that is at least as new as `timestampMs` (0 or more), or
   * null. Throws `DiskError` and `CorruptionError`.
   */
  findOffsetByTimestamp(timestampMs: TimestampMs, endOffset: Offset): FoundRecord | null {
    const found = findByTimestamp(this.#segments.all, timestampMs, this.#logStartOffset)
    return found !== null && found.offset < endOffset ? found : null
  }

  /** The first record with the largest timestamp, or null when there is none. Throws as above. */
  maxTimestamp(): FoundRecord | null {
    return findLargestTimestamp(this.#segments.all, this.#logStartOffset)
  }

  /** Aborted transactions with records in [from, to). */
  abortedTransactions(from: Offset, to: Offset): readonly AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (const segment of this.#segments.from(from)) {
      if (segment.aborted.collect(from, to, found)) break
    }
    return found
  }

  /** Sets the high watermark, kept between the log start and the log end. */
  updateHighWatermark(offset: Offset): void {
    this.#highWatermark = Math.max(this.#logStartOffset, Math.min(offset, this.logEndOffset))
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  /**
   * Removes all batches that reach `offset`. The log then ends there, or earlier when a batch held
   * it. Nothing happens at or above the log end. Throws `DiskError` and `CorruptionError`.
   */
  truncateTo(offset: Offset): void {
    this.#assertOpen()
    const from = this.logEndOffset
    if (offset >= from) {
      // Nothing is stored there, but an epoch may have been started that the leader knows nothing
      // of.
      this.#epochs.truncateFromEnd(offset)
      return
    }
    this.#truncating(from, () => {
      if (offset < this.#segments.first.baseOffset) this.#restartAt(offset)
      else this.#cutAt(offset)
    })
  }

  /** Drops everything and goes on at `offset` as an empty log. Throws `DiskError`. */
  truncateFullyAndStartAt(offset: Offset): void {
    this.#assertOpen()
    this.#truncating(this.logEndOffset, () => this.#restartAt(offset))
  }

  /**
   * Raises the log start (DeleteRecords, or the leader's); records below are gone for readers,
   * their segments go with the next `deleteOldSegments`. OFFSET_OUT_OF_RANGE above the high
   * watermark; lower values change nothing.
   */
  incrementLogStartOffset(offset: Offset): ErrorCode {
    if (offset <= this.#logStartOffset) return ErrorCode.NONE
    if (offset > this.#highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE
    this.#logStartOffset = offset
    this.#epochs.truncateFromStart(offset)
    this.#emit('log.start-raised', { logStartOffset: offset })
    return ErrorCode.NONE
  }

  /**
   * Makes all that was written so far durable, then moves the recovery point and calls `done`,
   * never at once.
   */
  flush(done: FlushDone): void {
    this.#assertOpen()
    this.#flusher.flush(this.#segments, this.#epochs, done)
  }

  /** Applies retention, forgets silent producers. Returns how many segments went. Throws as `truncateTo` does. */
  deleteOldSegments(nowMs: TimestampMs): number {
    this.#assertOpen()
    this.expireProducers(nowMs)
    const count = expiredSegments({
      segments: this.#segments.all,
      config: this.#writer.config,
      logStartOffset: this.#logStartOffset,
      highWatermark: this.#highWatermark,
      nowMs,
    })
    if (count === 0) return 0
    if (count === this.#segments.all.length) this.#writer.roll(this.logEndOffset, nowMs)
    const first = this.#segments.all[count]
    assert(first !== undefined, 'a segment is left after retention')
    this.#snapshotAt(first.baseOffset)
    // The start moves before any file goes, so that no reader is sent to a file that is gone.
    this.incrementLogStartOffset(first.baseOffset)
    this.#compaction?.abort()
    this.#segments.removeFirst(count)
    this.#flusher.directoryChanged()
    this.#snapshots.keepOnly(this.#segments.baseOffsets)
    this.#emit('log.segments-deleted', { count, logStartOffset: this.#logStartOffset })
    return count
  }

  /**
   * What a compaction could do now. Above the recovery point nothing may be compacted: a gap there would be taken for
   * a lost tail after an unclean stop.
   */
  cleanable(nowMs: TimestampMs): Cleanable {
    return cleanableOf({
      segments: this.#segments.all,
      config: this.#writer.config,
      cleanedTo: this.#cleanedTo,
      logStartOffset: this.#logStartOffset,
      logEndOffset: this.logEndOffset,
      limit: Math.min(this.lastStableOffset, this.recoveryPoint),
      nowMs,
    })
  }

  /** Closes the active segment when it holds anything. Throws `DiskError`. */
  rollActive(nowMs: TimestampMs): void {
    this.#assertOpen()
    if (this.#segments.active.sizeBytes > 0) this.#writer.roll(this.logEndOffset, nowMs)
  }

  /** Notes how far gaps may come to be. To be stored, with the recovery point, before `compact`. */
  prepareCompaction(range: Cleanable): void {
    this.#compactedTo = Math.max(this.#compactedTo, range.firstUncleanableOffset)
  }

  /**
   * Begins a compaction of `range`, for which the log was prepared. The caller runs its steps and tells by
   * `compacted` when it is done. It ends by itself when the log is cut, closed or loses segments.
   */
  compact(range: Cleanable, limits: CompactionLimits): LogCompaction {
    this.#assertOpen()
    assert(range.firstUncleanableOffset <= this.#compactedTo, 'a compaction is prepared first')
    this.#compaction?.abort()
    this.#compaction = new LogCompaction({
      ...limits,
      disk: this.#disk,
      directory: this.directory,
      config: this.#writer.config,
      segments: this.#segments,
      range,
      producers: () => this.#producers.entries(),
      abortedTransactions: (from, to) => this.abortedTransactions(from, to),
      onSwapped: ({ baseOffset, endOffset, sizeBytes }) => {
        this.#flusher.directoryChanged()
        this.#snapshots.keepOnly(this.#segments.baseOffsets)
        this.#emit('log.segment-compacted', { baseOffset, endOffset, sizeBytes })
      },
    })
    return this.#compaction
  }

  /** The compaction is done: what it went through is clean. */
  compacted({ endOffset, sizes }: LogCompaction): void {
    this.#compaction = null
    this.#cleanedTo = endOffset
    this.#emit('log.compacted', { cleanedTo: endOffset, ...sizes })
  }

  /**
   * A clean stop: completes the indexes, writes a producer snapshot and closes the files. Call
   * `flush` before and store the clean mark after. Throws `DiskError` when a file could not be
   * written: then it is no clean stop.
   */
  close(): void {
    if (this.#isClosed) return
    this.#compaction?.abort()
    this.#isClosed = true
    try {
      this.#writer.takeSnapshot()
      this.#segments.active.finish()
    } finally {
      for (const segment of this.#segments.all) segment.closeFiles()
    }
  }

  /** Closes the files of a log that is wanted no longer; the caller removes them. */
  abandon(): void {
    this.#compaction?.abort()
    this.#isClosed = true
    for (const segment of this.#segments.all) segment.closeFiles()
  }

  #readSegments(request: ReadRequest): Buffer {
    const endOffset = Math.min(request.endOffset, this.logEndOffset)
    if (request.offset >= endOffset) return EMPTY
    for (const segment of this.#segments.from(request.offset)) {
      // Compaction leaves segments without batches, and gaps after the last batch of others.
      if (segment.sizeBytes === 0 || request.offset >= segment.endOffset) continue
      return segment.read({ ...request, endOffset })
    }
    return EMPTY
  }

  /** A truncation that fails half-way takes the log offline. */
  #truncating(from: Offset, truncate: () => void): void {
    this.#compaction?.abort()
    try {
      truncate()
    } catch (error) {
      this.#flusher.fail('EIO')
      throw error
    }
    const to = this.logEndOffset
    this.#flusher.truncated(to)
    this.#cleanedTo = Math.min(this.#cleanedTo, to)
    this.#compactedTo = Math.min(this.#compactedTo, to)
    this.updateHighWatermark(this.#highWatermark)
    this.#emit('log.truncated', { from, to })
  }

  /**
   * What comes after the cut goes into a new file. Were it appended to the cut one, a power cut
   * could undo the cut and what came after it there, but not what came still later in the next
   * file: records that were truncated would be back in the middle of the log, under offsets that
   * now mean others.
   */
  #cutAt(offset: Offset): void {
    this.#segments.removeAbove(offset)
    const { active } = this.#segments
    const end = active.truncateTo(offset)
    this.#epochs.truncateFromEnd(end)
    this.#snapshots.removeAbove(end)
    if (!this.#producers.isEmpty) {
      loadProducers(this.#segments.all, this.#snapshots, end, this.#producers)
    }
    if (active.baseOffset < end) active.finish()
    this.#writer.startSegment(end)
    this.#logStartOffset = Math.min(this.#logStartOffset, end)
  }

  /**
   * What producers did in segments that are about to go is known from then on only from a snapshot at the first
   * that stays. A roll leaves one there; a truncation and a recovery leave segments without.
   */
  #snapshotAt(offset: Offset): void {
    if (this.#snapshots.at(offset) !== null) return
    const state = new ProducerState()
    loadProducers(this.#segments.all, this.#snapshots, offset, state)
    this.#snapshots.write(offset, state.entries())
  }

  #restartAt(offset: Offset): void {
    this.#segments.removeAbove(-1)
    this.#writer.startSegment(offset)
    this.#epochs.clear()
    this.#snapshots.removeAbove(-1)
    this.#producers.clear()
    this.#logStartOffset = offset
  }

  #assertOpen(): void {
    if (this.#isClosed) assert(false, `the log of ${this.topic}-${this.partition} is closed`)
  }

  #emit(kind: string, fields: Parameters<EventSink['emit']>[1]): void {
    const { topic, partition } = this
    this.#events.emit(kind, { topic, partition, ...fields })
  }
}
