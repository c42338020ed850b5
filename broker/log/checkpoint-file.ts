import { CorruptionError } from '../../src/base/errors.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { TEMPORARY_SUFFIX } from './log-file-names.ts'

const VERSION = '0'

/**
 * Replaces a small file as a whole: written beside it, then renamed over it. Not yet durable: the
 * caller syncs it. Until then a power cut may leave the old file or a torn one, so every format
 * that goes through here shows when it is cut short.
 */
export function replaceFile(disk: Disk, path: string, bytes: Buffer): void {
  const temporary = path + TEMPORARY_SUFFIX
  disk.remove(temporary)
  const file = disk.open(temporary)
  try {
    file.append([bytes])
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
}

/** All bytes of a file, or null when there is none. */
export function readFile(disk: Disk, path: string): Buffer | null {
  if (!disk.exists(path)) return null
  const file = disk.open(path)
  try {
    return file.read(0, file.size())
  } finally {
    file.close()
  }
}

/**
 * Writes Kafka's checkpoint format: a line with version 0, a line with the count, a line for each
 * entry.
 */
export function writeCheckpoint(disk: Disk, path: string, entries: readonly string[]): void {
  const lines = [VERSION, String(entries.length), ...entries]
  replaceFile(disk, path, Buffer.from(`${lines.join('\n')}\n`))
}

/**
 * The entry lines of a checkpoint. Null when there is none: the file is missing, or empty as Kafka makes
 * it at first and as a power cut may leave it. Throws `CorruptionError` on another version, a wrong count
 * or a last line that does not end.
 */
export function readCheckpoint(disk: Disk, path: string): readonly string[] | null {
  const bytes = readFile(disk, path)
  if (bytes === null || bytes.length === 0) return null
  const lines = bytes.toString('utf8').split('\n')
  if (lines.pop() !== '') throw new CorruptionError(`${path}: the last line is cut short`)
  const [version, count, ...entries] = lines
  if (version !== VERSION) {
    throw new CorruptionError(`${path}: expected version ${VERSION}, found ${version}`)
  }
  if (count !== String(entries.length)) {
    throw new CorruptionError(`${path}: expected ${count} entries, found ${entries.length}`)
  }
  return entries
}
