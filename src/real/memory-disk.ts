import { assert } from '../base/assert.ts'
import { ChunkedBytes, totalBytes } from '../base/chunked-bytes.ts'
import { DiskError, type DiskErrorCode } from '../base/errors.ts'
import { FileTree } from '../base/file-tree.ts'
import type { Disk, DiskFile } from '../ports/disk.ts'

export interface MemoryDiskOptions {
  /** Runs `fn` soon, never at once; `setImmediate` unless given. */
  readonly defer?: (fn: () => void) => void
  /** All files together; an append beyond it fails with ENOSPC. Unlimited unless given. */
  readonly capacityBytes?: number
}

/**
 * A disk in memory: the storage of embedded clusters. It belongs to the cluster, not to a broker, so a
 * broker that is killed finds its files again, as after a SIGKILL with the page cache kept.
 */
export class MemoryDisk implements Disk {
  /** May be changed at any time. */
  capacityBytes: number
  readonly #tree = new FileTree(() => new ChunkedBytes())
  readonly #defer: (fn: () => void) => void

  constructor(options: MemoryDiskOptions = {}) {
    this.#defer = options.defer ?? setImmediate
    this.capacityBytes = options.capacityBytes ?? Infinity
  }

  open(path: string): DiskFile {
    return new MemoryFile(this, path, this.#tree.open(path), this.#defer)
  }

  exists(path: string): boolean {
    return this.#tree.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#tree.list(directory)
  }

  makeDirectory(path: string): void {
    this.#tree.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#tree.rename(from, to)
  }

  remove(path: string): void {
    this.#tree.remove(path)
  }

  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void {
    const error = this.#tree.isDirectory(directory) ? null : 'ENOENT'
    this.#defer(() => done(error))
  }

  space(): null {
    return null
  }

  /** Bytes in all files. */
  usedBytes(): number {
    let used = 0
    for (const [, bytes] of this.#tree.files()) used += bytes.size
    return used
  }

  hasRoomFor(bytes: number): boolean {
    return this.capacityBytes === Infinity || this.usedBytes() + bytes <= this.capacityBytes
  }
}

class MemoryFile implements DiskFile {
  readonly path: string
  readonly #disk: MemoryDisk
  readonly #bytes: ChunkedBytes
  readonly #defer: (fn: () => void) => void
  #isClosed = false

  constructor(
    disk: MemoryDisk,
    path: string,
    bytes: ChunkedBytes,
    defer: (fn: () => void) => void,
  ) {
    this.path = path
    this.#disk = disk
    this.#bytes = bytes
    this.#defer = defer
  }

  size(): number {
    return this.#open().size
  }

  append(chunks: readonly Uint8Array[]): number {
    const bytes = this.#open()
    if (!this.#disk.hasRoomFor(totalBytes(chunks))) {
      throw new DiskError('ENOSPC', `${this.path}: the memory disk is full`)
    }
    return bytes.append(chunks)
  }

  read(position: number, length: number): Buffer {
    return this.#open().read(position, length)
  }

  truncate(size: number): void {
    const bytes = this.#open()
    assert(size >= 0 && size <= bytes.size, `${this.path}: truncate to ${size} of ${bytes.size}`)
    bytes.truncate(size)
  }

  fsync(done: (error: DiskErrorCode | null) => void): void {
    this.#open()
    this.#defer(() => done(null))
  }

  close(): void {
    this.#isClosed = true
  }

  #open(): ChunkedBytes {
    if (this.#isClosed) throw new DiskError('EBADF', `${this.path} is closed`)
    return this.#bytes
  }
}
