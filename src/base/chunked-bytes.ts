import { assert } from './assert.ts'

const SMALLEST_CHUNK_BYTES = 1024
const LARGEST_CHUNK_BYTES = 1024 * 1024
/** An append beyond this gets a chunk of exactly its own size, so little room is wasted. */
const OWN_CHUNK_BYTES = 256 * 1024

interface Chunk {
  /** Position of the chunk's first byte in the whole. */
  readonly start: number
  /** Memory of the chunk, the unused room at its end included. */
  bytes: Buffer
  usedBytes: number
}

/**
 * A growing byte sequence in memory, made of chunks. Bytes once appended never change in place (after
 * a truncation new bytes go to new memory), so what `read` returns may be kept. One append lies in one
 * chunk, so reading it back as a whole costs no copy.
 */
export class ChunkedBytes {
  #chunks: Chunk[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Copies `parts` to the end and returns the position of the first byte. */
  append(parts: readonly Uint8Array[]): number {
    const position = this.#size
    const total = totalBytes(parts)
    if (total === 0) return position
    const chunk = this.#chunkWithRoom(total)
    for (const part of parts) {
      chunk.bytes.set(part, chunk.usedBytes)
      chunk.usedBytes += part.byteLength
    }
    this.#size += total
    return position
  }

  /** Adds `view` itself to the end; it must never change afterwards. */
  appendView(view: Buffer): void {
    if (view.length === 0) return
    const last = this.#chunks.at(-1)
    if (last !== undefined && isFollowedBy(last, view)) {
      last.usedBytes += view.length
      last.bytes = Buffer.from(view.buffer, last.bytes.byteOffset, last.usedBytes)
    } else {
      this.#chunks.push({ start: this.#size, bytes: view, usedBytes: view.length })
    }
    this.#size += view.length
  }

  /** Up to `length` bytes from `position`; a view where they lie in one chunk. Not to be written to. */
  read(position: number, length: number): Buffer {
    // No text is made for what holds: this is read all the time.
    if (!(position >= 0 && length >= 0)) assert(false, `read of ${length} bytes at ${position}`)
    const wanted = Math.min(length, this.#size - position)
    if (wanted <= 0) return Buffer.alloc(0)
    let index = this.#chunkIndexAt(position)
    let chunk = this.#chunkAt(index)
    const from = position - chunk.start
    if (from + wanted <= chunk.usedBytes) return chunk.bytes.subarray(from, from + wanted)
    const copy = Buffer.allocUnsafeSlow(wanted)
    let filled = chunk.bytes.copy(copy, 0, from, chunk.usedBytes)
    while (filled < wanted) {
      index += 1
      chunk = this.#chunkAt(index)
      filled += chunk.bytes.copy(copy, filled, 0, Math.min(chunk.usedBytes, wanted - filled))
    }
    return copy
  }

  truncate(size: number): void {
    assert(size >= 0 && size <= this.#size, `truncate to ${size} of ${this.#size} bytes`)
    if (size === this.#size) return
    while ((this.#chunks.at(-1)?.start ?? -1) >= size) this.#chunks.pop()
    this.#size = size
    const last = this.#chunks.at(-1)
    if (last === undefined) return
    last.usedBytes = size - last.start
    last.bytes = last.bytes.subarray(0, last.usedBytes)
  }

  /** An independent sequence with the same content, sharing the memory. */
  clone(): ChunkedBytes {
    const copy = new ChunkedBytes()
    for (const chunk of this.#chunks) copy.appendView(chunk.bytes.subarray(0, chunk.usedBytes))
    return copy
  }

  #chunkWithRoom(bytes: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.bytes.length - last.usedBytes >= bytes) return last
    const usual = Math.min(Math.max(this.#size, SMALLEST_CHUNK_BYTES), LARGEST_CHUNK_BYTES)
    const capacity = bytes > OWN_CHUNK_BYTES ? bytes : Math.max(usual, bytes)
    const chunk = { start: this.#size, bytes: Buffer.allocUnsafeSlow(capacity), usedBytes: 0 }
    this.#chunks.push(chunk)
    return chunk
  }

  #chunkIndexAt(position: number): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#chunkAt(middle).start <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #chunkAt(index: number): Chunk {
    const chunk = this.#chunks[index]
    if (chunk === undefined) assert(false, `chunk ${index} of ${this.#chunks.length}`)
    return chunk
  }
}

/** Bytes in all of `parts` together. */
export function totalBytes(parts: readonly Uint8Array[]): number {
  let total = 0
  for (const part of parts) total += part.byteLength
  return total
}

function isFollowedBy(chunk: Chunk, view: Buffer): boolean {
  return (
    chunk.bytes.buffer === view.buffer &&
    chunk.bytes.length === chunk.usedBytes &&
    chunk.bytes.byteOffset + chunk.usedBytes === view.byteOffset
  )
}
