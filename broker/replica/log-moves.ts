import type { Config } from '../../src/base/config-def.ts'
import { DiskError } from '../../src/base/errors.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import type { Store } from '../../src/ports/store.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import { assignedDirectory } from '../metadata/directory-id.ts'
import type { MetadataImage, PartitionState } from '../metadata/image.ts'
import type { Checkpoints } from './checkpoints.ts'
import { FutureLog } from './future-log.ts'
import type { HostedPartitions } from './hosted-partitions.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import { futureFolder, isTooLongToMove, keyOfFuture } from './log-folders.ts'
import type { LogRemovals } from './log-removals.ts'
import type { Partition } from './partition.ts'
import { isStorageFailure, storageFailureOf, type StorageFailure } from './storage-failure.ts'

export interface LogMovesOptions {
  readonly config: Config
  readonly clock: Clock
  readonly store: Store
  readonly events: EventSink
  readonly random: Random
  readonly checkpoints: Checkpoints
  readonly directories: LogDirectories
  readonly hosted: HostedPartitions
  readonly removals: LogRemovals
  readonly brokerId: BrokerId
  readonly image: () => MetadataImage
  /** Runs what comes from outside of a step as one. */
  readonly step: (fn: () => void) => void
  readonly onStorageFailure: (partition: Partition, error: StorageFailure) => void
  readonly onDirectoryFailure: (directory: LogDirectory, error: StorageFailure) => void
  /** The replica lies elsewhere now, which is durable. */
  readonly onMoved: (key: string, state: PartitionState) => void
}

interface Move {
  readonly future: FutureLog
  timer: Timer | null
  isFlushing: boolean
}

const MOVE_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second'
/** Wait of a copy that has all there is, and must still wait for something else. */
const WAIT_MS = 100

/**
 * Moves replicas between the log directories of a broker (AlterReplicaLogDirs, KIP-113): a copy grows beside the log, and
 * when it has all of it, and as much of it durably, takes its place in one step. How a crash at any point leaves one
 * good log is said in docs/decisions/0012-several-log-directories.md.
 */
export class LogMoves {
  readonly #options: LogMovesOptions
  readonly #moves = new Map<string, Move>()
  #isClosed = false

  constructor(options: LogMovesOptions) {
    this.#options = options
  }

  /** The copies that grow in a directory. */
  futuresIn(directory: LogDirectory): readonly FutureLog[] {
    return [...this.#moves.values()]
      .map(({ future }) => future)
      .filter(({ target }) => target === directory)
  }

  /** Asks for the replica to be in the directory of this path; the errors are Kafka's. */
  alter(topic: string, partitionIndex: number, key: string, path: string): ErrorCode {
    const { directories, hosted, image } = this.#options
    if (isTooLongToMove(key)) return ErrorCode.INVALID_TOPIC_EXCEPTION
    const target = directories.byPath(path)
    if (target === null) return ErrorCode.LOG_DIR_NOT_FOUND
    if (!target.isOnline || hosted.isOffline(key)) return ErrorCode.KAFKA_STORAGE_ERROR
    const partition = hosted.get(key)
    if (partition === null) {
      // The replica that comes later is created there.
      hosted.placement.prefer(key, target)
      return image().partition(topic, partitionIndex) === null
        ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : ErrorCode.REPLICA_NOT_AVAILABLE
    }
    if (this.#moves.get(key)?.future.target === target) return ErrorCode.NONE
    this.cancel(key)
    if (hosted.directoryOf(partition) === target) return ErrorCode.NONE
    // The replica might have a copy in a directory that cannot be looked into.
    if (directories.hasOffline) return ErrorCode.KAFKA_STORAGE_ERROR
    this.#begin(partition, target)
    return ErrorCode.NONE
  }

  /** Moves that the last run has not ended begin anew. */
  resume(): void {
    const { directories, hosted } = this.#options
    if (directories.all.length === 1) return
    for (const directory of directories.online) {
      this.#guard(directory, () => {
        for (const folder of directory.disk.list('')) {
          const key = keyOfFuture(folder)
          if (key === null) continue
          directory.disk.remove(folder)
          const partition = hosted.get(key)
          if (partition === null || hosted.directoryOf(partition) === directory) continue
          if (!directories.hasOffline) this.#begin(partition, directory)
        }
      })
    }
  }

  /** The log, its end or its role has changed. */
  onChanged({ key }: Partition): void {
    const move = this.#moves.get(key)
    if (move !== undefined) this.#guard(move.future.target, () => move.future.truncated())
  }

  /** Ends the move; the replica stays where it is. */
  cancel(key: string): void {
    const move = this.#moves.get(key)
    if (move === undefined) return
    this.#forget(move)
    if (move.future.target.isOnline) move.future.discard()
  }

  /** The directory has failed: nothing moves there any more. */
  cancelIn(directory: LogDirectory): void {
    for (const { partition } of this.futuresIn(directory)) this.cancel(partition.key)
  }

