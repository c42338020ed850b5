import { assert, present } from '../../../src/base/assert.ts'
import type { Offset } from '../../../src/base/ids.ts'
import { committedBatches, type CommittedBatch } from './committed-batch.ts'
import { MAX_READ_BYTES, type RaftLog } from './raft-log.ts'

/** Gives every committed batch to the listener once per life of the process, in order, a bounded piece at a time. */
export class CommitFeed {
  readonly #log: RaftLog
  readonly #onCommit: (batches: readonly CommittedBatch[]) => void
  #nextOffset: Offset

  constructor(log: RaftLog, onCommit: (batches: readonly CommittedBatch[]) => void) {
    this.#log = log
    this.#onCommit = onCommit
    this.#nextOffset = log.startOffset
  }

  /** All below has been delivered. */
  get nextOffset(): Offset {
    return this.#nextOffset
  }

  /** Delivers what became committed. True when there was something. */
  deliver(): boolean {
    const start = this.#nextOffset
    while (this.#nextOffset < this.#log.highWatermark) {
      const bytes = this.#log.read(this.#nextOffset, this.#log.highWatermark, MAX_READ_BYTES)
      const batches = committedBatches(bytes)
      const first = present(batches[0], `a committed batch at ${this.#nextOffset}`)
      const last = present(batches.at(-1), 'the last batch')
      assert(first.baseOffset === this.#nextOffset, 'committed batches have no gap')
      this.#nextOffset = last.lastOffset + 1
      this.#onCommit(batches)
    }
    return this.#nextOffset > start
  }
}
