import type { PartitionLog } from '../../../broker/log/partition-log.ts'
import { segmentFileName } from '../../../broker/log/log-file-names.ts'
import {
  batchSizeBytes,
  isBatchCrcValid,
  NO_CHAIN,
  placeOf,
  readBatch,
  type Batch,
} from './batch.ts'
import type { ClusterState } from './state-check.ts'

/** What a look at new batches finds: `order` is R3, `match` R1 or Q4, `checksum` D7. */
export type LogProblem = 'order' | 'match' | 'checksum'

export interface LogGhostOptions {
  readonly nodeId: number
  readonly name: string
  readonly log: PartitionLog
  readonly state: ClusterState
  /** Batches of all replicas by place; the first one that is seen there stands for all (R1). */
  readonly known: Map<number, Batch>
  /** Below, batches may be missing or have lost records on any replica. */
  readonly compactedTo: () => number
  readonly onProblem: (problem: LogProblem, message: string) => void
  /** A batch that was read: `isNew` when no replica had it before. `bytes` must not be kept. */
  readonly onBatch: (batch: Batch, isNew: boolean, bytes: Buffer, position: number) => void
}

const READ_BYTES = 64 * 1024 * 1024
const NOWHERE = -1
const EMPTY = Buffer.alloc(0)

/** One replica's log as it was when last looked at. Only bytes that were added since then are read. */
export class LogGhost {
  readonly nodeId: number
  readonly log: PartitionLog
  /** In order; from the log start, or from where the history is known. */
  readonly batches: Batch[] = []
  endOffset: number
  readonly #options: LogGhostOptions
  /** False: what lies below is not known, so the next batch must be one that another replica has shown. */
  #isRooted: boolean
  #segmentBase = NOWHERE
  /** Of the segment at `#segmentBase`; kept, since nearly every look reads on in the same one. */
  #path = ''
  #position = 0
  /** Its first look is over: what is read from now on was written just before. */
  #isWatching = false

  constructor(options: LogGhostOptions) {
    this.#options = options
    this.nodeId = options.nodeId
    this.log = options.log
    const first = options.log.segmentBaseOffsets[0] ?? 0
    const { compactedTo } = options.log
    this.endOffset = Math.max(first, compactedTo)
    this.#isRooted = first === 0 && compactedTo === 0
  }

  /** Its whole history from the first batch on is known. */
  get isRooted(): boolean {
    return this.#isRooted
  }

  /** The last batch that is known, or null. */
  get last(): Batch | null {
    return this.batches.at(-1) ?? null
  }

  /** Reads what was appended. Returns the index of the first new batch. */
  refresh(): number {
    const end = this.log.logEndOffset
    if (end < this.endOffset) this.truncated(end)
    const from = this.batches.length
    if (end === this.endOffset) {
      this.#isWatching = true
      return from
    }
    const { state } = this.#options
    if (state.readFile === undefined) this.#readThroughLog(end)
    else this.#readFiles(end)
    if (this.endOffset < end) this.#lose(end)
    this.#isWatching = true
    return Math.min(from, this.batches.length)
  }

  /** The log was cut, or restarted, at `offset`; to be told at once, before anything is appended again. */
  truncated(offset: number): void {
    this.#segmentBase = NOWHERE
    // Cut above what was looked at so far: nothing of that is touched.
    if (offset >= this.endOffset && this.log.logStartOffset < offset) return
    if (offset > this.endOffset) this.#lose(offset)
    for (let last = this.last; last !== null && last.end > offset; last = this.last) {
      this.batches.pop()
    }
    this.endOffset = offset
    const knownEnd = this.last?.end ?? (this.#isRooted ? 0 : offset)
    if (knownEnd !== offset) this.#lose(offset)
  }

  /** Files have been written anew; what is known of the log stays. */
  compacted(): void {
    this.#segmentBase = NOWHERE
  }

  /** Bytes from the batch that holds `offset` to the end of its file; through the log where files are not to be had. */
  bytesAt(offset: number): Buffer {
    const { readFile } = this.#options.state
    const endOffset = this.log.logEndOffset
    if (readFile === undefined) {
      return this.log.read({ offset, maxBytes: READ_BYTES, minOneBatch: true, endOffset }).records
    }
    const bases = this.log.segmentBaseOffsets
    for (let at = bases.findLastIndex((base) => base <= offset); at < bases.length; at += 1) {
      const path = this.#pathOf(bases[Math.max(0, at)] ?? 0)
      const bytes = readFile(this.nodeId, path, 0, READ_BYTES)
      for (let position = 0; ; position += batchSizeBytes(bytes, position)) {
        const batch = readBatch(bytes, position, NO_CHAIN)
        if (batch === null) break
        if (batch.end > offset) return bytes.subarray(position)
      }
    }
    return EMPTY
  }

  #readFiles(end: number): void {
    const { readFile } = this.#options.state
    if (readFile === undefined) return
    if (this.#segmentBase === NOWHERE) this.#seek()
    while (this.endOffset < end && this.#segmentBase !== NOWHERE) {
      const base = this.#segmentBase
      const bytes = readFile(this.nodeId, this.#path, this.#position, READ_BYTES)
      const taken = this.#take(bytes, end)
      this.#position += taken
      if (this.endOffset >= end) return
      // Bytes that are no batch: damage, and what follows in the next file cannot be joined to what is known.
      if (taken < bytes.length) {
        this.batches.length = 0
        this.#isRooted = false
      }
      this.#begin(this.log.segmentBaseOffsets.find((next) => next > base))
    }
  }

  #readThroughLog(end: number): void {
    while (this.endOffset < end) {
      const before = this.endOffset
      const offset = Math.max(before, this.log.logStartOffset)
      const request = { offset, maxBytes: READ_BYTES, minOneBatch: true, endOffset: end }
      this.#take(this.log.read(request).records, end)
      if (this.endOffset === before) return
    }
  }

  #seek(): void {
    this.#begin(this.log.segmentBaseOffsets.findLast((base) => base <= this.endOffset))
  }

