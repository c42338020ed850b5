import { assert } from '../base/assert.ts'
import { totalBytes } from '../base/chunked-bytes.ts'
import { DiskError, type DiskErrorCode } from '../base/errors.ts'
import { FileTree } from '../base/file-tree.ts'
import type { Disk, DiskFile } from '../ports/disk.ts'
import type { Lifetime } from '../base/lifetime.ts'
import { drawLatencyUs, type Latency } from './latency.ts'
import type { Scheduler } from './scheduler.ts'
import { SimFile } from './sim-file.ts'
import type { SimRandom } from './sim-random.ts'

export type DiskOperation =
  | 'open'
  | 'append'
  | 'read'
  | 'truncate'
  | 'fsync'
  | 'rename'
  | 'remove'
  | 'make-directory'
  | 'sync-directory'

export interface SimDiskOptions {
  readonly scheduler: Scheduler
  readonly random: SimRandom
  readonly fsyncLatency: Latency
}

/** A file that came out of a power cut other than it went in. */
export interface LostTail {
  readonly path: string
  readonly lostBytes: number
}

/**
 * The disk of a simulated node; it outlives the node's crashes. Names are durable at once (a journal of
 * the name space belongs here); bytes are durable after an fsync.
 */
export class SimDisk {
  /** All files together; an append beyond it fails with ENOSPC. May be changed at any time. */
  capacityBytes = Infinity
  readonly tree = new FileTree(() => new SimFile())
  readonly #options: SimDiskOptions
  readonly #faults = new Map<DiskOperation, DiskErrorCode[]>()

  constructor(options: SimDiskOptions) {
    this.#options = options
  }

  /** The disk as one life of the node uses it. */
  mount(lifetime: Lifetime): Disk {
    return new MountedDisk(this, lifetime)
  }

  /** The next operation of this kind fails with `code`; further calls queue up. */
  failNext(operation: DiskOperation, code: DiskErrorCode): void {
    const codes = this.#faults.get(operation) ?? []
    codes.push(code)
    this.#faults.set(operation, codes)
  }

  /** What `failNext` has set for this operation; it is used up by the question. */
  takeFault(operation: DiskOperation): DiskErrorCode | null {
    return this.#faults.get(operation)?.shift() ?? null
  }

  /** The node died. With its process only, all written bytes stay; with its power, unsynced ones may go. */
  crash(losesUnsynced: boolean): readonly LostTail[] {
    this.#faults.clear()
    if (!losesUnsynced) return []
    const lost: LostTail[] = []
    for (const [path, file] of this.tree.files()) {
      const lostBytes = file.cutPower(this.#options.random)
      if (lostBytes !== 0) lost.push({ path, lostBytes })
    }
    return lost
  }

  usedBytes(): number {
    let used = 0
    for (const [, file] of this.tree.files()) used += file.size
    return used
  }

  /** Runs `fn` after the time that an fsync takes. */
  afterFsyncLatency(tag: string, fn: () => void): void {
    const { scheduler, random, fsyncLatency } = this.#options
    scheduler.after(drawLatencyUs(fsyncLatency, random), tag, fn)
  }
}

class MountedDisk implements Disk {
  readonly #disk: SimDisk
  readonly #lifetime: Lifetime

  constructor(disk: SimDisk, lifetime: Lifetime) {
    this.#disk = disk
    this.#lifetime = lifetime
  }

  open(path: string): DiskFile {
    this.#begin('open', path)
    return new OpenSimFile(this.#disk, this.#lifetime, path, this.#disk.tree.open(path))
  }

  exists(path: string): boolean {
    return this.#disk.tree.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#disk.tree.list(directory)
  }

  makeDirectory(path: string): void {
    this.#begin('make-directory', path)
    this.#disk.tree.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#begin('rename', from)
    this.#disk.tree.rename(from, to)
  }

  remove(path: string): void {
    this.#begin('remove', path)
    this.#disk.tree.remove(path)
  }

  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void {
    assertAlive(this.#lifetime, directory)
    const fault = this.#disk.takeFault('sync-directory')
    const error = fault ?? (this.#disk.tree.isDirectory(directory) ? null : 'ENOENT')
    this.#disk.afterFsyncLatency('disk.sync-directory', () => {
      this.#lifetime.run(() => done(error))
    })
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
  readonly #file: SimFile
  #isClosed = false

  constructor(disk: SimDisk, lifetime: Lifetime, path: string, file: SimFile) {
    this.#disk = disk
    this.#lifetime = lifetime
    this.path = path
    this.#file = file
  }

  size(): number {
    this.#assertOpen()
    return this.#file.size
  }

  append(chunks: readonly Uint8Array[]): number {
    this.#begin('append')
    const { capacityBytes } = this.#disk
    if (capacityBytes !== Infinity && this.#disk.usedBytes() + totalBytes(chunks) > capacityBytes) {
      throw new DiskError('ENOSPC', `${this.path}: the simulated disk is full`)
    }
    return this.#file.append(chunks)
  }

  read(position: number, length: number): Buffer {
    this.#begin('read')
    return this.#file.read(position, length)
  }

  truncate(size: number): void {
    this.#begin('truncate')
    assert(
      size >= 0 && size <= this.#file.size,
      `${this.path}: truncate to ${size} of ${this.#file.size}`,
    )
    this.#file.truncate(size)
  }

  fsync(done: (error: DiskErrorCode | null) => void): void {
    this.#assertOpen()
    const mark = this.#file.operationCount
    const error = this.#disk.takeFault('fsync')
    this.#disk.afterFsyncLatency('disk.fsync', () => {
      this.#lifetime.run(() => {
        this.#file.settle(mark, error === null)
        done(error)
      })
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

function throwFault(disk: SimDisk, operation: DiskOperation, path: string): void {
  const code = disk.takeFault(operation)
  if (code !== null) throw new DiskError(code, `${path}: ${operation} failed by a planted fault`)
}
