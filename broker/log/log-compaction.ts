import { present } from '../../src/base/assert.ts'
import { CorruptionError, DiskError, type DiskErrorCode } from '../../src/base/errors.ts'
import type { Offset, TimestampMs } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import {
  batchBaseOffset,
  batchLastOffset,
  batchSizeBytes,
  readBatchHeader,
} from '../../src/wire/record-batch.ts'
import type { AbortedTransaction } from './aborted-transactions.ts'
import { BatchCleaner, recordsOf } from './batch-cleaner.ts'
import { scanBatches } from './batch-scan.ts'
import { groupSegments, type Cleanable } from './cleanable.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { readEndMarker } from './end-marker.ts'
import type { LogConfig } from './log-config.ts'
import {
  CLEANED_SUFFIX,
  SEGMENT_KINDS,
  segmentFileName,
  SWAP_SUFFIX,
  type SegmentFileKind,
} from './log-file-names.ts'
import { OffsetMap } from './offset-map.ts'
import type { ProducerSnapshot } from './producer-snapshot.ts'
import type { SegmentList } from './segment-list.ts'
import { Segment } from './segment.ts'

export interface CompactionOptions {
  readonly disk: Disk
  readonly directory: string
  readonly config: LogConfig
  readonly segments: SegmentList
  readonly range: Cleanable
  readonly nowMs: TimestampMs
  /** What the map of keys may take. */
  readonly mapBytes: number
  /** What one step reads, about. */
  readonly stepBytes: number
  readonly producers: () => readonly ProducerSnapshot[]
  readonly abortedTransactions: (from: Offset, to: Offset) => readonly AbortedTransaction[]
  /** One segment has taken the place of others. */
  readonly onSwapped: (segment: Segment) => void
}

/** `waiting`: for the disk. */
export type CompactionState = 'ready' | 'waiting' | 'done' | 'aborted'

interface Place {
  segmentIndex: number
  position: number
  /** The next batch begins here or later. */
  offset: Offset
}

/**
 * One compaction of one log (Kafka's Cleaner.doClean), in steps that each do a bounded amount of work: first the keys
 * of the dirty part go into a map, then group by group the segments are written anew without what the map says
 * is outdated. A new segment is synced under `.cleaned`, renamed to `.swap`, which is made durable, and then takes the
 * place of the old ones: a stop at any time leaves either the old ones whole, or a `.swap` that the next start
 * finishes (`finishSwaps`). The next group begins when that is durable, or a tombstone could be gone while what it
 * deletes comes back.
 */
export class LogCompaction {
  readonly #options: CompactionOptions
  readonly #map: OffsetMap
  readonly #mapTransactions = new CleanedTransactions()
  readonly #transactions: CleanedTransactions
  readonly #place: Place = { segmentIndex: 0, position: 0, offset: 0 }
  #state: CompactionState = 'ready'
  #run: (() => void) | null
  #groups: (readonly Segment[])[] = []
  #group: readonly Segment[] = []
  #cleaner: BatchCleaner | null = null
  /** What is being written, or was written and is not in its place yet. */
  #cleaned: Segment | null = null
  #failure: DiskErrorCode | null = null
  #onReady: () => void = () => undefined
  #endOffset: Offset = 0
  #bytesRead = 0
  #bytesBefore = 0
  #bytesAfter = 0

