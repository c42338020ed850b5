import {
  close,
  existsSync,
  fsync,
  mkdirSync,
  open,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { assert } from '../base/assert.ts'
import { DiskError, type DiskErrorCode } from '../base/errors.ts'
import { pathParts } from '../base/file-tree.ts'
import type { Disk, DiskFile, DiskSpace } from '../ports/disk.ts'
import { diskErrorCodeOf, diskErrorOf, NODE_WRITE_CALLS, NodeFile } from './node-file.ts'
import type { WriteCalls } from './node-file.ts'

export interface NodeDiskOptions {
  readonly writeCalls?: WriteCalls
}

/**
 * Files under one directory of the machine. All handles on a file share one descriptor and one size.
 * No other process may write there meanwhile.
 */
export class NodeDisk implements Disk {
  readonly #root: string
  readonly #calls: WriteCalls
  /** Open files by their path now. */
  readonly #files = new Map<string, NodeFile>()

  constructor(rootDirectory: string, options: NodeDiskOptions = {}) {
    this.#root = resolve(rootDirectory)
    this.#calls = options.writeCalls ?? NODE_WRITE_CALLS
    attempt('create', this.#root, () => mkdirSync(this.#root, { recursive: true }))
  }

  open(path: string): DiskFile {
    const full = this.#entryPath(path)
    const known = this.#files.get(full)
    const file = known?.isHeld === true ? known : this.#openFile(full)
    this.#files.set(full, file)
    return new NodeDiskFile(path, file, () => this.#forgetIfUnused(file))
  }

  exists(path: string): boolean {
    return existsSync(this.#fullPath(path))
  }

  list(directory: string): readonly string[] {
    const full = this.#fullPath(directory)
    try {
      return readdirSync(full).sort()
    } catch (error) {
      if (diskErrorCodeOf(error) === 'ENOENT') return []
      throw diskErrorOf(error, `list of ${full}`)
    }
  }

  makeDirectory(path: string): void {
    const full = this.#fullPath(path)
    attempt('create', full, () => mkdirSync(full, { recursive: true }))
  }

  rename(from: string, to: string): void {
    const source = this.#entryPath(from)
    const target = this.#entryPath(to)
    attempt('rename', source, () => renameSync(source, target))
    if (source === target) return
    this.#forget(target)
    for (const [path, file] of this.#files) {
      if (!isAtOrUnder(path, source)) continue
      this.#files.delete(path)
      this.#files.set(target + path.slice(source.length), file)
    }
  }

  remove(path: string): void {
    const full = this.#entryPath(path)
    attempt('remove', full, () => rmSync(full, { recursive: true, force: true }))
    this.#forget(full)
  }

  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void {
    open(this.#fullPath(directory), 'r', (openError, fd) => {
      if (openError !== null) {
        done(diskErrorCodeOf(openError))
        return
      }
      fsync(fd, (syncError) => {
        close(fd, () => done(syncError === null ? null : diskErrorCodeOf(syncError)))
      })
    })
  }

  space(): DiskSpace | null {
    try {
      const { blocks, bavail, bsize } = statfsSync(this.#root)
      return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
    } catch {
      return null
    }
  }

  #openFile(full: string): NodeFile {
    try {
      return new NodeFile(full, this.#calls)
    } catch (error) {
      if (diskErrorCodeOf(error) !== 'ENOENT') throw diskErrorOf(error, `open of ${full}`)
    }
    return attempt('open', full, () => {
      mkdirSync(dirname(full), { recursive: true })
      return new NodeFile(full, this.#calls)
    })
  }

  /** The names under `full` are gone; handles on those files stay good. */
  #forget(full: string): void {
    for (const path of this.#files.keys()) {
      if (isAtOrUnder(path, full)) this.#files.delete(path)
    }
  }

  #forgetIfUnused(file: NodeFile): void {
    if (file.isHeld) return
    for (const [path, known] of this.#files) {
      if (known === file) this.#files.delete(path)
    }
  }

  #fullPath(path: string): string {
    return join(this.#root, ...pathParts(path))
  }

  /** The same for what is renamed, removed or opened, which the root cannot be. */
  #entryPath(path: string): string {
    const parts = pathParts(path)
    assert(parts.length > 0, 'the root of a disk is no entry of it')
    return join(this.#root, ...parts)
  }
}

class NodeDiskFile implements DiskFile {
  readonly path: string
  readonly #file: NodeFile
  readonly #onClosed: () => void
  #isClosed = false

  constructor(path: string, file: NodeFile, onClosed: () => void) {
    this.path = path
    this.#file = file
    this.#onClosed = onClosed
    file.hold()
  }

  size(): number {
    return this.#open().size
  }

  append(chunks: readonly Uint8Array[]): number {
    return this.#open().append(chunks)
  }

  read(position: number, length: number): Buffer {
    return this.#open().read(position, length)
  }

  truncate(size: number): void {
    this.#open().truncate(size)
  }

  fsync(done: (error: DiskErrorCode | null) => void): void {
    this.#open().fsync(done)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#file.release()
    this.#onClosed()
  }

  #open(): NodeFile {
    if (this.#isClosed) throw new DiskError('EBADF', `${this.path} is closed`)
    return this.#file
  }
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw diskErrorOf(error, `${verb} of ${path}`)
  }
}

function isAtOrUnder(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
