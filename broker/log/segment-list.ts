import { assert, present } from '../../src/base/assert.ts'
import type { Offset } from '../../src/base/ids.ts'
import type { Segment } from './segment.ts'

/**
 * The segments of a log by rising base offset; never empty once the log is open. The last is
 * active.
 */
export class SegmentList {
  #segments: Segment[] = []

  get all(): readonly Segment[] {
    return this.#segments
  }

  get first(): Segment {
    return present(this.#segments[0], 'the first segment')
  }

  get active(): Segment {
    return present(this.#segments.at(-1), 'the active segment')
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  get baseOffsets(): ReadonlySet<Offset> {
    return new Set(this.#segments.map((segment) => segment.baseOffset))
  }

  push(segment: Segment): void {
    const last = this.#segments.at(-1)
    assert(
      last === undefined || last.baseOffset < segment.baseOffset,
      `segment ${segment.baseOffset} cannot follow ${last?.baseOffset}`,
    )
    this.#segments.push(segment)
  }

  /** Puts `segment` in the place of the active one, whose files it has taken over by name. */
  replaceActive(segment: Segment): void {
    assert(segment.baseOffset === this.active.baseOffset, 'the active segment is another')
    this.#segments.pop()?.closeFiles()
    this.#segments.push(segment)
  }

  /** The segment that holds `offset` or comes before the gap that does, and all after it. */
  from(offset: Offset): readonly Segment[] {
    return this.#segments.slice(Math.max(0, this.#floorIndex(offset)))
  }

  /** The first of `from(offset)`. */
  floor(offset: Offset): Segment {
    return present(this.#segments[Math.max(0, this.#floorIndex(offset))], `a segment at ${offset}`)
  }

  /**
   * Removes the files of the oldest `count` segments, oldest first, so that no gap is ever left.
   */
  removeFirst(count: number): readonly Segment[] {
    const removed = this.#segments.slice(0, count)
    for (const segment of removed) {
      segment.remove()
      this.#segments.shift()
    }
    return removed
  }

  /** Puts `segment` in the place of the neighbours `replaced`, whose files are the caller's to remove. */
  replace(replaced: readonly Segment[], segment: Segment): void {
    const [first] = replaced
    const index = first === undefined ? -1 : this.#segments.indexOf(first)
    assert(
      index >= 0 && replaced.every((each, at) => this.#segments[index + at] === each),
      `the segments from ${first?.baseOffset} on are not those that were compacted`,
    )
    this.#segments.splice(index, replaced.length, segment)
    for (const each of replaced) each.closeFiles()
  }

  /** Removes the segments that begin above `offset`, newest first. */
  removeAbove(offset: Offset): readonly Segment[] {
    const removed: Segment[] = []
    for (;;) {
      const last = this.#segments.at(-1)
      if (last === undefined || last.baseOffset <= offset) return removed
      last.remove()
      this.#segments.pop()
      removed.push(last)
    }
  }

  #floorIndex(offset: Offset): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (present(this.#segments[middle], 'segment').baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
