import type { DiskErrorCode } from '../../src/base/errors.ts'
import type { Disk, DiskFile, DiskSpace } from '../../src/ports/disk.ts'
import { DELETED_SUFFIX, parseSegmentFileName } from '../log/log-file-names.ts'

/**
 * The disk of a log whose files are not removed at once, as in Kafka: those of a segment get the ending `.deleted`, under
 * which a log that is opened takes no notice of them, and `removeLater` is told. For the log they are gone; a power cut
 * undoes the one as it would the other.
 */
export class DeferredRemovalDisk implements Disk {
  readonly #disk: Disk
  readonly #removeLater: (path: string) => void

  constructor(disk: Disk, removeLater: (path: string) => void) {
    this.#disk = disk
    this.#removeLater = removeLater
  }

  open(path: string): DiskFile {
    return this.#disk.open(path)
  }

  exists(path: string): boolean {
    return this.#disk.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#disk.list(directory)
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#disk.rename(from, to)
  }

  remove(path: string): void {
    const isOfSegment = parseSegmentFileName(path.slice(path.lastIndexOf('/') + 1)) !== null
    if (!isOfSegment || !this.#disk.exists(path)) return this.#disk.remove(path)
    const target = path + DELETED_SUFFIX
    this.#disk.rename(path, target)
    this.#removeLater(target)
  }

  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void {
    this.#disk.syncDirectory(directory, done)
  }

  space(): DiskSpace | null {
    return this.#disk.space()
  }
}
