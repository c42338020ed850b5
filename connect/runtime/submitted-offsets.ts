import { present } from '../../src/base/assert.ts'
import type { SourceMap } from '../api.ts'
import { sourceKey, type SourceOffset } from './offset-store.ts'

/** Below this a queue's used front is not worth cutting off. */
const MIN_CUT = 1024

/** One record that was sent; `isAcked` is set once Kafka has it. */
export interface Submitted {
  readonly offset: SourceMap
  isAcked: boolean
}

interface Queue {
  readonly partition: SourceMap
  records: Submitted[]
  head: number
}

/**
 * The records of a task that were sent, in order, by part of the source. The offset that may be committed is that
 * of the last record before the first one that Kafka has not acknowledged (Java's SubmittedRecords).
 */
export class SubmittedOffsets {
  readonly #connector: string
  readonly #queues = new Map<string, Queue>()
  #lastPartition: SourceMap | null = null
  #lastQueue: Queue | null = null

  constructor(connector: string) {
    this.#connector = connector
  }

  add(partition: SourceMap, offset: SourceMap): Submitted {
    const queue = this.#queueOf(partition)
    const submitted = { offset, isAcked: false }
    queue.records.push(submitted)
    return submitted
  }

  /** Takes what may be committed now, one offset a part at most. */
  takeCommittable(): readonly SourceOffset[] {
    const taken: SourceOffset[] = []
    for (const [key, queue] of this.#queues) {
      const offset = takeAcked(queue)
      if (offset !== null) {
        taken.push({ connector: this.#connector, partition: queue.partition, offset })
      }
      if (queue.head < queue.records.length) continue
      this.#queues.delete(key)
      if (this.#lastQueue === queue) this.#lastPartition = this.#lastQueue = null
    }
    return taken
  }

  #queueOf(partition: SourceMap): Queue {
    // Tasks mostly give the same object again and again; its text need not be made each time.
    if (partition === this.#lastPartition) return present(this.#lastQueue, 'the last queue')
    const key = sourceKey(this.#connector, partition)
    const queue = this.#queues.get(key) ?? { partition, records: [], head: 0 }
    this.#queues.set(key, queue)
    this.#lastPartition = partition
    this.#lastQueue = queue
    return queue
  }
}

function takeAcked(queue: Queue): SourceMap | null {
  let offset: SourceMap | null = null
  for (; queue.records[queue.head]?.isAcked === true; queue.head += 1) {
    offset = queue.records[queue.head]?.offset ?? null
  }
  if (queue.head >= MIN_CUT && queue.head * 2 >= queue.records.length) {
    queue.records = queue.records.slice(queue.head)
    queue.head = 0
  }
  return offset
}
