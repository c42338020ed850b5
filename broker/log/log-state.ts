import type { LeaderEpoch, Offset, TimestampMs } from '../../src/base/ids.ts'
import { scanBatches, tryReadBatchHeader } from './batch-scan.ts'
import { readEndMarker } from './end-marker.ts'
import type { EpochStart } from './leader-epochs.ts'
import type { PartitionLog } from './partition-log.ts'
import type { ProducerSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import type { AbortedTransaction } from './aborted-transactions.ts'
import type { Segment } from './segment.ts'

/**
 * Canonical text of what a live log holds in memory beside its batches: bounds of the segments, every entry of
 * the indexes, leader epochs that have records, producers with their last batch. Equal to `rebuiltStateOf`
 * when memory is right (invariants P4 and D9). What only saves work is left out: positions, cached retries. So is, of
 * a log that was compacted, what its batches tell no more: epochs, aborted transactions, times of producers.
 */
export function liveStateOf(log: PartitionLog): string {
  const { segments } = log.inspect()
  const lines = [`log ends at ${log.logEndOffset}`]
  for (const segment of segments) {
    const { baseOffset, endOffset, sizeBytes, largest } = segment
    lines.push(segmentLine(baseOffset, { endOffset, sizeBytes, largestMs: largest.timestampMs }))
    for (const { position, lastOffset } of segment.offsetIndex.entries()) {
      lines.push(indexLine(baseOffset, position, lastOffset))
    }
    for (const { offset, timestampMs } of segment.timeIndex.entries()) {
      lines.push(timeLine(baseOffset, offset, timestampMs))
    }
    const aborted: AbortedTransaction[] = []
    if (log.compactedTo === 0) segment.aborted.collect(0, Infinity, aborted)
    lines.push(...aborted.map((each) => abortedLine(baseOffset, each)))
  }
  if (log.compactedTo > 0) return textOf(lines, log.producerEntries().map(lasting))
  lines.push(...recordedEpochs(log).map(epochLine))
  return textOf(lines, log.producerEntries())
}

/**
 * The same text made of the bytes of the segments alone, with checksums. Only producers start from the snapshot
 * at the first segment, for what they did before is deleted; one that was silent for
 * producer.id.expiration.ms is still in this text, and no longer in memory. Reads and changes nothing.
 */
export function rebuiltStateOf(log: PartitionLog): string {
  const { segments, snapshots } = log.inspect()
  const producers = new ProducerState()
  producers.restore(snapshots.at(segments[0]?.baseOffset ?? 0) ?? [])
  const epochs = new Map<LeaderEpoch, Offset>()
  const lines: string[] = []
  let endOffset = 0
  for (const segment of segments) {
    const scan = new SegmentScan(segment, producers, epochs, log.logStartOffset)
    lines.push(...scan.run(log.compactedTo === 0))
    endOffset = scan.endOffset
  }
  lines.unshift(`log ends at ${endOffset}`)
  if (log.compactedTo > 0) return textOf(lines, producers.entries().map(lasting))
  lines.push(...[...epochs].map(([epoch, startOffset]) => epochLine({ epoch, startOffset })))
  return textOf(lines, producers.entries())
}

/** One segment read from its first byte to its last. */
class SegmentScan {
  endOffset: Offset
  readonly #segment: Segment
  readonly #producers: ProducerState
  readonly #epochs: Map<LeaderEpoch, Offset>
  readonly #logStartOffset: Offset
  readonly #lastOffsets = new Map<number, Offset>()
  readonly #largest = new Map<Offset, TimestampMs>()
  readonly #aborted: AbortedTransaction[] = []
  #largestMs = -1

  constructor(
    segment: Segment,
    producers: ProducerState,
    epochs: Map<LeaderEpoch, Offset>,
    logStartOffset: Offset,
  ) {
    this.#segment = segment
    this.#producers = producers
    this.#epochs = epochs
    this.#logStartOffset = logStartOffset
    this.endOffset = segment.baseOffset
  }

  run(hasAborted: boolean): readonly string[] {
    const { baseOffset, log, offsetIndex, timeIndex } = this.#segment
    const { position, problem } = scanBatches(log, {
      from: 0,
      end: log.size(),
      whole: 'all',
      checksCrc: true,
      onBatch: (buffer, at, where) => this.#onBatch(buffer, at, where),
    })
    const { endOffset } = this
    const bounds = { endOffset, sizeBytes: position, largestMs: this.#largestMs }
    const lines = [segmentLine(baseOffset, bounds)]
    if (problem !== null) lines.push(`segment ${baseOffset} ${problem} at ${position}`)
    // The places are those that the index names; what is there is for the bytes to say.
    for (const entry of offsetIndex.entries()) {
      lines.push(indexLine(baseOffset, entry.position, this.#lastOffsets.get(entry.position)))
    }
    for (const { offset } of timeIndex.entries()) {
      lines.push(timeLine(baseOffset, offset, this.#largest.get(offset)))
    }
    if (!hasAborted) return lines
    lines.push(...this.#aborted.map((each) => abortedLine(baseOffset, each)))
    return lines
  }

  #onBatch(buffer: Buffer, at: number, position: number): boolean {
    const header = tryReadBatchHeader(buffer, at)
    if (header === null || header.baseOffset < this.endOffset) return false
    const { baseOffset, lastOffset, maxTimestamp, partitionLeaderEpoch } = header
    this.endOffset = lastOffset + 1
    this.#largestMs = Math.max(this.#largestMs, maxTimestamp)
    this.#lastOffsets.set(position, lastOffset)
    this.#largest.set(lastOffset, this.#largestMs)
    if (lastOffset >= this.#logStartOffset && !this.#epochs.has(partitionLeaderEpoch)) {
      this.#epochs.set(partitionLeaderEpoch, Math.max(baseOffset, this.#logStartOffset))
    }
    if (header.producerId < 0) return true
    const aborted = this.#producers.apply(header, readEndMarker(buffer, at, header))
    if (aborted !== null) this.#aborted.push(aborted)
    return true
  }
}

/** A leader notes its epoch before its first record; followers learn it from the first record only. */
function recordedEpochs(log: PartitionLog): readonly EpochStart[] {
  const entries = log.epochEntries
  return entries.filter(({ startOffset }, index) => {
    const endOffset = entries[index + 1]?.startOffset ?? log.logEndOffset
    return endOffset > Math.max(startOffset, log.logStartOffset)
  })
}

/** What compaction leaves of a producer: its last sequence, but neither its marker nor the time of every record. */
function lasting(entry: ProducerSnapshot): ProducerSnapshot {
  return { ...entry, lastTimestampMs: -1, coordinatorEpoch: -1 }
}

interface SegmentBounds {
  readonly endOffset: Offset
  readonly sizeBytes: number
  readonly largestMs: TimestampMs
}

function segmentLine(baseOffset: Offset, bounds: SegmentBounds): string {
  const { endOffset, sizeBytes, largestMs } = bounds
  return `segment ${baseOffset} ends at ${endOffset}, ${sizeBytes} bytes, newest ${largestMs}`
}

function indexLine(base: Offset, position: number, lastOffset: Offset | undefined): string {
  return `segment ${base} offset index: byte ${position} begins ${lastOffset ?? 'no batch'}`
}

function timeLine(base: Offset, offset: Offset, timestampMs: TimestampMs | undefined): string {
  return `segment ${base} time index: up to ${offset} newest ${timestampMs ?? 'unknown'}`
}

function abortedLine(base: Offset, aborted: AbortedTransaction): string {
  const { producerId, firstOffset, lastOffset, lastStableOffset } = aborted
  return `segment ${base} aborted: ${producerId} ${firstOffset} ${lastOffset} ${lastStableOffset}`
}

function epochLine({ epoch, startOffset }: EpochStart): string {
  return `epoch ${epoch} from ${startOffset}`
}

function textOf(lines: readonly string[], producers: readonly ProducerSnapshot[]): string {
  const ofProducers = producers
    .toSorted((a, b) => a.producerId - b.producerId)
    .map((each) => {
      const last = `${each.lastSequence} at ${each.lastOffset} (${each.offsetDelta})`
      const open = `${each.coordinatorEpoch} ${each.currentTxnFirstOffset}`
      return `producer ${each.producerId} ${each.producerEpoch} ${last} ${each.lastTimestampMs} ${open}`
    })
  return [...lines, ...ofProducers].map((line) => `${line}\n`).join('')
}
