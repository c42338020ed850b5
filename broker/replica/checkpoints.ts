import type { Offset } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Partition } from './partition.ts'

const HIGH_WATERMARK = 'hw/'
const RECOVERY_POINT = 'recovery-point/'
const LOG_START = 'log-start/'
const CLEANED = 'cleaned-to/'
const COMPACTED = 'compacted-to/'
const MOVED = 'moved-to/'

/** The end of a move between log directories. */
export interface MovedTo {
  readonly directoryId: Uuid
  /** Under which name the log lies there, unless it has its own already. */
  readonly folder: string
}

/**
 * High watermarks, recovery points, log starts and what was compacted, in the node's store, by `topic-partition`. A high watermark read back
 * may be older than the one acted on before the stop: it is a lower bound, which is all a replica needs.
 */
export class Checkpoints {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** 0 when none was written. */
  highWatermark(key: string): Offset {
    return this.#offset(HIGH_WATERMARK + key)
  }

  /** Records below this are known to be on the disk; 0 when none was written. */
  recoveryPoint(key: string): Offset {
    return this.#offset(RECOVERY_POINT + key)
  }

  /** Where the log begins for readers, after records were deleted; 0 when none was written. */
  logStartOffset(key: string): Offset {
    return this.#offset(LOG_START + key)
  }

  /** Where the last compaction ended; null when none was written. */
  cleanedTo(key: string): Offset | null {
    return typeof this.#store.get(CLEANED + key) === 'number' ? this.#offset(CLEANED + key) : null
  }

  /** Compaction may have made gaps below; 0 when none was written. */
  compactedTo(key: string): Offset {
    return this.#offset(COMPACTED + key)
  }

  /** Where the log of this topic's partition was moved to; null when it never was. */
  movedTo(key: string, topicId: Uuid): MovedTo | null {
    const stored = this.#store.get(MOVED + key) as (MovedTo & { topicId: Uuid }) | undefined
    return stored?.topicId === topicId ? stored : null
  }

  /**
   * The copy in `folder` of another log directory is the log from now on. How far it was compacted is not known of it;
   * that it may have the gaps of the log is.
   */
  writeMove(
    { key, topicId }: Partition,
    moved: MovedTo & { readonly recoveryPoint: Offset; readonly compactedTo: Offset },
  ): void {
    const { directoryId, folder, recoveryPoint, compactedTo } = moved
    this.#store.put(MOVED + key, { topicId, directoryId, folder })
    this.#put(RECOVERY_POINT + key, recoveryPoint)
    if (compactedTo === 0) return
    this.#put(CLEANED + key, 0)
    this.#put(COMPACTED + key, compactedTo)
  }

  /**
   * Must be durable before a log that was cut below its recovery point is appended to: else, after a power
   * cut, bytes that were never synced are taken for synced ones. True when it has changed.
   */
  writeRecoveryPoint(partition: Partition): boolean {
    const { key, log } = partition
    const changes = [
      this.#put(RECOVERY_POINT + key, log.recoveryPoint),
      this.#putCompaction(partition),
    ]
    return changes.includes(true)
  }

  /** Writes what has changed; true when there was anything. */
  write(partitions: Iterable<Partition>): boolean {
    let hasChanged = false
    for (const partition of partitions) {
      const { key, log } = partition
      const changes = [
        this.#put(HIGH_WATERMARK + key, log.highWatermark),
        this.#put(LOG_START + key, log.logStartOffset),
        this.writeRecoveryPoint(partition),
      ]
      hasChanged ||= changes.includes(true)
    }
    return hasChanged
  }

  forget(key: string): void {
    this.#store.delete(HIGH_WATERMARK + key)
    this.#store.delete(RECOVERY_POINT + key)
    this.#store.delete(LOG_START + key)
    this.#store.delete(CLEANED + key)
    this.#store.delete(COMPACTED + key)
    if (this.#store.get(MOVED + key) !== undefined) this.#store.delete(MOVED + key)
  }

  /** Logs that were never compacted have no entries. */
  #putCompaction({ key, log }: Partition): boolean {
    if (log.compactedTo === 0 && this.#store.get(COMPACTED + key) === undefined) return false
    const changes = [
      this.#put(CLEANED + key, log.cleanedTo),
      this.#put(COMPACTED + key, log.compactedTo),
    ]
    return changes.includes(true)
  }

  #put(key: string, offset: Offset): boolean {
    if (this.#offset(key) === offset) return false
    this.#store.put(key, offset)
    return true
  }

  #offset(key: string): Offset {
    const offset = this.#store.get(key)
    return typeof offset === 'number' && offset >= 0 ? offset : 0
  }
}
