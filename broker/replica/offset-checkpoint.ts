import { CorruptionError } from '../../src/base/errors.ts'
import type { Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { readCheckpoint } from '../log/checkpoint-file.ts'

const ENTRY = /^(\S+) (\d+) (\d+)$/

/**
 * One of Kafka's files of `topic partition offset` lines, by `topic-partition`. A file that is damaged says nothing,
 * as in Kafka; `onIgnored` is told why.
 */
export function readOffsetCheckpoint(
  disk: Disk,
  path: string,
  onIgnored: (reason: string) => void,
): ReadonlyMap<string, Offset> {
  const offsets = new Map<string, Offset>()
  try {
    for (const line of readCheckpoint(disk, path) ?? []) {
      const [, topic, partition, offset] = ENTRY.exec(line) ?? []
      if (topic === undefined) throw new CorruptionError(`${path}: "${line}" is no entry`)
      offsets.set(topicPartitionKey(topic, Number(partition)), Number(offset))
    }
    return offsets
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    onIgnored(error.message)
    return new Map()
  }
}
