import { present } from '../../src/base/assert.ts'
import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { FetchEntry, FetchPartitionResult } from './fetch-result.ts'
import { visibleEnd, type PartitionReader } from './partition-read.ts'
import type { Partition } from './partition.ts'
import type { DelayedOperation } from './purgatory.ts'

export interface DelayedFetchOptions {
  readonly reader: PartitionReader
  readonly entries: readonly FetchEntry[]
  /** Of the entries: what `isReady` will be told. */
  readonly keys: readonly string[]
  readonly minBytes: number
  /** What the first read of each entry gave. */
  readonly firstResults: readonly FetchPartitionResult[]
  readonly find: (entry: FetchEntry) => Partition | null
  /** Reads again and answers. */
  readonly finish: () => void
}

interface Waiting {
  readonly entry: FetchEntry
  readonly leaderEpoch: LeaderEpoch
  readonly wasLeader: boolean
  /** Bytes counted so far, and up to which offset. */
  bytes: number
  countedTo: Offset
}

/**
 * A Fetch that waits for min bytes. It is ready when enough can be read or when waiting cannot add to the
 * answer: the partition is gone, its leader or epoch changed, its log was cut below the position, or the
 * position is in an older segment than the end, as one read stops at a segment's end. Bytes are counted once
 * each, from where the last look ended.
 */
export class DelayedFetch implements DelayedOperation {
  readonly #options: DelayedFetchOptions
  readonly #waiting = new Map<string, Waiting>()
  #totalBytes = 0
  #isAtSegmentEnd = false
  #isStartNews = false

  constructor(options: DelayedFetchOptions) {
    this.#options = options
    options.entries.forEach((entry, index) => {
      const partition = options.find(entry)
      const bytes = options.firstResults[index]?.records.length ?? 0
      const end = partition === null ? 0 : visibleEnd(partition, options.reader)
      this.#totalBytes += bytes
      this.#isStartNews ||= partition !== null && this.#isNewStart(partition, entry)
      if (partition !== null && bytes > 0) this.#noteSegmentEnd(partition, entry, end)
      this.#waiting.set(present(options.keys[index], 'key of an entry'), {
        entry,
        leaderEpoch: partition?.leaderEpoch ?? -1,
        wasLeader: partition?.isLeader ?? false,
        bytes,
        countedTo: Math.max(entry.fetchOffset, end),
      })
    })
  }

  isReady(key: string | null): boolean {
    if (key === null) return this.#hasEnough()
    const waiting = this.#waiting.get(key)
    return waiting !== undefined && this.#isEntryReady(waiting)
  }

  complete(): void {
    this.#options.finish()
  }

  #isEntryReady(waiting: Waiting): boolean {
    const { entry } = waiting
    const partition = this.#options.find(entry)
    if (partition === null || partition.leaderEpoch !== waiting.leaderEpoch) return true
    if (partition.isLeader !== waiting.wasLeader) return true
    if (partition.log.logEndOffset < entry.fetchOffset) return true
    if (partition.log.logStartOffset > entry.fetchOffset) return true
    if (this.#isNewStart(partition, entry)) return true
    const end = visibleEnd(partition, this.#options.reader)
    if (end <= waiting.countedTo) return false
    if (this.#options.minBytes <= 1) return true
    this.#count(waiting, partition, end)
    this.#noteSegmentEnd(partition, entry, end)
    return this.#hasEnough()
  }

  /** DeleteRecords waits for followers to hear of the log start: one answer is enough, they take it over at once. */
  #isNewStart(partition: Partition, { logStartOffset }: FetchEntry): boolean {
    const isKnown = this.#options.reader.kind === 'follower' && logStartOffset >= 0
    return isKnown && partition.log.logStartOffset > logStartOffset
  }

  #hasEnough(): boolean {
    const isEnough = this.#totalBytes >= this.#options.minBytes
    return isEnough || this.#isAtSegmentEnd || this.#isStartNews
  }

  #count(waiting: Waiting, partition: Partition, endOffset: Offset): void {
    const room = waiting.entry.maxBytes - waiting.bytes
    if (room > 0) {
      const offset = waiting.countedTo
      const { records } = partition.log.read({
        offset,
        maxBytes: room,
        minOneBatch: true,
        endOffset,
      })
      const bytes = Math.min(room, records.length)
      waiting.bytes += bytes
      this.#totalBytes += bytes
    }
    waiting.countedTo = endOffset
  }

  #noteSegmentEnd(partition: Partition, entry: FetchEntry, end: Offset): void {
    const { segmentBaseOffsets } = partition.log
    this.#isAtSegmentEnd ||= segmentBaseOffsets.some(
      (base) => base > entry.fetchOffset && base <= end,
    )
  }
}