  /** The copies stay; the next start begins them anew. */
  close(): void {
    this.#isClosed = true
    for (const move of this.#moves.values()) this.#forget(move)
  }

  #begin(partition: Partition, target: LogDirectory): void {
    const { clock, random, events } = this.#options
    this.#guard(target, () => {
      const folder = futureFolder(partition.key, random)
      const future = new FutureLog(partition, target, folder, clock)
      const move: Move = { future, timer: null, isFlushing: false }
      this.#moves.set(partition.key, move)
      const { topic, partition: index } = partition
      events.emit('replica.move-begun', { topic, partition: index, to: target.path })
      this.#after(move, 0)
    })
  }

  #after(move: Move, delayMs: number): void {
    if (this.#moves.get(move.future.partition.key) !== move || move.timer !== null) return
    move.timer = this.#options.clock.after(delayMs, 'replica.log-move', () => {
      move.timer = null
      if (!this.#isClosed) this.#options.step(() => this.#advance(move))
    })
  }

  #advance(move: Move): void {
    const { config, onStorageFailure, image, brokerId } = this.#options
    const { future } = move
    const { partition, target } = future
    this.#guard(target, () => {
      const rate = moveRateOf(image(), brokerId)
      const copied = future.copy(Math.min(config.int('replica.fetch.max.bytes'), rate), (read) => {
        try {
          return read()
        } catch (error) {
          if (!isStorageFailure(error)) throw error
          onStorageFailure(partition, error)
          return null
        }
      })
      if (!this.#isUnderWay(move)) return
      if (!future.isCaughtUp) {
        // All moves together keep to the limit.
        const pauseMs = (copied * this.#moves.size * 1000) / rate
        this.#after(move, copied === 0 ? WAIT_MS : pauseMs)
      } else if (!future.isAsDurable) this.#flush(move)
      else if (!this.#isSettled(partition)) this.#after(move, WAIT_MS)
      else this.#swap(move)
    })
  }

  #flush(move: Move): void {
    if (move.isFlushing) return
    move.isFlushing = true
    const { future } = move
    future.log.flush((code) => {
      this.#options.step(() => {
        move.isFlushing = false
        if (!this.#isUnderWay(move)) return
        if (code === null) return this.#advance(move)
        const error = new DiskError(code, `${future.folder} was not flushed`)
        this.#options.onDirectoryFailure(future.target, error)
      })
    })
  }

  /**
   * Copy and log are equal, and this step is all that happens. The note of where the log lies is put first, so that no
   * later checkpoint of it is durable without the note; then the log goes aside, then the copy takes its name.
   */
  #swap(move: Move): void {
    const { checkpoints, hosted, removals, onDirectoryFailure } = this.#options
    const { partition, target, folder, log } = move.future
    const { key } = partition
    const source = hosted.directoryOf(partition)
    const { latestEpoch, compactedTo } = partition.log
    if (log.latestEpoch < latestEpoch) log.startEpoch(latestEpoch, log.logEndOffset)
    log.close()
    this.#forget(move)
    checkpoints.writeMove(partition, {
      directoryId: target.id ?? '',
      folder,
      recoveryPoint: log.recoveryPoint,
      compactedTo,
    })
    let aside = key
    const sourceFailure = storageFailureOf(() => {
      partition.log.close()
      aside = removals.setAside(source, key)
    })
    const targetFailure = storageFailureOf(() => {
      target.disk.rename(folder, key)
      hosted.relocate(partition, target)
    })
    if (targetFailure !== null) {
      // What the note says holds: the replica is there, and offline.
      hosted.place(partition, target)
      onDirectoryFailure(target, targetFailure)
    } else this.#tellSwapped(partition, source, target)
    if (sourceFailure !== null) onDirectoryFailure(source, sourceFailure)
    if (targetFailure === null) this.#settle(partition, source, target, aside)
  }

  #tellSwapped({ topic, partition }: Partition, source: LogDirectory, target: LogDirectory): void {
    const fields = { topic, partition, from: source.path, to: target.path }
    this.#options.events.emit('replica.moved', fields)
  }

  /** Once all names are durable the old log is removed. */
  #settle(partition: Partition, source: LogDirectory, target: LogDirectory, aside: string): void {
    const { store, onMoved, image, removals, step } = this.#options
    let left = 3
    let isDurable = true
    const end = (isDone: boolean): void => {
      isDurable &&= isDone
      left -= 1
      if (left > 0) return
      step(() => {
        const state = image().partition(partition.topic, partition.partition)
        if (state?.topicId === partition.topicId) onMoved(partition.key, state)
        if (isDurable && source.isOnline) removals.removeLater(source, aside)
      })
    }
    store.sync((error) => end(error === null))
    target.disk.syncDirectory('', (code) => end(code === null))
    if (source.isOnline) source.disk.syncDirectory('', (code) => end(code === null))
    else end(false)
  }

  /** Whether the metadata has the replica where it is: only then may it lie somewhere else. */
  #isSettled({ key, topic, partition }: Partition): boolean {
    const { image, brokerId, hosted } = this.#options
    const state = image().partition(topic, partition)
    return state !== null && assignedDirectory(state, brokerId) === hosted.actualDirectory(key)
  }

  #isUnderWay(move: Move): boolean {
    const { partition } = move.future
    const { hosted } = this.#options
    return (
      !this.#isClosed &&
      this.#moves.get(partition.key) === move &&
      hosted.get(partition.key) === partition
    )
  }

  #forget(move: Move): void {
    if (move.timer !== null) this.#options.clock.cancel(move.timer)
    move.timer = null
    this.#moves.delete(move.future.partition.key)
  }

  /** What fails in `fn` is the directory. */
  #guard(directory: LogDirectory, fn: () => void): void {
    const failure = storageFailureOf(fn)
    if (failure !== null) this.#options.onDirectoryFailure(directory, failure)
  }
}

/** replica.alter.log.dirs.io.max.bytes.per.second, which only dynamic settings of brokers have; `Infinity`: no limit. */
function moveRateOf(image: MetadataImage, brokerId: BrokerId): number {
  const { configs } = image
  const text =
    configs.of(ResourceType.BROKER, String(brokerId)).get(MOVE_RATE) ??
    configs.of(ResourceType.BROKER, '').get(MOVE_RATE)
  const rate = Number(text)
  return rate > 0 ? rate : Infinity
}
