import { ChunkedBytes } from '../base/chunked-bytes.ts'
import type { SimRandom } from './sim-random.ts'

const SECTOR_BYTES = 512

type PendingOperation =
  | { readonly kind: 'append'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number }

/**
 * A file of a simulated disk: what programs see (the page cache), what is durable, and the operations
 * in between, in order.
 */
export class SimFile {
  #cached = new ChunkedBytes()
  #durable = new ChunkedBytes()
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

  append(chunks: readonly Uint8Array[]): number {
    const position = this.#cached.append(chunks)
    const bytes = this.#cached.read(position, this.#cached.size - position)
    if (bytes.length > 0) this.#pending.push({ kind: 'append', position, bytes })
    return position
  }

  read(position: number, length: number): Buffer {
    return this.#cached.read(position, length)
  }

  truncate(size: number): void {
    if (size === this.#cached.size) return
    this.#cached.truncate(size)
    this.#pending.push({ kind: 'truncate', size })
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
   * is an append, perhaps some sectors. Returns how many bytes the file is shorter than it seemed.
   */
  cutPower(random: SimRandom): number {
    const seen = this.#cached.size
    if (this.#pending.length > 0) {
      const kept = random.below(this.#pending.length + 1)
      const torn = this.#pending[kept]
      this.settle(this.#settledCount + kept, true)
      if (torn?.kind === 'append') this.#makeDurable({ ...torn, bytes: tear(torn.bytes, random) })
      this.#settledCount += this.#pending.length
      this.#pending = []
    }
    this.#cached = this.#durable.clone()
    return seen - this.#cached.size
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

function tear(bytes: Buffer, random: SimRandom): Buffer {
  const sectors = random.below(Math.ceil(bytes.length / SECTOR_BYTES))
  return bytes.subarray(0, sectors * SECTOR_BYTES)
}
