import type { Poll } from './history-index.ts'

/** The offsets that polls went through, from their positions to their last records, and those that they brought. */
export class ReadRanges {
  readonly #read = new Set<number>()
  /** Sorted, without overlap: a begin, and at the same place an end (exclusive). */
  readonly #begins: number[] = []
  readonly #ends: number[] = []

  constructor(polls: readonly Poll[]) {
    const ranges: { readonly from: number; readonly to: number }[] = []
    for (const { operation } of polls) {
      const { records = [], position } = operation
      const last = records.at(-1)
      if (last === undefined) continue
      for (const { offset } of records) this.#read.add(offset)
      ranges.push({ from: position, to: last.offset + 1 })
    }
    for (const { from, to } of ranges.sort((a, b) => a.from - b.from)) this.#join(from, to)
  }

  wasRead(offset: number): boolean {
    return this.#read.has(offset)
  }

  includes(offset: number): boolean {
    const place = countUpTo(this.#begins, offset) - 1
    return place >= 0 && offset < (this.#ends[place] ?? 0)
  }

  #join(from: number, to: number): void {
    const last = this.#ends.length - 1
    const end = this.#ends[last]
    if (end !== undefined && from <= end) this.#ends[last] = Math.max(end, to)
    else {
      this.#begins.push(from)
      this.#ends.push(to)
    }
  }
}

/** How many of the sorted numbers are not above `limit`. */
export function countUpTo(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? limit + 1) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
