import type { Offset } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { writeCheckpoint } from '../log/checkpoint-file.ts'
import { readOffsetCheckpoint } from './offset-checkpoint.ts'
import type { Partition } from './partition.ts'

const FILE = 'cleaner-offset-checkpoint'

/**
 * Kafka's `cleaner-offset-checkpoint` of one log directory: the first dirty offset of every log that was compacted. The
 * node's store is what this broker goes by; the file is there for Apache's tools, and for data directories that
 * Apache Kafka wrote. It need not be synced: without it all is compacted once more.
 */
export class CleanerCheckpoint {
  readonly #disk: Disk
  readonly #offsets: ReadonlyMap<string, Offset>

  constructor(disk: Disk, events: EventSink) {
    this.#disk = disk
    this.#offsets = readOffsetCheckpoint(disk, FILE, (reason) => {
      events.emit('cleaner-checkpoint.ignored', { reason })
    })
  }

  /** As it was at the start; 0 when the log was not in the file. */
  offset(key: string): Offset {
    return this.#offsets.get(key) ?? 0
  }

  write(partitions: Iterable<Partition>): void {
    const entries: string[] = []
    for (const { topic, partition, log } of partitions) {
      if (log.cleanedTo > 0) entries.push(`${topic} ${partition} ${log.cleanedTo}`)
    }
    writeCheckpoint(this.#disk, FILE, entries)
  }
}
