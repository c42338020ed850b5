import { WireError } from '../../src/base/errors.ts'
import type { LeaderEpoch, Offset, TimestampMs } from '../../src/base/ids.ts'
import {
  batchLastOffset,
  batchMaxTimestamp,
  readBatchHeader,
  readRecords,
  type DecodedRecord,
} from '../../src/wire/record-batch.ts'
import { scanBatches } from './batch-scan.ts'
import type { Segment } from './segment.ts'

/** A record found by its timestamp. */
export interface FoundRecord {
  readonly offset: Offset
  readonly timestampMs: TimestampMs
  readonly leaderEpoch: LeaderEpoch
}

/** The first record of at least `timestampMs` at or after `from`; null when there is none. */
export function findByTimestamp(
  segments: readonly Segment[],
  timestampMs: TimestampMs,
  from: Offset,
): FoundRecord | null {
  for (const segment of segments) {
    if (segment.largest.timestampMs < timestampMs || segment.endOffset <= from) continue
    const found = findIn(
      segment,
      timestampMs,
      from,
      (record) => record.timestampMs >= timestampMs && record.offset >= from,
    )
    if (found !== null) return found
  }
  return null
}

/**
 * The first record that has the largest timestamp of the batches at or after `from`; null when none
 * of them has a timestamp, or the record that has it lies before `from` in its batch.
 */
export function findLargestTimestamp(
  segments: readonly Segment[],
  from: Offset,
): FoundRecord | null {
  let best: Segment | null = null
  let bestMs: TimestampMs = -1
  for (const segment of segments) {
    if (segment.endOffset <= from) continue
    const largestMs = largestFrom(segment, from)
    if (largestMs > bestMs) [best, bestMs] = [segment, largestMs]
  }
  if (best === null) return null
  const test = (record: DecodedRecord): boolean =>
    record.timestampMs === bestMs && record.offset >= from
  return findIn(best, bestMs, from, test)
}

function largestFrom(segment: Segment, from: Offset): TimestampMs {
  if (segment.baseOffset >= from) return segment.largest.timestampMs
  let largestMs = -1
  segment.forEachBatch(from, (buffer, at) => {
    largestMs = Math.max(largestMs, batchMaxTimestamp(buffer, at))
    return true
  })
  return largestMs
}

function findIn(
  segment: Segment,
  timestampMs: TimestampMs,
  from: Offset,
  test: (record: DecodedRecord) => boolean,
): FoundRecord | null {
  let found: FoundRecord | null = null
  const start = Math.max(segment.positionBefore(timestampMs), segment.positionOf(from))
  scanBatches(segment.log, {
    from: start,
    end: segment.sizeBytes,
    whole: 'none',
    onBatch: (buffer, at, position) => {
      const isCandidate =
        batchMaxTimestamp(buffer, at) >= timestampMs && batchLastOffset(buffer, at) >= from
      if (isCandidate) found = findInBatch(segment, position, from, test)
      return found === null
    },
  })
  return found
}

/**
 * A batch whose records cannot be read (the broker does not unpack what it stores) answers as a
 * whole: its first offset and its largest timestamp. Null when the header claims a timestamp that
 * no record has.
 */
function findInBatch(
  segment: Segment,
  position: number,
  from: Offset,
  test: (record: DecodedRecord) => boolean,
): FoundRecord | null {
  const batch = segment.batchAt(position)
  const header = readBatchHeader(batch, 0)
  const leaderEpoch = header.partitionLeaderEpoch
  try {
    const record = readRecords(batch, 0).find(test)
    if (record === undefined) return null
    return { offset: record.offset, timestampMs: record.timestampMs, leaderEpoch }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const offset = Math.max(from, header.baseOffset)
    return { offset, timestampMs: header.maxTimestamp, leaderEpoch }
  }
}
