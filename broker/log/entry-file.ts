import { assert } from '../../src/base/assert.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { Disk, DiskFile } from '../../src/ports/disk.ts'
import { readInt64 } from './int64.ts'

const FIRST_CAPACITY_ENTRIES = 16
/** Appended entries are written together when this many bytes wait. */
const PENDING_BYTES_MAX = 4096

/**
 * A file of fixed-size entries: the offset index, the time index and the transaction index of a
 * segment. While the segment is active all entries are in memory and reach the file in groups; a
 * crash loses only entries of segments that recovery rebuilds anyway. `release` drops the memory
 * once the segment is done.
 */
export class EntryFile {
  readonly path: string
  readonly #disk: Disk
  readonly #entryBytes: number
  #file: DiskFile | null = null
  #count: number
  #storedCount: number
  /** All entries, or null when they are only in the file. */
  #memory: Buffer | null

  /** Takes what is stored, reading nothing; a file that is missing has no entries. */
  constructor(disk: Disk, path: string, entryBytes: number) {
    this.#disk = disk
    this.path = path
    this.#entryBytes = entryBytes
    if (disk.exists(path)) this.#file = disk.open(path)
    const bytes = this.#file?.size() ?? 0
    this.#storedCount = Math.floor(bytes / entryBytes)
    this.#count = this.#storedCount
    this.#memory = this.#count === 0 ? Buffer.alloc(0) : null
  }

  get count(): number {
    return this.#count
  }

  get isStored(): boolean {
    return this.#file !== null
  }

  /** Whether the file is whole entries; a torn one has a rest. */
  get isAligned(): boolean {
    return (this.#file?.size() ?? 0) === this.#storedCount * this.#entryBytes
  }

  int16At(slot: number, field: number): number {
    return this.#entry(slot).readInt16BE(this.#offset(slot) + field)
  }

  int32At(slot: number, field: number): number {
    return this.#entry(slot).readInt32BE(this.#offset(slot) + field)
  }

  /** `NaN` when it is no safe integer. */
  int64At(slot: number, field: number): number {
    return readInt64(this.#entry(slot), this.#offset(slot) + field)
  }

  /**
   * Adds an entry in memory. The caller fills in all its bytes, which begin at `position`, at once.
   */
  grow(): { readonly bytes: Buffer; readonly position: number } {
    const position = this.#count * this.#entryBytes
    const bytes = this.#reserve(this.load(), position + this.#entryBytes)
    this.#count += 1
    return { bytes, position }
  }

  /** Writes waiting entries when there are many. Throws `DiskError`; the entries then wait on. */
  persistIfMany(): void {
    const pendingBytes = (this.#count - this.#storedCount) * this.#entryBytes
    if (pendingBytes >= PENDING_BYTES_MAX) this.persist()
  }

  /** Writes all waiting entries, making the file when it is missing. Throws `DiskError`. */
  persist(): void {
    this.#file ??= this.#disk.open(this.path)
    if (this.#storedCount === this.#count) return
    const memory = this.load()
    const from = this.#storedCount * this.#entryBytes
    this.#file.append([memory.subarray(from, this.#count * this.#entryBytes)])
    this.#storedCount = this.#count
  }

  /** Keeps the first `count` entries. */
  truncate(count: number): void {
    assert(count >= 0 && count <= this.#count, `${this.path}: ${count} of ${this.#count} entries`)
    this.#count = count
    if (this.#storedCount <= count && this.isAligned) return
    this.#storedCount = Math.min(this.#storedCount, count)
    this.#file?.truncate(this.#storedCount * this.#entryBytes)
  }

  /** All entries in memory. */
  load(): Buffer {
    if (this.#memory === null) {
      const bytes = this.#file?.read(0, this.#count * this.#entryBytes) ?? Buffer.alloc(0)
      if (bytes.length < this.#count * this.#entryBytes) throw this.#cutShort()
      this.#memory = Buffer.from(bytes)
    }
    return this.#memory
  }

  /** Drops the memory; look-ups read the file from now on. Call `persist` before. */
  release(): void {
    if (this.#storedCount === this.#count && this.#count > 0) this.#memory = null
  }

  /** The stored file, to be synced; null while there is none. */
  get file(): DiskFile | null {
    return this.#file
  }

  close(): void {
    this.#file?.close()
    this.#file = null
  }

  remove(): void {
    this.close()
    this.#disk.remove(this.path)
  }

  #entry(slot: number): Buffer {
    if (!(slot >= 0 && slot < this.#count)) {
      assert(false, `${this.path}: entry ${slot} of ${this.#count}`)
    }
    if (this.#memory !== null) return this.#memory
    const bytes = this.#file?.read(slot * this.#entryBytes, this.#entryBytes) ?? Buffer.alloc(0)
    if (bytes.length < this.#entryBytes) throw this.#cutShort()
    return bytes
  }

  #cutShort(): CorruptionError {
    return new CorruptionError(`${this.path} is shorter than when it was opened`)
  }

  #offset(slot: number): number {
    return this.#memory === null ? 0 : slot * this.#entryBytes
  }

  #reserve(memory: Buffer, bytes: number): Buffer {
    if (memory.length >= bytes) return memory
    const capacity = Math.max(FIRST_CAPACITY_ENTRIES * this.#entryBytes, memory.length * 2, bytes)
    const grown = Buffer.alloc(capacity)
    memory.copy(grown)
    this.#memory = grown
    return grown
  }
}
