import type { Config } from '../../src/base/config-def.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { Random } from '../../src/ports/random.ts'
import { DeferredRemovalDisk } from './deferred-removal-disk.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import { deletedFolder, isDeletedFolder } from './log-folders.ts'
import { storageFailureOf, type StorageFailure } from './storage-failure.ts'

export interface LogRemovalsOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly directories: LogDirectories
  /** Runs what comes from outside of a step as one. */
  readonly step: (fn: () => void) => void
  readonly onDirectoryFailure: (directory: LogDirectory, error: StorageFailure) => void
}

interface Waiting {
  readonly dueMs: number
  readonly directory: LogDirectory
  readonly path: string
}

/**
 * Logs, and files of them, that are wanted no longer: they are renamed at once, which frees their name, and removed after
 * log.segment.delete.delay.ms, as in Kafka. What an end of the node leaves of them goes at its next start.
 */
export class LogRemovals {
  readonly #options: LogRemovalsOptions
  /** Oldest first; the delay may change meanwhile, for those that come later. */
  readonly #waiting: Waiting[] = []
  #timer: Timer | null = null
  #isClosed = false

  constructor(options: LogRemovalsOptions) {
    this.#options = options
  }

  /** Gives the closed log of a partition another name, which is returned. Throws what the disk gives. */
  setAside({ disk }: LogDirectory, key: string): string {
    const folder = deletedFolder(key, this.#options.random)
    disk.rename(key, folder)
    return folder
  }

  /** The disk of the directory for logs whose files are removed after the delay, too. */
  diskFor(directory: LogDirectory): Disk {
    return new DeferredRemovalDisk(directory.disk, (path) => this.removeLater(directory, path))
  }

  /** The folder or file goes after the delay. */
  removeLater(directory: LogDirectory, path: string): void {
    const { clock, config } = this.#options
    const delayMs = config.long('log.segment.delete.delay.ms')
    this.#waiting.push({ dueMs: clock.monoMs() + delayMs, directory, path })
    this.#arm()
  }

  /**
   * To be called when all logs are open. While a directory is offline nothing goes: a log that was aside when its
   * copy took its place may be the only one that can be read.
   */
  removeLeftOvers(): void {
    const { directories, onDirectoryFailure } = this.#options
    if (directories.hasOffline) return
    for (const directory of directories.online) {
      const failure = storageFailureOf(() => {
        const { disk } = directory
        for (const folder of disk.list('')) if (isDeletedFolder(folder)) disk.remove(folder)
      })
      if (failure !== null) onDirectoryFailure(directory, failure)
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
    this.#timer = null
  }

  #arm(): void {
    const { clock, step } = this.#options
    const [next] = this.#waiting
    if (next === undefined || this.#timer !== null || this.#isClosed) return
    const delayMs = Math.max(0, next.dueMs - clock.monoMs())
    this.#timer = clock.after(delayMs, 'replica.log-removal', () => {
      this.#timer = null
      step(() => this.#removeDue())
      this.#arm()
    })
  }

  #removeDue(): void {
    const { clock, onDirectoryFailure } = this.#options
    const nowMs = clock.monoMs()
    const first = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs)
    const due = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first)
    for (const { directory, path } of due) {
      if (!directory.isOnline) continue
      const failure = storageFailureOf(() => directory.disk.remove(path))
      if (failure !== null) onDirectoryFailure(directory, failure)
    }
  }
}
