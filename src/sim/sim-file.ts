import { ChunkedBytes, totalBytes } from '../base/chunked-bytes.ts'
import { type Damage, DamageOverlay } from './damage-overlay.ts'
import { type PowerCutMode, scatter, tear } from './power-cut.ts'
import type { SimRandom } from './sim-random.ts'

type PendingOperation =
  | { readonly kind: 'append'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number }

/**
 * A file of a simulated disk: what programs see (the page cache), what is durable, the operations in
 * between, in order, and the damage that lies over the bytes.
 */
export class SimFile {
  #cached = new ChunkedBytes()
  #durable = new ChunkedBytes()
  #damage = new DamageOverlay()
  #pending: PendingOperation[] = []
  /** Operations that left `#pending` so far. */
  #settledCount = 0

  get size(): number {
    return this.#cached.size
  }

  get durableSize(): number {
    return this.#durable.size
  }

  /** A mark of all operations so far, for `settle`. */
  get operationCount(): number {
    return this.#settledCount + this.#pending.length
  }

  get damages(): readonly Damage[] {
    return this.#damage.damages
  }

  append(chunks: readonly Uint8Array[]): number {
    const position = this.#cached.append(chunks)
    const bytes = this.#cached.read(position, this.#cached.size - position)
    if (bytes.length > 0) this.#pending.push({ kind: 'append', position, bytes })
    return position
  }

  /** An append that the disk reports as done and has not done: its place reads as zeros. */
  appendLost(chunks: readonly Uint8Array[]): number {
    const position = this.append(chunks)
    this.#damage.replace('lost-write', position, Buffer.alloc(totalBytes(chunks)))
    return position
  }

  /** An append that lands on earlier bytes of the file; its own place reads as zeros. */
  appendMisdirected(chunks: readonly Uint8Array[], random: SimRandom): number {
    const position = this.append(chunks)
    const length = this.#cached.size - position
    const there = position === 0 ? 0 : random.below(position)
    const hit = this.#cached.read(position, Math.min(length, position - there))
    this.#damage.replace('misdirected-write', there, Buffer.from(hit))
    this.#damage.replace('lost-write', position, Buffer.alloc(length))
    return position
  }

  read(position: number, length: number): Buffer {
    const bytes = this.#cached.read(position, length)
    return this.#damage.isEmpty ? bytes : this.#damage.applied(position, bytes)
  }

  /** As `read`, past all damage: what was written. */
  written(position: number, length: number): Buffer {
    return this.#cached.read(position, length)
  }

  truncate(size: number): void {
    if (size === this.#cached.size) return
    this.#cached.truncate(size)
    this.#damage.truncate(size)
    this.#pending.push({ kind: 'truncate', size })
  }

  flipBit(position: number, bit: number): void {
    this.#damage.flip(position, bit)
  }

  repair(): void {
    this.#damage.clear()
  }

  /**
   * Ends the wait of all operations before the mark: they become durable, or, after a failed fsync,
   * count as written although they are not (what Linux does with the pages of a failed fsync).
   */
  settle(mark: number, isDurable: boolean): void {
    const count = mark - this.#settledCount
    if (count <= 0) return
    const operations = this.#pending.splice(0, count)
    this.#settledCount += operations.length
    if (isDurable) for (const operation of operations) this.#makeDurable(operation)
  }

  /**
   * A power cut: of the pending operations a seeded number survives, in order, and of the next one, if it
   * is an append, perhaps some sectors. With mode `any` the sectors of all of them fare each for itself; the
   * size is still one that the file has had. Returns how many bytes the file is shorter than it seemed.
   */
  cutPower(random: SimRandom, mode: PowerCutMode = 'ordered'): number {
    const seen = this.#cached.size
    if (this.#pending.length > 0) {
      const kept = random.below(this.#pending.length + 1)
      const torn = this.#pending[kept]
      const survivors = this.#pending.slice(0, kept)
      if (torn?.kind === 'append') survivors.push({ ...torn, bytes: tear(torn.bytes, random) })
      for (const operation of survivors) {
        this.#makeDurable(
          mode === 'any' && operation.kind === 'append'
            ? { ...operation, bytes: scatter(operation.bytes, operation.position, random) }
            : operation,
        )
      }
      this.#settledCount += this.#pending.length
      this.#pending = []
    }
    this.#cached = this.#durable.clone()
    this.#damage.truncate(this.#cached.size)
    return seen - this.#cached.size
  }

  /** The file as it now reads, all of it durable. */
  image(): SimFile {
    const copy = new SimFile()
    copy.#cached = this.#cached.clone()
    copy.#durable = this.#cached.clone()
    copy.#damage = this.#damage.clone()
    return copy
  }

  #makeDurable(operation: PendingOperation): void {
    if (operation.kind === 'truncate') {
      this.#durable.truncate(Math.min(operation.size, this.#durable.size))
      return
    }
    const { position, bytes } = operation
    if (bytes.length === 0) return
    if (this.#durable.size > position) this.#durable.truncate(position)
    this.#durable.appendView(Buffer.alloc(position - this.#durable.size))
    this.#durable.appendView(bytes)
  }
}
