import type { Offset, TimestampMs } from '../../src/base/ids.ts'
import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

export interface RetentionQuestion {
  readonly segments: readonly Segment[]
  readonly config: LogConfig
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  readonly nowMs: TimestampMs
}

/**
 * How many of the oldest segments may go (UnifiedLog.deleteOldSegments): those too old, those
 * beyond the size, those wholly below the log start; never one that reaches over the high
 * watermark, never an empty last one. All of them may go: the caller rolls first, so a segment is
 * always left.
 */
export function expiredSegments(question: RetentionQuestion): number {
  const { segments, config, logStartOffset, highWatermark, nowMs } = question
  const mayDelete = config.cleanupPolicy.includes('delete')
  let excessBytes =
    mayDelete && config.retentionBytes >= 0
      ? segments.reduce((sum, segment) => sum + segment.sizeBytes, 0) - config.retentionBytes
      : -1
  let count = 0
  for (const segment of segments) {
    const next = segments[count + 1]
    const endOffset = next?.baseOffset ?? segment.endOffset
    if (endOffset > highWatermark || (next === undefined && segment.sizeBytes === 0)) break
    const isBelowStart = next !== undefined && endOffset <= logStartOffset
    const isTooOld = mayDelete && isOlderThan(segment, config.retentionMs, nowMs)
    const isTooMuch = excessBytes >= segment.sizeBytes
    if (!isBelowStart && !isTooOld && !isTooMuch) break
    excessBytes -= segment.sizeBytes
    count += 1
  }
  return count
}

function isOlderThan(segment: Segment, retentionMs: number, nowMs: TimestampMs): boolean {
  if (retentionMs < 0) return false
  return nowMs - segment.lastModifiedMs > retentionMs
}
