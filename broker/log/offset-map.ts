import type { Offset } from '../../src/base/ids.ts'

/** What an entry takes beside its key: about what a JavaScript map needs for it. */
const ENTRY_BYTES = 64

/**
 * The last offset of each key in a stretch of a log (Kafka's OffsetMap, with whole keys instead of their hashes, so
 * that no two keys are ever taken for one). It holds no more than `maxBytes`, but always one key.
 */
export class OffsetMap {
  readonly #offsets = new Map<string, Offset>()
  readonly #maxBytes: number
  #bytes = 0
  #latestOffset = -1

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#offsets.size
  }

  /** Everything up to this offset is in the map, or need not be; -1 when nothing is. */
  get latestOffset(): Offset {
    return this.#latestOffset
  }

  /** Notes that all up to `offset` was seen. */
  advanceTo(offset: Offset): void {
    if (offset > this.#latestOffset) this.#latestOffset = offset
  }

  /** False when there is no room for another key; nothing changes then. */
  put(key: Buffer, offset: Offset): boolean {
    const text = key.toString('latin1')
    if (!this.#offsets.has(text)) {
      const bytes = ENTRY_BYTES + text.length
      if (this.#offsets.size > 0 && this.#bytes + bytes > this.#maxBytes) return false
      this.#bytes += bytes
    }
    this.#offsets.set(text, offset)
    return true
  }

  /** -1 for a key that is not in it. */
  get(key: Buffer): Offset {
    return this.#offsets.get(key.toString('latin1')) ?? -1
  }
}
