import { DiskError } from '../../src/base/errors.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { PartitionLog } from '../log/partition-log.ts'
import type { LogDirectory } from './log-directories.ts'
import type { Partition } from './partition.ts'
import { assertSound, storageFailureOf, throwStorageError } from './storage-failure.ts'

/** The copy tells nothing of its own: what happens in it has happened in the log before. */
const SILENT: EventSink = { emit: () => undefined }

/** The growing copy of a log in another log directory (KIP-113). */
export class FutureLog {
  readonly partition: Partition
  readonly target: LogDirectory
  /** Its name in the target until it takes the place of the log. */
  readonly folder: string
  readonly log: PartitionLog
  readonly #clock: Clock

  /** Throws `DiskError` of the target. */
  constructor(partition: Partition, target: LogDirectory, folder: string, clock: Clock) {
    this.partition = partition
    this.target = target
    this.folder = folder
    this.#clock = clock
    const { topic, topicId, config, log } = partition
    this.log = PartitionLog.open({
      disk: target.disk,
      directory: folder,
      topic,
      partition: partition.partition,
      topicId,
      config: config.log,
      recoveryPoint: 0,
      isCleanShutdown: true,
      logStartOffset: log.logStartOffset,
      nowMs: clock.wallMs(),
      events: SILENT,
    })
  }

  /** Records that the log has and the copy has not. */
  get lag(): number {
    return this.partition.log.logEndOffset - this.log.logEndOffset
  }

  get isCaughtUp(): boolean {
    return this.lag === 0 && this.log.logStartOffset === this.partition.log.logStartOffset
  }

  /** Whether as much of the copy is durable as of the log: to go on with it breaks no promise. */
  get isAsDurable(): boolean {
    return this.log.recoveryPoint >= this.partition.log.recoveryPoint
  }

  /**
   * Copies up to `maxBytes`, at least a batch. Returns how many bytes; 0 also where the log has a gap up to its end, until
   * something is appended to it. `source` runs what reads the log, so that its failures are told from those of the copy,
   * which are thrown.
   */
  copy(maxBytes: number, source: (read: () => Buffer) => Buffer | null): number {
    this.#follow()
    const { log } = this.partition
    const offset = this.log.logEndOffset
    const records = source(() => {
      const { key } = this.partition
      const endOffset = log.logEndOffset
      const found = log.read({ offset, maxBytes, minOneBatch: true, endOffset })
      throwStorageError(found.error, key)
      assertSound(found.records, key)
      return found.records
    })
    if (records === null || records.length === 0) return 0
    const { error } = this.log.appendAsFollower(Buffer.from(records), this.#clock.wallMs())
    if (error !== ErrorCode.NONE) {
      throw new DiskError('EIO', `${this.folder} does not take what is copied: ${error}`)
    }
    this.#follow()
    return records.length
  }

  /** The log was cut, or its start was raised: the copy does the same. Throws `DiskError` of the target. */
  #follow(): void {
    const { log } = this.partition
    const { logStartOffset, logEndOffset } = log
    const isBefore = this.log.logEndOffset < logStartOffset
    const isAfter = this.log.logEndOffset > logEndOffset
    if (isBefore || (isAfter && logStartOffset === logEndOffset)) {
      this.log.truncateFullyAndStartAt(logStartOffset)
    } else if (isAfter) this.log.truncateTo(logEndOffset)
    this.log.updateHighWatermark(log.highWatermark)
    this.log.incrementLogStartOffset(logStartOffset)
  }

  /** The log has changed: what it has lost goes from the copy before anything else can take its place. */
  truncated(): void {
    if (this.lag < 0) this.#follow()
  }

  /** The copy goes; that it cannot be removed does not matter, the next start finds it. */
  discard(): void {
    this.log.abandon()
    storageFailureOf(() => this.target.disk.remove(this.folder))
  }
}
