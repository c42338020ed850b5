import type { Config } from '../../src/base/config-def.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
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

/**
 * Logs that are wanted no longer: they are renamed at once, which frees their name, and removed after
 * log.segment.delete.delay.ms, as in Kafka. What an end of the node leaves of them goes at its next start.
 */
export class LogRemovals {
  readonly #options: LogRemovalsOptions
  readonly #timers = new Set<Timer>()

  constructor(options: LogRemovalsOptions) {
    this.#options = options
  }

  /** Gives the closed log of a partition another name, which is returned. Throws what the disk gives. */
  setAside({ disk }: LogDirectory, key: string): string {
    const folder = deletedFolder(key, this.#options.random)
    disk.rename(key, folder)
    return folder
  }

  /** The folder goes after the delay. */
  removeLater(directory: LogDirectory, folder: string): void {
    const { clock, config, step, onDirectoryFailure } = this.#options
    const delayMs = config.long('log.segment.delete.delay.ms')
    const timer = clock.after(delayMs, 'replica.log-removal', () => {
      this.#timers.delete(timer)
      step(() => {
        if (!directory.isOnline) return
        const failure = storageFailureOf(() => directory.disk.remove(folder))
        if (failure !== null) onDirectoryFailure(directory, failure)
      })
    })
    this.#timers.add(timer)
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
    for (const timer of this.#timers) this.#options.clock.cancel(timer)
    this.#timers.clear()
  }
}
