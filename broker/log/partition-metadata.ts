import { CorruptionError } from '../../src/base/errors.ts'
import { isUuid, type Uuid } from '../../src/base/uuid.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { readFile, replaceFile } from './checkpoint-file.ts'
import { PARTITION_METADATA_FILE } from './log-file-names.ts'

const FORMAT = /^version: (\d+)\ntopic_id: (\S+)\n?$/

/**
 * The topic id a partition directory belongs to; null when the file is missing or torn by a power
 * cut before its first sync. Throws `CorruptionError` on another version.
 */
export function readPartitionMetadata(disk: Disk, directory: string): Uuid | null {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  const parts = FORMAT.exec(readFile(disk, path)?.toString('utf8') ?? '')
  if (parts === null) return null
  const [, version, topicId = ''] = parts
  if (version !== '0') throw new CorruptionError(`${path}: expected version 0, found ${version}`)
  return isUuid(topicId) ? topicId : null
}

/** Writes `partition.metadata` as Kafka does, without a newline at the end, and returns its path. */
export function writePartitionMetadata(disk: Disk, directory: string, topicId: Uuid): string {
  const text = `version: 0\ntopic_id: ${topicId}`
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  replaceFile(disk, path, Buffer.from(text))
  return path
}
