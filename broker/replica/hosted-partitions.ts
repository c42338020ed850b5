import { present } from '../../src/base/assert.ts'
import type { Config } from '../../src/base/config-def.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { PartitionLog } from '../log/partition-log.ts'
import { DirectoryId } from '../metadata/directory-id.ts'
import type { MetadataImage, PartitionState } from '../metadata/image.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import { LogPlacement, type Place } from './log-placement.ts'
import type { LogRemovals } from './log-removals.ts'
import { Partition, type PartitionSurroundings } from './partition.ts'
import { isStorageFailure, storageFailureOf, type StorageFailure } from './storage-failure.ts'
import { topicConfigOf, type TopicConfig } from './topic-config.ts'

export interface HostedPartitionsOptions {
  readonly config: Config
  readonly image: () => MetadataImage
  readonly checkpoints: Checkpoints
  readonly directories: LogDirectories
  readonly removals: LogRemovals
  readonly random?: Random
  /** How many copies of logs grow in a directory; they count as much as logs. */
  readonly futuresIn: (directory: LogDirectory) => number
  readonly surroundings: PartitionSurroundings
  /** A log could not be opened: its partition is offline from now on. */
  readonly onStorageFailure?: (directory: LogDirectory, error: StorageFailure) => void
}

/** A partition that was asked for, or why it cannot be used here. */
export type Lookup =
  | { readonly partition: Partition; readonly error: typeof ErrorCode.NONE }
  | { readonly partition: null; readonly error: ErrorCode }

/** A partition whose log could not be opened, or failed. */
interface OfflinePartition {
  readonly topicId: Uuid
  /** Null: it is in some directory that could not be read at the start. */
  readonly directoryId: Uuid | null
}

/** The partitions of one broker: their logs are opened, found and removed here. */
export class HostedPartitions {
  readonly #options: HostedPartitionsOptions
  readonly #placement: LogPlacement
  readonly #partitions = new Map<string, Partition>()
  /** Where they lie, by the same keys. */
  readonly #directories = new Map<string, LogDirectory>()
  readonly #offline = new Map<string, OfflinePartition>()

