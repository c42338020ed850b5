import { CorruptionError } from '../../src/base/errors.ts'
import type { Offset, TimestampMs } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { batchBaseOffset, batchLeaderEpoch, readBatchHeader } from '../../src/wire/record-batch.ts'
import { readEndMarker } from './end-marker.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { isLeftOver, parseSegmentFileName } from './log-file-names.ts'
import { ProducerSnapshots } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import { SegmentList } from './segment-list.ts'
import { REACHES_LIMIT, Segment } from './segment.ts'
import { finishSwaps } from './swap-recovery.ts'

export interface RecoveryOptions {
  readonly disk: Disk
  readonly directory: string
  readonly topic: string
  readonly partition: number
  readonly config: LogConfig
  /** Everything below was synced. */
  readonly recoveryPoint: Offset
  readonly isCleanShutdown: boolean
  readonly logStartOffset: Offset
  /** Compaction may have left gaps between segments below. */
  readonly compactedTo: Offset
  readonly nowMs: TimestampMs
  readonly events: EventSink
}

export interface RecoveredLog {
  readonly segments: SegmentList
  readonly epochs: LeaderEpochs
  readonly snapshots: ProducerSnapshots
  readonly producers: ProducerState
  readonly logStartOffset: Offset
}

/**
 * Makes a log of what its directory holds. After an unclean stop every segment from the recovery
 * point on is read in full, cut at its first bad batch (what follows it goes too), and its indexes,
 * epochs and aborted transactions are made again. Elsewhere indexes that are missing or damaged
 * are. Throws `CorruptionError` when a batch below the recovery point is bad or missing: cutting there
 * would lose what was promised to be durable.
 */
export function recoverLog(options: RecoveryOptions): RecoveredLog {
  return new Recovery(options).run()
}

/** Folds the batches of [from, to) into `state`. Both are borders of batches. */
export function replayProducers(
  segments: readonly Segment[],
  from: Offset,
  to: Offset,
  state: ProducerState,
): void {
  for (const segment of segments) {
    if (segment.endOffset <= from) continue
    if (segment.baseOffset >= to) return
    segment.forEachBatch(from, (buffer, at) => {
      if (batchBaseOffset(buffer, at) >= to) return false
      const header = readBatchHeader(buffer, at)
      if (header.producerId >= 0) state.apply(header, readEndMarker(buffer, at, header))
      return true
    })
  }
}

/** The state at `offset`: from the newest usable snapshot and the log after it. */
export function loadProducers(
  segments: readonly Segment[],
  snapshots: ProducerSnapshots,
  offset: Offset,
  state: ProducerState,
): void {
  const snapshot = snapshots.newest(offset)
  state.restore(snapshot?.entries ?? [])
  replayProducers(segments, snapshot?.offset ?? 0, offset, state)
}

function loadProblem(segment: Segment, next: Offset | undefined): string | null {
  const problem = segment.load()
  if (problem !== null || next === undefined || segment.endOffset <= next) return problem
  return REACHES_LIMIT
}

/** Producer state while segments are rebuilt one after the other. */
interface Fold {
  readonly state: ProducerState
  endOffset: Offset
}

class Recovery {
  readonly #options: RecoveryOptions
  readonly #segments = new SegmentList()
  readonly #snapshots: ProducerSnapshots
  readonly #epochs: LeaderEpochs
  readonly #hasEpochs: boolean
  #fold: Fold | null = null
  #isFirstRecovered = true

  constructor(options: RecoveryOptions) {
    const { disk, directory } = options
    this.#options = options
    this.#snapshots = new ProducerSnapshots(disk, directory)
    const epochs = LeaderEpochs.load(disk, directory)
    this.#hasEpochs = epochs !== null
    this.#epochs = epochs ?? new LeaderEpochs(disk, directory, [])
  }

