import type { DiskErrorCode } from '../../src/base/errors.ts'
import type { Offset } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { SegmentList } from './segment-list.ts'
import type { Segment } from './segment.ts'

export type FlushDone = (error: DiskErrorCode | null) => void

interface Flush {
  /** All below is durable when it ends well. */
  upTo: Offset
  waiting: number
  error: DiskErrorCode | null
  readonly done: FlushDone
}

export interface LogFlusherOptions {
  readonly disk: Disk
  readonly directory: string
  readonly recoveryPoint: Offset
  readonly onFailure: (error: DiskErrorCode) => void
}

/**
 * Makes a log durable. Of the active segment only the log is synced: after an unclean stop its
 * indexes are made anew in any case. A sync that fails is final, since the pages it was about may
 * be gone although a second sync would succeed: the log takes nothing more until it is opened
 * again.
 */
export class LogFlusher {
  readonly #options: LogFlusherOptions
  /** Oldest first. What one syncs the next leaves out, so they end in order. */
  #running: Flush[] = []
  #recoveryPoint: Offset
  #failure: DiskErrorCode | null = null
  #isDirectoryDirty = true
  /** Paths of small files that were replaced since the last flush. */
  readonly #replaced = new Set<string>()

  constructor(options: LogFlusherOptions) {
    this.#options = options
    this.#recoveryPoint = options.recoveryPoint
  }

  /** Everything below was synced. */
  get recoveryPoint(): Offset {
    return this.#recoveryPoint
  }

  /** What is synced when the flushes that run have ended. */
  get requestedTo(): Offset {
    return this.#running.at(-1)?.upTo ?? 0
  }

  /** Why nothing may be appended any more. */
  get failure(): DiskErrorCode | null {
    return this.#failure
  }

  /** Files were made, replaced or removed. */
  directoryChanged(): void {
    this.#isDirectoryDirty = true
  }

  /** A small file was replaced: it is durable before the recovery point moves on. */
  fileReplaced(path: string): void {
    this.#replaced.add(path)
    this.#isDirectoryDirty = true
  }

  /** The log is in a state that only opening it again can mend. */
  fail(error: DiskErrorCode): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#options.onFailure(error)
  }

  /** Offsets from `end` on are gone; a sync that runs says nothing about what takes their place. */
  truncated(end: Offset): void {
    this.#recoveryPoint = Math.min(this.#recoveryPoint, end)
    for (const flush of this.#running) flush.upTo = Math.min(flush.upTo, end)
  }

  /** Syncs what was written so far; `done` is called later, once. */
  flush(segments: SegmentList, epochs: LeaderEpochs, done: FlushDone): void {
    const { active } = segments
    const flush: Flush = { upTo: active.endOffset, waiting: 1, error: this.#failure, done }
    this.#running.push(flush)
    for (const segment of segments.all) {
      // The active one always: its answer is what makes `done` come later.
      if (segment.isDirty || segment === active) this.#syncSegment(segment, active, flush)
    }
    if (epochs.isDirty) this.fileReplaced(epochs.path)
    epochs.isDirty = false
    for (const path of this.#replaced) this.#syncFile(path, flush)
    this.#replaced.clear()
    if (this.#isDirectoryDirty) {
      this.#isDirectoryDirty = false
      flush.waiting += 1
      this.#options.disk.syncDirectory(this.#options.directory, (error) => {
        this.#synced(flush, error)
      })
    }
    flush.waiting -= 1
  }

  #syncSegment(segment: Segment, active: Segment, flush: Flush): void {
    segment.isDirty = false
    for (const file of segment.filesToSync(segment === active)) {
      flush.waiting += 1
      // A segment that was removed in the meantime needs no sync.
      file.fsync((error) => this.#synced(flush, segment.isClosed ? null : error))
    }
  }

  #syncFile(path: string, flush: Flush): void {
    flush.waiting += 1
    const file = this.#options.disk.open(path)
    file.fsync((error) => {
      file.close()
      this.#synced(flush, error)
    })
  }

  #synced(flush: Flush, error: DiskErrorCode | null): void {
    flush.error ??= error
    flush.waiting -= 1
    while (this.#running[0]?.waiting === 0) {
      const ended = this.#running.shift()
      if (ended !== undefined) this.#end(ended)
    }
  }

  #end(flush: Flush): void {
    const error = this.#failure ?? flush.error
    if (error === null) this.#recoveryPoint = Math.max(this.#recoveryPoint, flush.upTo)
    else this.fail(error)
    flush.done(error)
  }
}