  constructor(options: HostedPartitionsOptions) {
    this.#options = options
    const { directories, checkpoints, surroundings } = options
    this.#placement = new LogPlacement({
      brokerId: surroundings.brokerId,
      directories,
      checkpoints,
      countIn: (directory) => this.countIn(directory),
    })
  }

  get placement(): LogPlacement {
    return this.#placement
  }

  /** Where the log of a hosted partition lies. */
  directoryOf({ key }: Partition): LogDirectory {
    return present(this.#directories.get(key), `the log directory of ${key}`)
  }

  in(directory: LogDirectory): readonly Partition[] {
    return [...this.values()].filter(({ key }) => this.#directories.get(key) === directory)
  }

  /** Kafka's file of the log directory in which the partition lies. Throws what the disk gives. */
  writeCleanerOffsets(partition: Partition): void {
    const directory = this.directoryOf(partition)
    directory.cleanerOffsets.write(this.in(directory))
  }

  countIn(directory: LogDirectory): number {
    let count = 0
    for (const each of this.#directories.values()) if (each === directory) count += 1
    return count + this.#options.futuresIn(directory)
  }

  /** Where the metadata should have a replica: null when it is not here, LOST when it is in some offline directory. */
  actualDirectory(key: string): Uuid | null {
    const offline = this.#offline.get(key)
    if (offline !== undefined) return offline.directoryId ?? DirectoryId.LOST
    return this.#directories.get(key)?.id ?? null
  }

  isOffline(key: string): boolean {
    return this.#offline.has(key)
  }

  /** The log lies in `directory` now, under its own name; it is opened there. Throws what the disk gives. */
  relocate(partition: Partition, directory: LogDirectory): void {
    const place = { directory, isThere: false }
    partition.replaceLog(this.#openLog(partition.key, partition, place, true))
    this.place(partition, directory)
  }

  /** From now on the partition counts to `directory`. */
  place({ key }: Partition, directory: LogDirectory): void {
    this.#directories.set(key, directory)
  }

  /** A partition that this broker is to host no longer; should its directory come back, it holds an old copy. */
  forgetOffline(key: string): void {
    if (this.#offline.delete(key)) this.#options.checkpoints.forget(key)
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

  /**
   * The hosted partition, opened when it is not yet; null when its log cannot be used. `mayBeHere` is false for one that has
   * come to this broker since it started.
   */
  open(state: PartitionState, mayBeHere = true): Partition | null {
    const key = topicPartitionKey(state.topic, state.partition)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const { topicId } = state
    if (this.#offline.get(key)?.topicId === topicId) return null
    const { directories } = this.#options
    let [at] = directories.online
    try {
      for (at of directories.online) this.#placement.setStrayAside(at, key, topicId)
      const place = this.#placement.placeOf(state, mayBeHere)
      if (place === null) {
        this.#offline.set(key, { topicId, directoryId: null })
        this.#emitOffline(state.topic, state.partition, 'its log directory is offline')
        return null
      }
      at = place.directory
      const { topic, partition: index } = state
      const { surroundings } = this.#options
      const log = this.#openLog(key, state, place, at.isCleanStart)
      const config = this.#configOf(topic)
      const partition = new Partition({ topic, partition: index, log, config, surroundings })
      this.#partitions.set(key, partition)
      this.#directories.set(key, at)
      this.#offline.delete(key)
      return partition
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#offline.set(key, { topicId, directoryId: at?.id ?? null })
      this.#emitOffline(state.topic, state.partition, error.message)
      if (at !== undefined) this.#options.onStorageFailure?.(at, error)
      return null
    }
  }

  /** The partition's disk failed: it is not served any more until the node starts again. */
  fail(partition: Partition, error: Error): void {
    if (this.#partitions.get(partition.key) !== partition) return
    const { key, topicId } = partition
    const directoryId = this.directoryOf(partition).id
    this.#partitions.delete(key)
    this.#directories.delete(key)
    this.#offline.set(key, { topicId, directoryId })
    this.#emitOffline(partition.topic, partition.partition, error.message)
    partition.retire()
  }

  /** Ends hosting, and the log goes with all that is known of it. */
  remove(partition: Partition): void {
    const { key, log } = partition
    const { checkpoints, removals, onStorageFailure } = this.#options
    const directory = this.directoryOf(partition)
    this.#partitions.delete(key)
    this.#directories.delete(key)
    checkpoints.forget(key)
    partition.retire()
    log.abandon()
    const failure = storageFailureOf(() => {
      removals.removeLater(directory, removals.setAside(directory, key))
    })
    if (failure !== null) onStorageFailure?.(directory, failure)
  }

  /** Reads the settings of the topic again. */
  configure(partition: Partition): void {
    partition.configure(this.#configOf(partition.topic))
  }

  #configOf(topic: string): TopicConfig {
    const { config, image } = this.#options
    return topicConfigOf(config, image().topicConfig(topic))
  }

  #openLog(
    key: string,
    state: Pick<PartitionState, 'topic' | 'partition' | 'topicId'>,
    { directory, isThere }: Place,
    isCleanShutdown: boolean,
  ): PartitionLog {
    const { checkpoints, surroundings, random, removals } = this.#options
    const { logStarts, cleanerOffsets } = directory
    // A log that is not there yet begins at 0, whatever the file has of an older topic of the name.
    const noted = isThere ? logStarts.offset(key) : 0
    const cleanedTo = checkpoints.cleanedTo(key) ?? (isThere ? cleanerOffsets.offset(key) : 0)
    const log = PartitionLog.open({
      disk: removals.diskFor(directory),
      directory: key,
      topic: state.topic,
      partition: state.partition,
      topicId: state.topicId,
      config: this.#configOf(state.topic).log,
      recoveryPoint: checkpoints.recoveryPoint(key),
      isCleanShutdown,
      logStartOffset: Math.max(noted, checkpoints.logStartOffset(key)),
      cleanedTo,
      compactedTo: checkpoints.compactedTo(key),
      nowMs: surroundings.clock.wallMs(),
      events: surroundings.events,
      ...(random !== undefined && { random }),
    })
    log.updateHighWatermark(checkpoints.highWatermark(key))
    return log
  }

  #emitOffline(topic: string, partition: number, error: string): void {
    this.#options.surroundings.events.emit('partition.offline', {
      topic,
      partition,
      error,
    })
  }
}