  run(): RecoveredLog {
    const baseOffsets = this.#cleanDirectory()
    try {
      this.#openSegments(baseOffsets)
      return this.#finish()
    } catch (error) {
      for (const segment of this.#segments.all) segment.closeFiles()
      throw error
    }
  }

  /** Removes what an interrupted step left behind and returns the base offsets of the segments. */
  #cleanDirectory(): readonly Offset[] {
    const { disk, directory, recoveryPoint } = this.#options
    finishSwaps({
      disk,
      directory,
      recoveryPoint,
      onFinished: (baseOffset, endOffset) => {
        this.#emit('log.swap-finished', { baseOffset, endOffset })
      },
    })
    const names = disk.list(directory)
    const parsed = names.map((name) => ({ name, file: parseSegmentFileName(name) }))
    const baseOffsets = parsed.flatMap(({ file }) => (file?.kind === 'log' ? [file.offset] : []))
    const known = new Set(baseOffsets)
    for (const { name, file } of parsed) {
      const isOrphan =
        file !== null && file.kind !== 'snapshot' && file.kind !== 'log' && !known.has(file.offset)
      if (isOrphan || isLeftOver(name)) disk.remove(`${directory}/${name}`)
    }
    return baseOffsets.sort((a, b) => a - b)
  }

  #openSegments(baseOffsets: readonly Offset[]): void {
    const { isCleanShutdown, recoveryPoint } = this.#options
    for (const [index, baseOffset] of baseOffsets.entries()) {
      const next = baseOffsets[index + 1]
      const isUnflushed = next === undefined || next > recoveryPoint
      const segment = this.#openSegment(baseOffset)
      this.#segments.push(segment)
      const mustRecover = !isCleanShutdown && isUnflushed
      const problem = mustRecover ? null : loadProblem(segment, next)
      if (mustRecover) this.#emit('log.segment-recovered', { baseOffset, recoveryPoint })
      if (problem !== null) this.#emit('log.index-rebuilt', { baseOffset, problem })
      if (mustRecover) this.#distrustFrom(baseOffset)
      const isCut = (mustRecover || problem !== null) && this.#rebuild(segment, next, mustRecover)
      const isBroken = next !== undefined && this.#isGap(segment, next)
      if (isCut || isBroken) {
        this.#dropAfter(segment, baseOffsets.slice(index + 1))
        return
      }
      if (next !== undefined) segment.finish()
    }
  }

  #openSegment(baseOffset: Offset): Segment {
    const { disk, directory, config, nowMs } = this.#options
    const { indexIntervalBytes } = config
    return new Segment({ disk, directory, baseOffset, indexIntervalBytes, nowMs })
  }

  /** What was noted of offsets that are about to be read again does not count. */
  #distrustFrom(baseOffset: Offset): void {
    if (!this.#isFirstRecovered) return
    this.#isFirstRecovered = false
    this.#snapshots.removeAbove(baseOffset)
    this.#epochs.truncateFromEnd(baseOffset)
  }

  /**
   * Reads the whole segment. True when its tail was bad and is cut off, so nothing may follow it.
   */
  #rebuild(segment: Segment, next: Offset | undefined, tellsEpochs: boolean): boolean {
    const { recoveryPoint } = this.#options
    const fold = this.#foldAt(segment.baseOffset)
    segment.aborted.file.truncate(0)
    // A segment whose removal a power cut undid can follow the newer records that took its place.
    const fromEpoch = tellsEpochs ? this.#epochs.latest : -1
    const onBatch = (buffer: Buffer, at: number): void => {
      if (tellsEpochs) this.#noteEpoch(buffer, at)
      const header = readBatchHeader(buffer, at)
      if (header.producerId < 0) return
      const aborted = fold.state.apply(header, readEndMarker(buffer, at, header))
      if (aborted !== null) segment.aborted.append(aborted)
    }
    const { position, problem } = segment.rebuild(onBatch, next, fromEpoch)
    fold.endOffset = segment.endOffset
    if (problem === null) return false
    if (problem === REACHES_LIMIT || segment.endOffset === next) {
      // Every truncation begins a new segment: this one was cut there, and a power cut undid that.
      segment.cutAt(position)
      return false
    }
    const where = `${segment.log.path}: ${problem} at ${position}`
    if (segment.endOffset < recoveryPoint) {
      // Whoever opens the log again is to read the segment again, not to trust indexes that look as if all were well.
      segment.forgetIndexes()
      throw new CorruptionError(
        `${where}, offset ${segment.endOffset}, below the recovery point ${recoveryPoint}`,
      )
    }
    const cutBytes = segment.log.size() - position
    segment.cutAt(position)
    this.#emit('log.tail-cut', { endOffset: segment.endOffset, cutBytes, problem })
    return true
  }

  /**
   * Whether what follows `segment` does not begin where it ends: then its tail was lost as a whole.
   * Compaction makes gaps of its own, but only below a recovery point that was stored before. A gap there that it
   * cannot have made means that the disk lied about what it had made durable; it is looked for, since a hole would be
   * served as if all were there. Of a topic that is compacted now no gap is held against the disk: a data directory
   * of Apache Kafka has such between segments wherever its broker followed a compacted leader.
   */
  #isGap(segment: Segment, next: Offset): boolean {
    const { config, recoveryPoint, compactedTo, isCleanShutdown } = this.#options
    if (segment.endOffset === next) return false
    const isCompacted = config.cleanupPolicy.includes('compact')
    if (segment.endOffset >= recoveryPoint) return !(isCompacted && isCleanShutdown)
    if (isCompacted || next <= compactedTo) return false
    throw new CorruptionError(
      `${segment.log.path} ends at ${segment.endOffset}, the next segment begins at ${next}, the recovery point is ${recoveryPoint}`,
    )
  }

  #dropAfter(segment: Segment, baseOffsets: readonly Offset[]): void {
    for (const baseOffset of baseOffsets.toReversed()) this.#openSegment(baseOffset).remove()
    this.#snapshots.removeAbove(segment.endOffset)
    if (baseOffsets.length > 0) {
      this.#emit('log.segments-dropped', { endOffset: segment.endOffset, baseOffsets })
    }
  }

  #finish(): RecoveredLog {
    const { disk, directory, config, nowMs, recoveryPoint } = this.#options
    if (this.#segments.all.length === 0) {
      this.#segments.push(this.#openSegment(this.#options.logStartOffset))
    }
    const { first, active } = this.#segments
    let { endOffset } = active
    const logStartOffset = Math.max(this.#options.logStartOffset, first.baseOffset)
    if (logStartOffset > endOffset) {
      // The files below the log start are all there is: they are of a log that went on elsewhere.
      this.#segments.removeAbove(-1)
      const { indexIntervalBytes } = config
      this.#segments.push(
        Segment.create({ disk, directory, baseOffset: logStartOffset, indexIntervalBytes, nowMs }),
      )
      endOffset = logStartOffset
      this.#snapshots.removeAbove(-1)
      this.#fold = null
    }
    if (endOffset < recoveryPoint)
      this.#emit('log.behind-recovery-point', { endOffset, recoveryPoint })
    if (!this.#hasEpochs || this.#hasEarlierRecords(logStartOffset)) this.#restoreEpochs()
    this.#epochs.truncateFromEnd(endOffset)
    this.#epochs.truncateFromStart(logStartOffset)
    return {
      segments: this.#segments,
      epochs: this.#epochs,
      snapshots: this.#snapshots,
      producers: this.#producersAt(endOffset),
      logStartOffset,
    }
  }

  #producersAt(endOffset: Offset): ProducerState {
    const { state } = this.#fold?.endOffset === endOffset ? this.#fold : this.#foldAt(endOffset)
    this.#snapshots.removeAbove(endOffset)
    this.#snapshots.keepOnly(this.#segments.baseOffsets)
    state.expire(this.#options.nowMs, this.#options.config.producerIdExpirationMs)
    return state
  }

  /** Continues the fold of the segment before, or starts one. */
  #foldAt(offset: Offset): Fold {
    if (this.#fold?.endOffset === offset) return this.#fold
    const state = new ProducerState()
    loadProducers(this.#segments.all, this.#snapshots, offset, state)
    this.#fold = { state, endOffset: offset }
    return this.#fold
  }

  #noteEpoch(buffer: Buffer, at: number): void {
    const epoch = batchLeaderEpoch(buffer, at)
    if (epoch > this.#epochs.latest) this.#epochs.assign(epoch, batchBaseOffset(buffer, at))
  }

  /** The epochs were cut for a log start that was about to be raised, and was not: the end came in between. */
  #hasEarlierRecords(logStartOffset: Offset): boolean {
    const [oldest] = this.#epochs.entries
    return oldest !== undefined && oldest.startOffset > logStartOffset
  }

  /** The checkpoint is missing, torn or begins too late: every batch tells its epoch. */
  #restoreEpochs(): void {
    this.#epochs.clear()
    for (const segment of this.#segments.all) {
      segment.forEachBatch(segment.baseOffset, (buffer, at) => {
        this.#noteEpoch(buffer, at)
        return true
      })
    }
  }

  #emit(kind: string, fields: Parameters<EventSink['emit']>[1]): void {
    const { topic, partition, events } = this.#options
    events.emit(kind, { topic, partition, ...fields })
  }
}