  /** Goes to the begin of the segment that has this base; undefined: there is none. */
  #begin(base: number | undefined): void {
    this.#position = 0
    this.#segmentBase = base ?? NOWHERE
    this.#path = base === undefined ? '' : this.#pathOf(base)
  }

  #pathOf(base: number): string {
    return `${this.log.directory}/${segmentFileName(base, 'log')}`
  }

  /** Takes the batches that come after what is known; returns how many bytes they and those before take. */
  #take(bytes: Buffer, end: number): number {
    let position = 0
    while (position < bytes.length && this.endOffset < end) {
      const chain = this.#isRooted ? (this.last?.chain ?? NO_CHAIN) : NO_CHAIN
      const batch = readBatch(bytes, position, chain)
      if (batch === null) break
      if (batch.end > this.endOffset) this.#add(batch, bytes, position)
      position += batchSizeBytes(bytes, position)
    }
    return position
  }

  #add(batch: Batch, bytes: Buffer, position: number): void {
    const { known, onBatch } = this.#options
    if (!isBatchCrcValid(bytes, position)) {
      // Found so at the start of a life it may have been damaged since it was written.
      if (this.#isWatching) this.#report('checksum', batch, 'was written with a wrong CRC')
      this.#lose(batch.end)
      return
    }
    const last = this.last
    const isComparable = batch.base >= this.#options.compactedTo()
    if (last !== null && this.#isRooted) {
      const isGap = batch.base > last.end && last.end < this.#options.compactedTo()
      if (batch.base !== last.end && !isGap)
        this.#report('order', batch, `follows an end of ${last.end}`)
      if (batch.epoch < last.epoch) this.#report('order', batch, `follows epoch ${last.epoch}`)
    }
    this.endOffset = batch.end
    const place = placeOf(batch.base, batch.epoch)
    const same = known.get(place)
    if (same === undefined) {
      if (!this.#isRooted) return
      // What was left of a batch by compaction is not what others are held to.
      if (!isComparable) return this.#lose(batch.end)
      known.set(place, batch)
    } else if (this.#isRooted ? same.chain !== batch.chain : same.crc !== batch.crc) {
      const isOther = same.crc !== batch.crc || batch.base > this.log.logStartOffset
      if (isOther && isComparable) {
        this.#report('match', batch, 'is not what another replica has there')
      }
      if (isOther) return this.#lose(batch.end)
      // What lies before may be of an epoch that its leader has no record of any more; nobody is given it.
      this.batches.length = 0
    }
    this.#isRooted = true
    this.batches.push(same ?? batch)
    onBatch(same ?? batch, same === undefined, bytes, position)
  }

  #report(problem: LogProblem, { base, epoch }: Batch, what: string): void {
    const { onProblem, name, nodeId } = this.#options
    onProblem(problem, `${name} on node ${nodeId}: the batch at ${base} of epoch ${epoch} ${what}`)
  }

  /** What lies below is unknown from here on. */
  #lose(end: number): void {
    this.batches.length = 0
    this.#isRooted = end === 0
    this.endOffset = end
    this.#segmentBase = NOWHERE
  }
}
