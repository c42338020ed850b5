import { type DiskErrorCode, KafketteError } from '../base/errors.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { Disk, DiskFile, DiskSpace } from '../ports/disk.ts'

type Done = (error: DiskErrorCode | null) => void

/** A disk whose user can be killed; part of `ScopedPorts`. */
export class ScopedDisk implements Disk {
  readonly #inner: Disk
  readonly #lifetime: Lifetime
  readonly #files = new Set<DiskFile>()

  constructor(inner: Disk, lifetime: Lifetime) {
    this.#inner = inner
    this.#lifetime = lifetime
  }

  open(path: string): DiskFile {
    assertAlive(this.#lifetime, path)
    const file = this.#inner.open(path)
    this.#files.add(file)
    return new ScopedFile(file, this.#lifetime, () => this.#files.delete(file))
  }

  exists(path: string): boolean {
    return this.#inner.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#inner.list(directory)
  }

  makeDirectory(path: string): void {
    assertAlive(this.#lifetime, path)
    this.#inner.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    assertAlive(this.#lifetime, from)
    this.#inner.rename(from, to)
  }

  remove(path: string): void {
    assertAlive(this.#lifetime, path)
    this.#inner.remove(path)
  }

  syncDirectory(directory: string, done: Done): void {
    assertAlive(this.#lifetime, directory)
    this.#inner.syncDirectory(directory, (error) => this.#lifetime.run(() => done(error)))
  }

  space(): DiskSpace | null {
    return this.#inner.space()
  }

  end(): void {
    for (const file of this.#files) file.close()
    this.#files.clear()
  }
}

class ScopedFile implements DiskFile {
  readonly path: string
  readonly #inner: DiskFile
  readonly #lifetime: Lifetime
  readonly #onClosed: () => void

  constructor(inner: DiskFile, lifetime: Lifetime, onClosed: () => void) {
    this.path = inner.path
    this.#inner = inner
    this.#lifetime = lifetime
    this.#onClosed = onClosed
  }

  size(): number {
    assertAlive(this.#lifetime, this.path)
    return this.#inner.size()
  }

  append(chunks: readonly Uint8Array[]): number {
    assertAlive(this.#lifetime, this.path)
    return this.#inner.append(chunks)
  }

  read(position: number, length: number): Buffer {
    assertAlive(this.#lifetime, this.path)
    return this.#inner.read(position, length)
  }

  truncate(size: number): void {
    assertAlive(this.#lifetime, this.path)
    this.#inner.truncate(size)
  }

  fsync(done: Done): void {
    assertAlive(this.#lifetime, this.path)
    this.#inner.fsync((error) => this.#lifetime.run(() => done(error)))
  }

  close(): void {
    this.#inner.close()
    this.#onClosed()
  }
}

function assertAlive(lifetime: Lifetime, path: string): void {
  if (!lifetime.isAlive) throw new KafketteError('KILLED', `use of ${path} by a killed node`)
}
