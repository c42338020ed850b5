import { CorruptionError } from '../../src/base/errors.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { parseSegmentFileName } from '../log/log-file-names.ts'
import { readPartitionMetadata } from '../log/partition-metadata.ts'
import { assignedDirectory, isPseudoDirectory } from '../metadata/directory-id.ts'
import type { PartitionState } from '../metadata/image.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import { isDeletedFolder, keyOfFuture } from './log-folders.ts'

export interface LogPlacementOptions {
  readonly brokerId: BrokerId
  readonly directories: LogDirectories
  readonly checkpoints: Checkpoints
  /** How many logs lie in a directory now. */
  readonly countIn: (directory: LogDirectory) => number
}

/** Where a log is or is to be. */
export interface Place {
  readonly directory: LogDirectory
  /** The log is there already. */
  readonly isThere: boolean
}

/** Of partitions that may never come. */
const MAX_PREFERRED = 10_000

/** Says in which log directory the log of a partition lies, and chooses one for a log that is new. */
export class LogPlacement {
  readonly #options: LogPlacementOptions
  /** What AlterReplicaLogDirs asked for before the partition was here. */
  readonly #preferred = new Map<string, LogDirectory>()

  constructor(options: LogPlacementOptions) {
    this.#options = options
  }

  /** A log of this partition that is created later goes to `directory` (KIP-113). */
  prefer(key: string, directory: LogDirectory): void {
    const [oldest] = this.#preferred.keys()
    if (this.#preferred.size >= MAX_PREFERRED && oldest !== undefined) {
      this.#preferred.delete(oldest)
    }
    this.#preferred.set(key, directory)
  }

  /**
   * Null: the log is in a directory that is offline, or may be. `mayBeHere` is false for a partition that has come to this
   * broker only now: its log is nowhere yet. Throws `CorruptionError` when two directories hold it and nothing says which is
   * right. Strays were set aside before.
   */
  placeOf(state: PartitionState, mayBeHere: boolean): Place | null {
    const { directories, brokerId } = this.#options
    const key = topicPartitionKey(state.topic, state.partition)
    const assigned = assignedDirectory(state, brokerId)
    const moved = this.#movedTo(key, state.topicId)
    if (moved !== undefined) return moved === null ? null : { directory: moved, isThere: true }
    const found = directories.online.filter(({ disk }) => disk.exists(key))
    if (found.length > 0) return this.#amongFound(key, found, assigned)
    const isUnknown = isPseudoDirectory(assigned)
    const isElsewhere = !isUnknown && directories.byId(assigned) === null
    if (directories.hasOffline && (isElsewhere || (mayBeHere && isUnknown))) return null
    const adopted = this.#adopt(key, state.topicId)
    if (adopted !== null) return { directory: adopted, isThere: true }
    const directory =
      this.#usable(this.#preferred.get(key)) ?? directories.byId(assigned) ?? this.#emptiest()
    this.#preferred.delete(key)
    return { directory, isThere: false }
  }

  /**
   * The directory of an older topic of the same name, deleted while this node was down, is set aside under
   * a `-stray` name; nothing of it may be taken for the new topic's data, checkpoints included. So is one that a power
   * cut has left without a topic id: it was never synced, since the id is before all else. Throws what the disk gives.
   */
  setStrayAside({ disk }: LogDirectory, key: string, topicId: Uuid): void {
    const { checkpoints, directories } = this.#options
    if (!disk.exists(key)) return
    const found = readPartitionMetadata(disk, key)
    if (found === topicId || (found === null && !this.#isUnsyncedLog(disk, key))) return
    const target = `${key}.${found ?? ZERO_UUID}-stray`
    disk.remove(target)
    disk.rename(key, target)
    const isGone = directories.online.every((each) => !each.disk.exists(key))
    if (isGone) checkpoints.forget(key)
  }

  /**
   * Where a move between directories has ended: null when it is offline, undefined when the log never moved or the
   * directory is gone. What the step of the swap had still to do is done.
   */
  #movedTo(key: string, topicId: Uuid): LogDirectory | null | undefined {
    const { directories, checkpoints } = this.#options
    const moved = checkpoints.movedTo(key, topicId)
    if (moved === null) return undefined
    const directory = directories.byId(moved.directoryId)
    if (directory === null) return directories.hasOffline ? null : undefined
    const { disk } = directory
    if (!disk.exists(key)) {
      if (!disk.exists(moved.folder)) return undefined
      disk.rename(moved.folder, key)
    }
    // An old copy, in a directory that was offline or that a power cut took back in time.
    for (const other of directories.online) if (other !== directory) other.disk.remove(key)
    return directory
  }

  /**
   * A process that died between the two renames of a swap has left the log aside and its copy, which has all of it, under
   * the name of a copy.
   */
  #adopt(key: string, topicId: Uuid): LogDirectory | null {
    const { directories } = this.#options
    if (directories.all.length === 1 || directories.hasOffline) return null
    const isAside = directories.online.some(({ disk }) =>
      disk.list('').some((name) => name.startsWith(`${key}.`) && isDeletedFolder(name)),
    )
    if (!isAside) return null
    for (const directory of directories.online) {
      const { disk } = directory
      for (const folder of disk.list('')) {
        if (keyOfFuture(folder) !== key || readPartitionMetadata(disk, folder) !== topicId) continue
        disk.rename(folder, key)
        return directory
      }
    }
    return null
  }

  /** A log that lies elsewhere than the metadata says, while that directory is offline, is an old copy. */
  #amongFound(key: string, found: readonly LogDirectory[], assigned: Uuid): Place | null {
    const { directories } = this.#options
    const right = found.find(({ id }) => id === assigned)
    if (right !== undefined) return { directory: right, isThere: true }
    const [only, another] = found
    if (another !== undefined) {
      throw new CorruptionError(
        `Duplicate log directories for ${key} are found in both ${only?.path} and ${another.path}`,
      )
    }
    const isElsewhere = !isPseudoDirectory(assigned) && directories.byId(assigned) === null
    if (only === undefined || (directories.hasOffline && isElsewhere)) return null
    return { directory: only, isThere: true }
  }

  #usable(directory: LogDirectory | undefined): LogDirectory | null {
    return directory?.isOnline === true ? directory : null
  }

  /** Kafka's rule: the directory with the fewest logs, of several the first of `log.dirs`. */
  #emptiest(): LogDirectory {
    const { directories, countIn } = this.#options
    const [first, ...others] = directories.online
    if (first === undefined) throw new CorruptionError('no log directory is online')
    let best = first
    for (const directory of others) if (countIn(directory) < countIn(best)) best = directory
    return best
  }

  #isUnsyncedLog(disk: Disk, key: string): boolean {
    if (this.#options.checkpoints.recoveryPoint(key) > 0) return false
    return disk.list(key).some((name) => parseSegmentFileName(name)?.kind === 'log')
  }
}
