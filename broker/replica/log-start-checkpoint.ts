import type { DiskErrorCode } from '../../src/base/errors.ts'
import type { Offset } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { writeCheckpoint } from '../log/checkpoint-file.ts'
import { readOffsetCheckpoint } from './offset-checkpoint.ts'
import type { Partition } from './partition.ts'

const FILE = 'log-start-offset-checkpoint'

/**
 * Kafka's `log-start-offset-checkpoint` of one log directory: where logs begin for readers after DeleteRecords, for
 * those that begin inside of a segment; all others begin where their first segment does. It is there for Apache's
 * tools and for data directories that Apache Kafka wrote; a file that is damaged says nothing, as in Kafka.
 */
export class LogStartCheckpoint {
  readonly #disk: Disk
  #offsets: ReadonlyMap<string, Offset>

  constructor(disk: Disk, events: EventSink) {
    this.#disk = disk
    this.#offsets = readOffsetCheckpoint(disk, FILE, (reason) => {
      events.emit('log-start-checkpoint.ignored', { reason })
    })
  }

  /** 0 when the log begins with its first segment. */
  offset(key: string): Offset {
    return this.#offsets.get(key) ?? 0
  }

  /** Replaces the file when it has to say something else. True when it was written; `sync` makes it durable. */
  write(partitions: Iterable<Partition>): boolean {
    const offsets = new Map<string, Offset>()
    const entries: string[] = []
    for (const { key, topic, partition, log } of partitions) {
      const { logStartOffset } = log
      if (logStartOffset === 0 || logStartOffset <= (log.segmentBaseOffsets[0] ?? 0)) continue
      offsets.set(key, logStartOffset)
      entries.push(`${topic} ${partition} ${logStartOffset}`)
    }
    if (isSame(offsets, this.#offsets)) return false
    writeCheckpoint(this.#disk, FILE, entries)
    this.#offsets = offsets
    return true
  }

  sync(done: (error: DiskErrorCode | null) => void): void {
    const file = this.#disk.open(FILE)
    file.fsync((error) => {
      file.close()
      if (error === null) this.#disk.syncDirectory('', done)
      else done(error)
    })
  }
}

function isSame(left: ReadonlyMap<string, Offset>, right: ReadonlyMap<string, Offset>): boolean {
  if (left.size !== right.size) return false
  for (const [key, offset] of left) if (right.get(key) !== offset) return false
  return true
}
