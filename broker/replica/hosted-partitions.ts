import type { Config } from '../../src/base/config-def.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { parseSegmentFileName } from '../log/log-file-names.ts'
import { readPartitionMetadata } from '../log/partition-metadata.ts'
import { PartitionLog } from '../log/partition-log.ts'
import type { MetadataImage, PartitionState } from '../metadata/image.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { CleanerCheckpoint } from './cleaner-checkpoint.ts'
import type { LogStartCheckpoint } from './log-start-checkpoint.ts'
import { Partition, type PartitionSurroundings } from './partition.ts'
import { isStorageFailure, type StorageFailure } from './storage-failure.ts'
import { topicConfigOf } from './topic-config.ts'

export interface HostedPartitionsOptions {
  readonly config: Config
  readonly disk: Disk
  readonly image: () => MetadataImage
  readonly checkpoints: Checkpoints
  readonly logStarts: LogStartCheckpoint
  readonly cleanerOffsets: CleanerCheckpoint
  readonly random?: Random
  /** The node wrote its clean-shutdown mark at its last end: nothing beyond recovery points needs a scan. */
  readonly isCleanStart: boolean
  readonly surroundings: PartitionSurroundings
  /** A log could not be opened: its partition is offline from now on. */
  readonly onStorageFailure?: (error: StorageFailure) => void
}

/** A partition that was asked for, or why it cannot be used here. */
export type Lookup =
  | { readonly partition: Partition; readonly error: typeof ErrorCode.NONE }
  | { readonly partition: null; readonly error: ErrorCode }

/** The partitions of one broker: their logs are opened, found and removed here. */
export class HostedPartitions {
  readonly #options: HostedPartitionsOptions
  readonly #partitions = new Map<string, Partition>()
  /** Partitions whose log could not be opened or failed, with their topic id. */
  readonly #offline = new Map<string, Uuid>()

  constructor(options: HostedPartitionsOptions) {
    this.#options = options
  }

  values(): IterableIterator<Partition> {
    return this.#partitions.values()
  }

  get(key: string): Partition | null {
    return this.#partitions.get(key) ?? null
  }

  /**
   * By name or by id. Not hosted here: NOT_LEADER_OR_FOLLOWER when the topic has such a partition,
   * so that clients look for it elsewhere, else UNKNOWN_TOPIC_OR_PARTITION or UNKNOWN_TOPIC_ID. Another
   * topic of the same name: INCONSISTENT_TOPIC_ID.
   */
  find(topic: string, index: number, topicId: Uuid = ZERO_UUID): Lookup {
    const key = topicPartitionKey(topic, index)
    const partition = this.#partitions.get(key)
    if (partition !== undefined) {
      const isSame = topicId === ZERO_UUID || partition.topicId === topicId
      return isSame
        ? { partition, error: ErrorCode.NONE }
        : { partition: null, error: ErrorCode.INCONSISTENT_TOPIC_ID }
    }
    if (this.#offline.has(key)) return { partition: null, error: ErrorCode.KAFKA_STORAGE_ERROR }
    const state = this.#options.image().partition(topic, index)
    if (state !== null && (topicId === ZERO_UUID || state.topicId === topicId)) {
      return { partition: null, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    }
    const unknown =
      topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
    return { partition: null, error: unknown }
  }

  /** The hosted partition, opened when it is not yet; null when its log cannot be used. */
  open(state: PartitionState): Partition | null {
    const key = topicPartitionKey(state.topic, state.partition)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    if (this.#offline.get(key) === state.topicId) return null
    try {
      const partition = this.#openLog(key, state)
      this.#partitions.set(key, partition)
      this.#offline.delete(key)
      return partition
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#offline.set(key, state.topicId)
      this.#emitOffline(state.topic, state.partition, error)
      this.#options.onStorageFailure?.(error)
      return null
    }
  }

  /** The partition's disk failed: it is not served any more until the node starts again. */
  fail(partition: Partition, error: Error): void {
    if (this.#partitions.get(partition.key) !== partition) return
    this.#partitions.delete(partition.key)
    this.#offline.set(partition.key, partition.topicId)
    this.#emitOffline(partition.topic, partition.partition, error)
    partition.retire()
  }

  /** Ends hosting and deletes the log with all that is known of it. */
  remove(partition: Partition): void {
    this.#partitions.delete(partition.key)
    this.#options.checkpoints.forget(partition.key)
    partition.retire()
    try {
      partition.log.destroy()
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#emitOffline(partition.topic, partition.partition, error)
    }
  }

  /** Reads the settings of the topic again. */
  configure(partition: Partition): void {
    const overrides = this.#options.image().topicConfig(partition.topic)
    partition.configure(topicConfigOf(this.#options.config, overrides))
  }

  #openLog(key: string, state: PartitionState): Partition {
    const { disk, config, checkpoints, logStarts, surroundings, isCleanStart, image } =
      this.#options
    const { cleanerOffsets, random } = this.#options
    this.#setStrayAside(key, state.topicId)
    // A log that is not there yet begins at 0, whatever the file has of an older topic of the name.
    const isThere = disk.exists(key)
    const noted = isThere ? logStarts.offset(key) : 0
    const cleanedTo = checkpoints.cleanedTo(key) ?? (isThere ? cleanerOffsets.offset(key) : 0)
    const topicConfig = topicConfigOf(config, image().topicConfig(state.topic))
    const log = PartitionLog.open({
      disk,
      directory: key,
      topic: state.topic,
      partition: state.partition,
      topicId: state.topicId,
      config: topicConfig.log,
      recoveryPoint: checkpoints.recoveryPoint(key),
      isCleanShutdown: isCleanStart,
      logStartOffset: Math.max(noted, checkpoints.logStartOffset(key)),
      cleanedTo,
      compactedTo: checkpoints.compactedTo(key),
      nowMs: surroundings.clock.wallMs(),
      events: surroundings.events,
      ...(random !== undefined && { random }),
    })
    log.updateHighWatermark(checkpoints.highWatermark(key))
    const { topic, partition } = state
    return new Partition({ topic, partition, log, config: topicConfig, surroundings })
  }

  /**
   * The directory of an older topic of the same name, deleted while this node was down, is set aside under
   * a `-stray` name; nothing of it may be taken for the new topic's data, checkpoints included. So is one that a power
   * cut has left without a topic id: it was never synced, since the id is before all else.
   */
  #setStrayAside(directory: string, topicId: Uuid): void {
    const { disk, checkpoints } = this.#options
    if (!disk.exists(directory)) return
    const found = readPartitionMetadata(disk, directory)
    if (found === topicId || (found === null && !this.#isUnsyncedLog(directory))) return
    const target = `${directory}.${found ?? ZERO_UUID}-stray`
    disk.remove(target)
    disk.rename(directory, target)
    checkpoints.forget(directory)
  }

  #isUnsyncedLog(directory: string): boolean {
    const { disk, checkpoints } = this.#options
    if (checkpoints.recoveryPoint(directory) > 0) return false
    return disk.list(directory).some((name) => parseSegmentFileName(name)?.kind === 'log')
  }

  #emitOffline(topic: string, partition: number, error: Error): void {
    this.#options.surroundings.events.emit('partition.offline', {
      topic,
      partition,
      error: error.message,
    })
  }
}
