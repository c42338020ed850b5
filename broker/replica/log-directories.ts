import { present } from '../../src/base/assert.ts'
import { messageOf } from '../../src/base/errors.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Disk, DiskSpace } from '../../src/ports/disk.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { CleanerCheckpoint } from './cleaner-checkpoint.ts'
import { LogStartCheckpoint } from './log-start-checkpoint.ts'
import { isStorageFailure } from './storage-failure.ts'

/** One of `log.dirs` as the node found it at its start. */
export interface OpenedDirectory {
  readonly path: string
  /** Null when it could not be read, so that its id is not known. */
  readonly opened: {
    readonly id: Uuid
    readonly disk: Disk
    /** The last run ended in order and flushed what is here: nothing beyond recovery points needs a scan. */
    readonly isCleanStart: boolean
  } | null
}

/** What a directory has while it can be used. */
interface DirectoryFiles {
  readonly disk: Disk
  readonly logStarts: LogStartCheckpoint
  readonly cleanerOffsets: CleanerCheckpoint
}

/** One log directory of a broker (KIP-112). Once it has failed it stays offline until the broker starts again. */
export class LogDirectory {
  readonly path: string
  /** Null when it could not be read at the start. */
  readonly id: Uuid | null
  readonly isCleanStart: boolean
  #files: DirectoryFiles | null = null

  constructor({ path, opened }: OpenedDirectory, events: EventSink) {
    this.path = path
    this.id = opened?.id ?? null
    this.isCleanStart = opened?.isCleanStart ?? false
    if (opened === null) return
    const { disk } = opened
    this.#files = {
      disk,
      logStarts: new LogStartCheckpoint(disk, events),
      cleanerOffsets: new CleanerCheckpoint(disk, events),
    }
  }

  get isOnline(): boolean {
    return this.#files !== null
  }

  /** To be asked for only while the directory is online, as the checkpoints below. */
  get disk(): Disk {
    return this.#present().disk
  }

  get logStarts(): LogStartCheckpoint {
    return this.#present().logStarts
  }

  get cleanerOffsets(): CleanerCheckpoint {
    return this.#present().cleanerOffsets
  }

  /** The volume; null when it is offline or cannot tell. */
  get space(): DiskSpace | null {
    return this.#files?.disk.space() ?? null
  }

  goOffline(): void {
    this.#files = null
  }

  #present(): DirectoryFiles {
    return present(this.#files, `the log directory ${this.path}, which is offline,`)
  }
}

/** The log directories of one broker, in the order of `log.dirs`. */
export class LogDirectories {
  readonly all: readonly LogDirectory[]

  /** Throws what the disk gives when no directory can be used. */
  constructor(opened: readonly OpenedDirectory[], events: EventSink) {
    const failures: unknown[] = []
    this.all = opened.map((each) => {
      try {
        return new LogDirectory(each, events)
      } catch (error) {
        if (!isStorageFailure(error)) throw error
        failures.push(error)
        events.emit('log-directory.offline', { path: each.path, error: messageOf(error) })
        return new LogDirectory({ path: each.path, opened: null }, events)
      }
    })
    if (failures.length > 0 && this.online.length === 0) throw failures[0]
  }

  get online(): readonly LogDirectory[] {
    return this.all.filter(({ isOnline }) => isOnline)
  }

  get hasOffline(): boolean {
    return this.all.some(({ isOnline }) => !isOnline)
  }

  byPath(path: string): LogDirectory | null {
    return this.all.find((each) => each.path === path) ?? null
  }

  /** Of those that are online. */
  byId(id: Uuid): LogDirectory | null {
    return this.online.find((each) => each.id === id) ?? null
  }
}
