import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
  writevSync,
} from 'node:fs'
import { assert } from '../base/assert.ts'
import { DiskError, type DiskErrorCode } from '../base/errors.ts'

const CHUNKS_PER_WRITE = 1024

/** The calls through which bytes are written; a test puts short writes and full disks here. */
export interface WriteCalls {
  write(fd: number, bytes: Uint8Array, from: number, position: number): number
  writev(fd: number, chunks: readonly Uint8Array[], position: number): number
}

export const NODE_WRITE_CALLS: WriteCalls = {
  write: (fd, bytes, from, position) =>
    writeSync(fd, bytes, from, bytes.byteLength - from, position),
  writev: (fd, chunks, position) => writevSync(fd, chunks, position),
}

/**
 * One open file of the machine, shared by all handles on it. Its descriptor is closed when the last
 * handle is gone and no fsync is under way.
 */
export class NodeFile {
  readonly #path: string
  readonly #fd: number
  readonly #calls: WriteCalls
  #size: number
  #holders = 0
  #isSyncing = false
  /** Those who asked while an fsync ran; the next one is for them all. */
  #waiting: ((error: DiskErrorCode | null) => void)[] = []

  constructor(path: string, calls: WriteCalls) {
    this.#path = path
    this.#calls = calls
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644)
    try {
      this.#size = fstatSync(this.#fd).size
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  get size(): number {
    return this.#size
  }

  /** False once the descriptor is closed. */
  get isHeld(): boolean {
    return this.#holders > 0 || this.#isSyncing
  }

  hold(): void {
    this.#holders += 1
  }

  release(): void {
    assert(this.#holders > 0, `${this.#path} is closed too often`)
    this.#holders -= 1
    if (!this.isHeld) close(this.#fd, () => {})
  }

  append(chunks: readonly Uint8Array[]): number {
    const position = this.#size
    try {
      this.#size += this.#writeAll(chunks, position)
    } catch (error) {
      this.#restoreSize(position)
      throw diskErrorOf(error, `append to ${this.#path}`)
    }
    return position
  }

  read(position: number, length: number): Buffer {
    assert(position >= 0 && length >= 0, `read of ${length} bytes at ${position}`)
    const wanted = Math.min(length, this.#size - position)
    if (wanted <= 0) return Buffer.alloc(0)
    const bytes = Buffer.allocUnsafe(wanted)
    let filled = 0
    try {
      while (filled < wanted) {
        const count = readSync(this.#fd, bytes, filled, wanted - filled, position + filled)
        if (count === 0) break
        filled += count
      }
    } catch (error) {
      throw diskErrorOf(error, `read of ${this.#path}`)
    }
    return filled === wanted ? bytes : bytes.subarray(0, filled)
  }

  truncate(size: number): void {
    assert(size >= 0 && size <= this.#size, `${this.#path}: truncate to ${size} of ${this.#size}`)
    try {
      ftruncateSync(this.#fd, size)
    } catch (error) {
      throw diskErrorOf(error, `truncate of ${this.#path}`)
    }
    this.#size = size
  }

  fsync(done: (error: DiskErrorCode | null) => void): void {
    this.#waiting.push(done)
    if (!this.#isSyncing) this.#sync()
  }

  #sync(): void {
    const answered = this.#waiting
    this.#waiting = []
    this.#isSyncing = true
    fdatasync(this.#fd, (error) => {
      const code = error === null ? null : diskErrorCodeOf(error)
      this.#isSyncing = false
      if (this.#waiting.length > 0) this.#sync()
      else if (!this.isHeld) close(this.#fd, () => {})
      answerAll(answered, code)
    })
  }

  /** Writes all chunks, however little the system takes at a time; returns their size. */
  #writeAll(chunks: readonly Uint8Array[], position: number): number {
    let written = 0
    for (let index = 0; index < chunks.length; index += CHUNKS_PER_WRITE) {
      const group = chunks.slice(index, index + CHUNKS_PER_WRITE)
      let count = group.length === 1 ? 0 : this.#calls.writev(this.#fd, group, position + written)
      for (const chunk of group) {
        const isWritten = count >= chunk.byteLength
        if (!isWritten) this.#writeRest(chunk, count, position + written)
        count = isWritten ? count - chunk.byteLength : 0
        written += chunk.byteLength
      }
    }
    return written
  }

  #writeRest(chunk: Uint8Array, from: number, chunkPosition: number): void {
    let done = from
    while (done < chunk.byteLength) {
      const count = this.#calls.write(this.#fd, chunk, done, chunkPosition + done)
      if (count <= 0) throw new DiskError('EIO', `${this.#path}: a write took no bytes`)
      done += count
    }
  }

  /** After a failed append: no half of it may stay. */
  #restoreSize(size: number): void {
    try {
      ftruncateSync(this.#fd, size)
    } catch (error) {
      throw diskErrorOf(error, `undo of a failed append to ${this.#path}`)
    }
  }
}

/** A `DiskError` for what the file system threw. */
export function diskErrorOf(error: unknown, what: string): DiskError {
  if (error instanceof DiskError) return error
  const code = diskErrorCodeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return new DiskError(code, `${what}: ${message}`, { cause: error })
}

export function diskErrorCodeOf(error: unknown): DiskErrorCode {
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'ENOSPC'
    case 'ENOENT':
      return 'ENOENT'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'EACCES'
    case 'EBADF':
      return 'EBADF'
    default:
      return 'EIO'
  }
}

function answerAll(
  waiting: readonly ((error: DiskErrorCode | null) => void)[],
  error: DiskErrorCode | null,
): void {
  for (const done of waiting) done(error)
}
