import { assert } from '../../src/base/assert.ts'
import type { Offset } from '../../src/base/ids.ts'

interface PendingAnswer {
  /** The answer may leave when the log is committed up to here. */
  readonly offset: Offset
  readonly commit: () => void
  readonly fail: () => void
}

/**
 * Answers that wait for the records which they have seen to be committed (decision 0002).
 * Offsets never decrease from one answer to the next, so they leave in the order of their requests.
 */
export class PendingAnswers {
  readonly #limit: number
  #queue: PendingAnswer[] = []
  #committedOffset: Offset

  constructor(limit: number, committedOffset: Offset) {
    this.#limit = limit
    this.#committedOffset = committedOffset
  }

  get isFull(): boolean {
    return this.#queue.length >= this.#limit
  }

  /** Calls `commit` when `offset` is committed, at once when it is; or `fail` when the controller resigns before. */
  add(offset: Offset, commit: () => void, fail: () => void): void {
    const last = this.#queue.at(-1)
    assert(last === undefined || last.offset <= offset, 'answers wait in the order of the log')
    if (last === undefined && offset <= this.#committedOffset) commit()
    else this.#queue.push({ offset, commit, fail })
  }

  onCommitted(offset: Offset): void {
    this.#committedOffset = Math.max(this.#committedOffset, offset)
    // An answer may bring the next request with it, which must queue behind the others.
    for (
      let first = this.#queue[0];
      first !== undefined && first.offset <= this.#committedOffset;
      first = this.#queue[0]
    ) {
      this.#queue.shift()
      first.commit()
    }
  }

  failAll(): void {
    const failed = this.#queue
    this.#queue = []
    for (const answer of failed) answer.fail()
  }
}
