import type { Offset, TimestampMs } from '../../src/base/ids.ts'
import type { LogConfig } from './log-config.ts'
import { OFFSET_ENTRY_BYTES } from './offset-index.ts'
import type { Segment } from './segment.ts'
import { TIME_ENTRY_BYTES } from './time-index.ts'

const INT32_MAX = 0x7fff_ffff

export interface CleanableQuestion {
  readonly segments: readonly Segment[]
  readonly config: LogConfig
  /** Where the last compaction ended. */
  readonly cleanedTo: Offset
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  /** Nothing at or above can be compacted: it is not committed, not decided or not yet durable. */
  readonly limit: Offset
  readonly nowMs: TimestampMs
}

/** What compaction could do for a log. */
export interface Cleanable {
  readonly firstDirtyOffset: Offset
  /** Begin of a segment. */
  readonly firstUncleanableOffset: Offset
  /** In segments from the first dirty offset on. */
  readonly cleanableBytes: number
  /** `cleanableBytes` to all bytes below `firstUncleanableOffset`; 0 when there are none. */
  readonly ratio: number
  /** A record has waited longer than max.compaction.lag.ms. */
  readonly isOverdue: boolean
}

/**
 * The part of a log that may be compacted (LogCleanerManager.cleanableOffsets): never the active segment, nothing at
 * or above the last stable offset, nothing younger than min.compaction.lag.ms.
 */
export function cleanableOf(question: CleanableQuestion): Cleanable {
  const { segments, cleanedTo, logStartOffset, logEndOffset } = question
  const isSound = cleanedTo >= logStartOffset && cleanedTo <= logEndOffset
  const firstDirtyOffset = isSound ? cleanedTo : logStartOffset
  const endIndex = uncleanableIndex(question, firstDirtyOffset)
  const firstUncleanableOffset = segments[endIndex]?.baseOffset ?? firstDirtyOffset
  let cleanBytes = 0
  let cleanableBytes = 0
  for (const [index, segment] of segments.slice(0, endIndex).entries()) {
    if (isDirty(segments, index, firstDirtyOffset)) cleanableBytes += segment.sizeBytes
    else cleanBytes += segment.sizeBytes
  }
  const totalBytes = cleanBytes + cleanableBytes
  return {
    firstDirtyOffset,
    firstUncleanableOffset,
    cleanableBytes,
    ratio: totalBytes === 0 ? 0 : cleanableBytes / totalBytes,
    isOverdue: isOverdue(question, firstDirtyOffset),
  }
}

/**
 * Neighbours that together become one segment, as few as the limits of a segment allow (Cleaner.groupSegmentsBySize).
 * `segments` are all that are to be compacted, `endOffset` is where the next one begins.
 */
export function groupSegments(
  segments: readonly Segment[],
  endOffset: Offset,
  config: LogConfig,
): readonly (readonly Segment[])[] {
  const groups: Segment[][] = []
  let group: Segment[] = []
  segments.forEach((segment, index) => {
    const next = segments[index + 1]?.baseOffset ?? endOffset
    if (group.length > 0 && !fits(group, segment, next, config)) group = []
    if (group.length === 0) groups.push(group)
    group.push(segment)
  })
  return groups
}

function fits(
  group: readonly Segment[],
  segment: Segment,
  endOffset: Offset,
  config: LogConfig,
): boolean {
  const all = [...group, segment]
  const sum = (size: (each: Segment) => number): number =>
    all.reduce((total, each) => total + size(each), 0)
  const base = group[0]?.baseOffset ?? 0
  return (
    sum((each) => each.sizeBytes) <= config.segmentBytes &&
    sum((each) => each.offsetIndex.count * OFFSET_ENTRY_BYTES) <= config.segmentIndexBytes &&
    sum((each) => each.timeIndex.count * TIME_ENTRY_BYTES) <= config.segmentIndexBytes &&
    (segment.sizeBytes === 0 || endOffset - 1 - base <= INT32_MAX)
  )
}

/** Index of the first segment that must stay as it is. */
function uncleanableIndex(question: CleanableQuestion, firstDirtyOffset: Offset): number {
  const { segments, config, limit, nowMs } = question
  const youngMs = nowMs - config.minCompactionLagMs
  const index = segments.findIndex((segment, at) => {
    const next = segments[at + 1]
    if (next === undefined || next.baseOffset > limit) return true
    if (config.minCompactionLagMs <= 0 || !isDirty(segments, at, firstDirtyOffset)) return false
    return segment.largest.timestampMs > youngMs
  })
  return Math.max(0, index)
}

/** Whether a closed segment reaches beyond the first dirty offset. */
function isDirty(segments: readonly Segment[], index: number, firstDirtyOffset: Offset): boolean {
  const next = segments[index + 1]
  return next !== undefined && next.baseOffset > firstDirtyOffset
}

/** The age of a segment counts from its first batch. */
function isOverdue(
  { segments, config, nowMs }: CleanableQuestion,
  firstDirtyOffset: Offset,
): boolean {
  return segments.some(
    ({ firstTimestampMs }, index) =>
      isDirty(segments, index, firstDirtyOffset) &&
      firstTimestampMs > 0 &&
      firstTimestampMs < nowMs - config.maxCompactionLagMs,
  )
}