  constructor(options: CompactionOptions) {
    this.#options = options
    this.#map = new OffsetMap(options.mapBytes)
    this.#transactions = new CleanedTransactions((transaction) => {
      this.#cleaned?.aborted.append(transaction)
    })
    const { firstDirtyOffset, firstUncleanableOffset } = options.range
    const dirty = options.abortedTransactions(firstDirtyOffset, firstUncleanableOffset)
    this.#mapTransactions.add(dirty)
    this.#run = () => this.#buildMap(this.#dirtySegments())
  }

  get state(): CompactionState {
    return this.#state
  }

  /** The first offset that is dirty when it is done. */
  get endOffset(): Offset {
    return this.#endOffset
  }

  /** Read in all steps so far. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Of the segments that were written anew, before and after. */
  get sizes(): { readonly bytesBefore: number; readonly bytesAfter: number } {
    return { bytesBefore: this.#bytesBefore, bytesAfter: this.#bytesAfter }
  }

  /**
   * Does the next part and returns the state. After `waiting` the next step is due when `onReady` was called. Throws
   * `DiskError` and `CorruptionError`; then it is aborted.
   */
  step(onReady: () => void): CompactionState {
    if (this.#state !== 'ready') return this.#state
    this.#onReady = onReady
    try {
      if (this.#failure !== null) throw new DiskError(this.#failure, 'a compacted segment')
      this.#run?.()
    } catch (error) {
      this.abort()
      throw error
    }
    return this.#state
  }

  /** The log is about to change otherwise. What is not in its place is removed; what is stays. */
  abort(): void {
    if (this.#state === 'done' || this.#state === 'aborted') return
    this.#state = 'aborted'
    this.#cleaned?.closeFiles()
    this.#cleaned = null
    const [first] = this.#group
    if (first === undefined) return
    try {
      for (const kind of SEGMENT_KINDS.toReversed()) {
        this.#options.disk.remove(this.#path(first.baseOffset, kind, SWAP_SUFFIX))
        this.#options.disk.remove(this.#path(first.baseOffset, kind, CLEANED_SUFFIX))
      }
    } catch (error) {
      // What is left is removed, or finished, by the next start.
      if (!(error instanceof DiskError)) throw error
    }
  }

  /** The segments that hold [first dirty, first uncleanable). */
  #dirtySegments(): readonly Segment[] {
    const { firstDirtyOffset, firstUncleanableOffset } = this.#options.range
    return this.#options.segments
      .from(firstDirtyOffset)
      .filter(({ baseOffset }) => baseOffset < firstUncleanableOffset)
  }

  #buildMap(dirty: readonly Segment[]): void {
    const segment = dirty[this.#place.segmentIndex]
    if (segment === undefined) {
      this.#planGroups()
      return
    }
    let isFull = false
    const isAtEnd = this.#scan(segment, (buffer, at) => {
      isFull = !this.#mapBatch(buffer, at)
      return !isFull
    })
    if (isFull) this.#planGroups()
    else if (isAtEnd) {
      const { firstUncleanableOffset } = this.#options.range
      const next = dirty[this.#place.segmentIndex]?.baseOffset ?? firstUncleanableOffset
      // Up to the next segment there is nothing that is not in the map.
      this.#map.advanceTo(next - 1)
    }
  }

  /** False when the map is full. */
  #mapBatch(buffer: Buffer, at: number): boolean {
    const { firstDirtyOffset } = this.#options.range
    const header = readBatchHeader(buffer, at)
    if (header.isControl) {
      this.#mapTransactions.onMarker(header, readEndMarker(buffer, at, header))
    } else if (!this.#mapTransactions.onBatch(header)) {
      for (const { key, offset } of recordsOf(buffer, at)) {
        if (key === null || offset < firstDirtyOffset) continue
        if (!this.#map.put(key, offset)) return false
        this.#map.advanceTo(offset)
      }
    }
    if (header.lastOffset >= firstDirtyOffset) this.#map.advanceTo(header.lastOffset)
    return true
  }

  #planGroups(): void {
    const { segments, range, config, producers, nowMs } = this.#options
    this.#endOffset = Math.max(range.firstDirtyOffset, this.#map.latestOffset + 1)
    const all = segments.all.filter(({ baseOffset }) => baseOffset < this.#endOffset)
    const end = segments.all[all.length]?.baseOffset ?? range.firstUncleanableOffset
    this.#groups = [...groupSegments(all, end, config)]
    this.#cleaner = new BatchCleaner({
      map: this.#map,
      transactions: this.#transactions,
      producers: producers(),
      upperBound: range.firstUncleanableOffset,
      deleteRetentionMs: config.deleteRetentionMs,
      nowMs,
    })
    this.#beginGroup()
  }

  #beginGroup(): void {
    const group = this.#groups.shift()
    this.#group = group ?? []
    const [first] = this.#group
    if (first === undefined) {
      this.#state = 'done'
      this.#run = null
      return
    }
    const { disk, directory, config, nowMs } = this.#options
    const { baseOffset } = first
    const { indexIntervalBytes } = config
    this.#cleaned = Segment.create({
      disk,
      directory,
      baseOffset,
      indexIntervalBytes,
      nowMs,
      suffix: CLEANED_SUFFIX,
    })
    this.#place.segmentIndex = 0
    this.#place.position = 0
    this.#run = () => this.#cleanGroup()
  }

  #cleanGroup(): void {
    const segment = this.#group[this.#place.segmentIndex]
    const cleaned = present(this.#cleaned, 'the segment that is written')
    if (segment === undefined) {
      this.#syncCleaned(cleaned)
      return
    }
    if (this.#place.position === 0) {
      const next = this.#group[this.#place.segmentIndex + 1]?.baseOffset ?? segment.endOffset
      this.#transactions.add(this.#options.abortedTransactions(segment.baseOffset, next))
    }
    const cleaner = present(this.#cleaner, 'the rules')
    const kept: Buffer[] = []
    this.#scan(segment, (buffer, at) => {
      const bytes = cleaner.clean(buffer, at)
      // The scan may use its buffer again for what comes next.
      if (bytes !== null) kept.push(Buffer.from(bytes))
      return true
    })
    if (kept.length > 0) cleaned.append(Buffer.concat(kept))
  }

  /** Shows whole batches of about one step's bytes. True when the end of the segment was reached. */
  #scan(segment: Segment, onBatch: (buffer: Buffer, at: number) => boolean): boolean {
    const { position: from } = this.#place
    const limit = from + this.#options.stepBytes
    if (from === 0) this.#place.offset = segment.baseOffset
    let isStopped = false
    const { position, problem } = scanBatches(segment.log, {
      from,
      end: segment.sizeBytes,
      whole: 'all',
      checksCrc: true,
      onBatch: (buffer, at, where) => {
        // No checksum covers the base offset.
        const isInOrder =
          batchBaseOffset(buffer, at) >= this.#place.offset &&
          batchLastOffset(buffer, at) < segment.endOffset
        if (!isInOrder) throw this.#corrupt(segment, 'offsets do not rise', where)
        isStopped = (where >= limit && where > from) || !onBatch(buffer, at)
        if (isStopped) return false
        this.#place.offset = batchLastOffset(buffer, at) + 1
        this.#place.position = where + batchSizeBytes(buffer, at)
        return true
      },
    })
    if (problem !== null) throw this.#corrupt(segment, problem, position)
    this.#bytesRead += this.#place.position - from
    if (isStopped) return false
    this.#place.segmentIndex += 1
    this.#place.position = 0
    return true
  }

  #corrupt(segment: Segment, problem: string, position: number): CorruptionError {
    return new CorruptionError(`${segment.log.path}: ${problem} at ${position}`)
  }

  #syncCleaned(cleaned: Segment): void {
    cleaned.finish()
    const files = cleaned.filesToSync(false)
    let left = files.length
    this.#wait(() => this.#nameSwap(cleaned))
    for (const file of files) {
      file.fsync((error) => {
        this.#failure ??= error
        left -= 1
        if (left === 0) this.#resume()
      })
    }
  }

  /** From here on a start takes the compacted segment for the ones that it was made of. */
  #nameSwap(cleaned: Segment): void {
    this.#rename(cleaned.baseOffset, CLEANED_SUFFIX, SWAP_SUFFIX)
    this.#wait(() => this.#swap(cleaned))
    this.#syncDirectory()
  }

  #swap(cleaned: Segment): void {
    const { disk, directory, config, nowMs, segments, onSwapped } = this.#options
    const { baseOffset } = cleaned
    const replaced = this.#group
    cleaned.closeFiles()
    this.#cleaned = null
    this.#group = []
    // Newest first and the log last: as long as anything is left to be done, the `.swap` is there to tell.
    for (const old of replaced.slice(1).toReversed()) old.remove()
    if (!disk.exists(this.#path(baseOffset, 'txnindex', SWAP_SUFFIX))) {
      disk.remove(this.#path(baseOffset, 'txnindex', ''))
    }
    this.#rename(baseOffset, SWAP_SUFFIX, '')
    const { indexIntervalBytes } = config
    const segment = new Segment({ disk, directory, baseOffset, indexIntervalBytes, nowMs })
    const problem = segment.load()
    if (problem !== null) throw new CorruptionError(`${segment.log.path}: ${problem}`)
    segments.replace(replaced, segment)
    this.#bytesBefore += replaced.reduce((sum, each) => sum + each.sizeBytes, 0)
    this.#bytesAfter += segment.sizeBytes
    onSwapped(segment)
    this.#wait(() => this.#beginGroup())
    this.#syncDirectory()
  }

  #rename(baseOffset: Offset, from: string, to: string): void {
    const { disk } = this.#options
    for (const kind of SEGMENT_KINDS) {
      const path = this.#path(baseOffset, kind, from)
      if (disk.exists(path)) disk.rename(path, this.#path(baseOffset, kind, to))
    }
  }

  #syncDirectory(): void {
    this.#options.disk.syncDirectory(this.#options.directory, (error) => {
      this.#failure ??= error
      this.#resume()
    })
  }

  #wait(next: () => void): void {
    this.#state = 'waiting'
    this.#run = next
  }

  #resume(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'ready'
    this.#onReady()
  }

  #path(baseOffset: Offset, kind: SegmentFileKind, suffix: string): string {
    return `${this.#options.directory}/${segmentFileName(baseOffset, kind)}${suffix}`
  }
}
