import type { DiskErrorCode } from '../base/errors.ts'
import type { Disk, DiskFile } from '../ports/disk.ts'

/**
 * A folder of a disk as a disk of its own: the further log directories of a simulated node, whose disk tears and loses all
 * of them together in a power cut and can fail each alone (`SimDisk.failFolder`).
 */
export class FolderDisk implements Disk {
  readonly #disk: Disk
  readonly #folder: string

  constructor(disk: Disk, folder: string) {
    this.#disk = disk
    this.#folder = folder
  }

  open(path: string): DiskFile {
    return this.#disk.open(this.#path(path))
  }

  exists(path: string): boolean {
    return this.#disk.exists(this.#path(path))
  }

  list(directory: string): readonly string[] {
    return this.#disk.list(this.#path(directory))
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(this.#path(path))
  }

  rename(from: string, to: string): void {
    this.#disk.rename(this.#path(from), this.#path(to))
  }

  remove(path: string): void {
    this.#disk.remove(this.#path(path))
  }

  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void {
    this.#disk.syncDirectory(this.#path(directory), done)
  }

  space(): null {
    return null
  }

  #path(path: string): string {
    return path === '' ? this.#folder : `${this.#folder}/${path}`
  }
}
