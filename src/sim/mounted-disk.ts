import { assert } from '../base/assert.ts'
import { DiskError, type DiskErrorCode } from '../base/errors.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { Disk, DiskFile } from '../ports/disk.ts'
import type { DiskOperation, SimDisk } from './sim-disk.ts'
import type { SimFile } from './sim-file.ts'
import type { SimProcessor } from './sim-processor.ts'

/** A simulated disk as one life of its node uses it. */
export class MountedDisk implements Disk {
  readonly #disk: SimDisk
  readonly #lifetime: Lifetime
  readonly #processor: SimProcessor

  constructor(disk: SimDisk, lifetime: Lifetime, processor: SimProcessor) {
    this.#disk = disk
    this.#lifetime = lifetime
    this.#processor = processor
  }

  open(path: string): DiskFile {
    this.#begin('open', path)
    const file = this.#disk.changeNames(() => this.#disk.tree.open(path))
    return new OpenSimFile(this.#disk, this.#lifetime, this.#processor, path, file)
  }

  exists(path: string): boolean {
    return this.#disk.tree.exists(path)
  }

  list(directory: string): readonly string[] {
    throwIfFailed(this.#disk, directory)
    return this.#disk.tree.list(directory)
  }

  makeDirectory(path: string): void {
    this.#begin('make-directory', path)
    this.#disk.changeNames(() => this.#disk.tree.makeDirectory(path))
  }

  rename(from: string, to: string): void {
    this.#begin('rename', from)
    this.#disk.changeNames(() => this.#disk.tree.rename(from, to))
  }

  remove(path: string): void {
    this.#begin('remove', path)
    this.#disk.changeNames(() => this.#disk.tree.remove(path))
  }

  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void {
    assertAlive(this.#lifetime, directory)
    this.#disk.syncNames(directory, 'disk.sync-directory', (error) => {
      this.#processor.deliver(this.#lifetime, 'completion', () => done(error))
    })
  }

  space(): null {
    return null
  }

  #begin(operation: DiskOperation, path: string): void {
    assertAlive(this.#lifetime, path)
    throwFault(this.#disk, operation, path)
  }
}

class OpenSimFile implements DiskFile {
  readonly path: string
  readonly #disk: SimDisk
  readonly #lifetime: Lifetime
  readonly #processor: SimProcessor
  readonly #file: SimFile
  #isClosed = false

  constructor(
    disk: SimDisk,
    lifetime: Lifetime,
    processor: SimProcessor,
    path: string,
    file: SimFile,
  ) {
    this.#disk = disk
    this.#lifetime = lifetime
    this.#processor = processor
    this.path = path
    this.#file = file
  }

  size(): number {
    this.#assertOpen()
    return this.#file.size
  }

  append(chunks: readonly Uint8Array[]): number {
    this.#begin('append')
    const position = this.#disk.append(this.path, this.#file, chunks)
    if (this.#file.size > position) this.#disk.countOperation()
    return position
  }

  read(position: number, length: number): Buffer {
    this.#begin('read')
    return this.#file.read(position, length)
  }

  truncate(size: number): void {
    this.#begin('truncate')
    const { size: before } = this.#file
    assert(size >= 0 && size <= before, `${this.path}: truncate to ${size} of ${before}`)
    this.#file.truncate(size)
    if (size < before) this.#disk.countOperation()
  }

  // The disk finishes what it was asked for also when the process is paused or dead; only a power cut ends it.
  fsync(done: (error: DiskErrorCode | null) => void): void {
    this.#assertOpen()
    const mark = this.#file.operationCount
    const error = this.#disk.isFailed(this.path) ? 'EIO' : this.#disk.takeFault('fsync')
    this.#disk.afterFsyncLatency('disk.fsync', () => {
      if (error !== null || !this.#disk.isLying) this.#file.settle(mark, error === null)
      this.#disk.countOperation()
      this.#processor.deliver(this.#lifetime, 'completion', () => done(error))
    })
  }

  close(): void {
    this.#isClosed = true
  }

  #begin(operation: DiskOperation): void {
    this.#assertOpen()
    throwFault(this.#disk, operation, this.path)
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new DiskError('EBADF', `${this.path} is closed`)
    assertAlive(this.#lifetime, this.path)
  }
}

function assertAlive(lifetime: Lifetime, path: string): void {
  if (!lifetime.isAlive) throw new DiskError('EBADF', `${path}: its node has crashed`)
}

function throwIfFailed(disk: SimDisk, path: string): void {
  if (disk.isFailed(path)) throw new DiskError('EIO', `${path}: its folder has failed`)
}

function throwFault(disk: SimDisk, operation: DiskOperation, path: string): void {
  throwIfFailed(disk, path)
  const code = disk.takeFault(operation)
  if (code !== null) throw new DiskError(code, `${path}: ${operation} failed by a planted fault`)
}
