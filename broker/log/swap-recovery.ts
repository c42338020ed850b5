import type { Offset } from '../../src/base/ids.ts'
import type { Disk } from '../../src/ports/disk.ts'
import { batchLastOffset } from '../../src/wire/record-batch.ts'
import { scanBatches } from './batch-scan.ts'
import {
  parseSegmentFileName,
  SEGMENT_KINDS,
  segmentFileName,
  SWAP_SUFFIX,
  type SegmentFileKind,
} from './log-file-names.ts'

export interface SwapRecoveryOptions {
  readonly disk: Disk
  readonly directory: string
  /** Everything below was synced. */
  readonly recoveryPoint: Offset
  readonly onFinished: (baseOffset: Offset, endOffset: Offset) => void
}

/**
 * Ends what a stop has interrupted of a compaction. A log under `.swap` is whole and durable: it takes the place of all
 * segments that begin within it. One that reaches over the recovery point is of a log that was cut since, so
 * it counts for nothing; the segments that it was made of are still there then. What is left of others goes.
 */
export function finishSwaps(options: SwapRecoveryOptions): void {
  const { disk, directory } = options
  for (const name of disk.list(directory)) {
    if (!name.endsWith(SWAP_SUFFIX)) continue
    const file = parseSegmentFileName(name.slice(0, -SWAP_SUFFIX.length))
    if (file?.kind === 'log') finishSwap(file.offset, options)
  }
  for (const name of disk.list(directory)) {
    if (name.endsWith(SWAP_SUFFIX)) disk.remove(`${directory}/${name}`)
  }
}

function finishSwap(baseOffset: Offset, options: SwapRecoveryOptions): void {
  const { disk, directory, recoveryPoint, onFinished } = options
  const path = (kind: SegmentFileKind, suffix: string): string =>
    `${directory}/${segmentFileName(baseOffset, kind)}${suffix}`
  const { endOffset, isWhole } = readEnd(disk, path('log', SWAP_SUFFIX), baseOffset)
  const mayBeOld = endOffset > recoveryPoint || !isWhole
  if (mayBeOld && disk.exists(path('log', ''))) return
  for (const name of disk.list(directory).toReversed()) {
    const file = parseSegmentFileName(name)
    if (file === null || file.kind === 'snapshot') continue
    const isReplaced = file.offset > baseOffset && file.offset < endOffset
    if (isReplaced) disk.remove(`${directory}/${name}`)
  }
  for (const kind of SEGMENT_KINDS) {
    if (disk.exists(path(kind, SWAP_SUFFIX))) disk.rename(path(kind, SWAP_SUFFIX), path(kind, ''))
  }
  onFinished(baseOffset, endOffset)
}

function readEnd(
  disk: Disk,
  path: string,
  baseOffset: Offset,
): { readonly endOffset: Offset; readonly isWhole: boolean } {
  const file = disk.open(path)
  try {
    let endOffset = baseOffset
    const { problem } = scanBatches(file, {
      from: 0,
      end: file.size(),
      whole: 'none',
      onBatch: (buffer, at) => {
        endOffset = batchLastOffset(buffer, at) + 1
        return true
      },
    })
    return { endOffset, isWhole: problem === null }
  } finally {
    file.close()
  }
}
