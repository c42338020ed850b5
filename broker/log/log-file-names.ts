import type { Offset } from '../../src/base/ids.ts'

export const EPOCH_CHECKPOINT_FILE = 'leader-epoch-checkpoint'
export const PARTITION_METADATA_FILE = 'partition.metadata'
/** Files that are replaced as a whole are written under this ending first. */
export const TEMPORARY_SUFFIX = '.tmp'

/** A file of a segment that is wanted no longer and waits for its removal. */
export const DELETED_SUFFIX = '.deleted'
/** A segment that compaction is still writing. */
export const CLEANED_SUFFIX = '.cleaned'
/** A compacted segment that is whole and synced, and about to take the place of those it was made of. */
export const SWAP_SUFFIX = '.swap'
/** The files of a segment, the log last: what is renamed in this order is whole once the log has its name. */
export const SEGMENT_KINDS = ['txnindex', 'timeindex', 'index', 'log'] as const

const OFFSET_DIGITS = 20
const SEGMENT_FILE = /^(\d{20})\.(log|index|timeindex|txnindex|snapshot)$/
/** Left by a stop in the middle of a deletion, a compaction or an atomic replacement. */
const LEFT_OVER = /\.(deleted|cleaned|tmp)$/

export type SegmentFileKind = 'log' | 'index' | 'timeindex' | 'txnindex' | 'snapshot'

export interface SegmentFileName {
  readonly offset: Offset
  readonly kind: SegmentFileKind
}

/**
 * `00000000000000000042.log`; a snapshot is named after its end offset, all others after the base
 * offset.
 */
export function segmentFileName(offset: Offset, kind: SegmentFileKind): string {
  return `${String(offset).padStart(OFFSET_DIGITS, '0')}.${kind}`
}

/** Null for names that belong to no segment. */
export function parseSegmentFileName(name: string): SegmentFileName | null {
  const parts = SEGMENT_FILE.exec(name)
  if (parts === null) return null
  const offset = Number(parts[1])
  if (!Number.isSafeInteger(offset)) return null
  return { offset, kind: parts[2] as SegmentFileKind }
}

export function isLeftOver(name: string): boolean {
  return LEFT_OVER.test(name)
}
