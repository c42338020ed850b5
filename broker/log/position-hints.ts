import type { Offset } from '../../src/base/ids.ts'

const HINTS_MAX = 8

/**
 * Where the last reads of a segment ended. Who reads on from there needs neither the index nor a
 * search; one place for each of a few readers.
 */
export class PositionHints {
  readonly #offsets: Offset[] = []
  readonly #positions: number[] = []
  #next = 0

  put(offset: Offset, position: number): void {
    if (this.#offsets.includes(offset)) return
    this.#offsets[this.#next] = offset
    this.#positions[this.#next] = position
    this.#next = (this.#next + 1) % HINTS_MAX
  }

  get(offset: Offset): number | undefined {
    const index = this.#offsets.indexOf(offset)
    return index < 0 ? undefined : this.#positions[index]
  }

  clear(): void {
    this.#offsets.length = 0
    this.#positions.length = 0
    this.#next = 0
  }
}
