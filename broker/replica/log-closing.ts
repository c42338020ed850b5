import { DiskError } from '../../src/base/errors.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Partition } from './partition.ts'
import { isStorageFailure } from './storage-failure.ts'

export interface LogClosing {
  readonly partitions: readonly Partition[]
  readonly checkpoints: Checkpoints
  readonly store: Store
  /** Kafka's checkpoint files; called when all is flushed, before the logs are closed. */
  readonly writeFiles: () => void
}

/**
 * Flushes logs, writes and syncs their checkpoints, closes their files; then `done`, with the first thing that the disk or
 * the store refused.
 */
export function closeLogs(closing: LogClosing, done: (error: Error | null) => void): void {
  const { partitions, checkpoints, store, writeFiles } = closing
  let firstError: Error | null = null
  let left = partitions.length
  const finish = (): void => {
    checkpoints.write(partitions)
    const closings = [writeFiles, ...partitions.map((partition) => () => partition.log.close())]
    for (const close of closings) {
      try {
        close()
      } catch (error) {
        if (!isStorageFailure(error)) throw error
        firstError ??= error
      }
    }
    store.sync((error) => done(firstError ?? error))
  }
  if (left === 0) return finish()
  for (const { log, key } of partitions) {
    log.flush((code) => {
      if (code !== null) firstError ??= new DiskError(code, `the log of ${key} was not flushed`)
      left -= 1
      if (left === 0) finish()
    })
  }
}
