import { DiskError } from '../../src/base/errors.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import type { Partition } from './partition.ts'
import { isStorageFailure } from './storage-failure.ts'

/** Keeps the log-start-offset-checkpoint of every log directory that is online. */
export class LogStartFiles {
  readonly #directories: LogDirectories
  #isClosed = false
  readonly #partitionsIn: (directory: LogDirectory) => readonly Partition[]

  constructor(
    directories: LogDirectories,
    partitionsIn: (directory: LogDirectory) => readonly Partition[],
  ) {
    this.#directories = directories
    this.#partitionsIn = partitionsIn
  }

  /** Throws what the disk gives. */
  write(): void {
    for (const directory of this.#directories.online) {
      directory.logStarts.write(this.#partitionsIn(directory))
    }
  }

  /** From now on only `write` does anything. */
  close(): void {
    this.#isClosed = true
  }

  /** `done` is called later, with the first error, unless there is nothing to write. */
  writeAndSync(done: (error: Error | null) => void): void {
    if (this.#isClosed) return done(null)
    let firstError: Error | null = null
    let waiting = 1
    const end = (error: Error | null): void => {
      firstError ??= error
      waiting -= 1
      if (waiting === 0) done(firstError)
    }
    for (const directory of this.#directories.online) {
      try {
        const { logStarts } = directory
        if (!logStarts.write(this.#partitionsIn(directory))) continue
        waiting += 1
        logStarts.sync((code) => {
          end(code === null ? null : new DiskError(code, 'the log starts were not synced'))
        })
      } catch (error) {
        if (!isStorageFailure(error)) throw error
        firstError ??= error
      }
    }
    end(null)
  }
}
