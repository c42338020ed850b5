import type { DiskErrorCode } from '../base/errors.ts'

/**
 * Files of one node. Append, read, write, truncate and the directory operations are synchronous and
 * act on the page cache; only `fsync` says that bytes are durable, and it answers by an event.
 * All operations throw `DiskError` (code: `DiskErrorCode`). Paths are relative to the node's root, with `/`.
 */
export interface Disk {
  /** Opens for reading and appending; creates the file and its directories when missing. */
  open(path: string): DiskFile
  exists(path: string): boolean
  /** Names (not paths) in a directory, sorted by code unit; empty when the directory is missing. */
  list(directory: string): readonly string[]
  makeDirectory(path: string): void
  /** Replaces an existing target atomically. Open handles of `from` stay usable. */
  rename(from: string, to: string): void
  /** Removes a file, or a directory with all that is in it; nothing happens when it is missing. Open handles stay usable. */
  remove(path: string): void
  /** Makes creations, renames and removals in `directory` durable. */
  syncDirectory(directory: string, done: (error: DiskErrorCode | null) => void): void
  /** The volume that the files are on; null when there is none or it cannot tell. */
  space(): DiskSpace | null
}

export interface DiskSpace {
  readonly totalBytes: number
  readonly usableBytes: number
}

export interface DiskFile {
  readonly path: string
  /** Bytes in the file, including those not yet durable. */
  size(): number
  /** Appends all chunks, or throws and leaves the size as it was. Returns the position of the first byte. */
  append(chunks: readonly Uint8Array[]): number
  /**
   * Up to `length` bytes from `position`; shorter only at the end of the file. They may be the disk's own
   * memory: read only.
   */
  read(position: number, length: number): Buffer
  /** Cuts the file; `size` is at most its present size. */
  truncate(size: number): void
  /**
   * Makes all that was written before this call durable; `done` is called later, never from inside, also
   * when the file is closed meanwhile. After an error the bytes may be lost for good: don't try again.
   */
  fsync(done: (error: DiskErrorCode | null) => void): void
  /** Safe to call twice; any other use of a closed file throws EBADF. */
  close(): void
}
