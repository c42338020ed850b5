import type { Offset } from '../../src/base/ids.ts'
import { BATCH_HEADER_BYTES, batchSizeBytes } from '../../src/wire/record-batch.ts'
import { wholeBatches as walkBatches } from '../log/batch-scan.ts'

/** The whole batches at the start of `records`: a leader may cut the last one at the byte limit. */
export function wholeBatches(records: Buffer): Buffer {
  let position = 0
  while (position + BATCH_HEADER_BYTES <= records.length) {
    const sizeBytes = batchSizeBytes(records, position)
    if (sizeBytes < BATCH_HEADER_BYTES || position + sizeBytes > records.length) break
    position += sizeBytes
  }
  return position === records.length ? records : records.subarray(0, position)
}

/**
 * The offset that follows the last of `records`, which are to be whole batches and at least one. Null when they are
 * not: a read up to the log end hands out what the disk gives, and a disk can give anything.
 */
export function offsetAfter(records: Buffer): Offset | null {
  const { sizeBytes, nextOffset, problem } = walkBatches(records, Infinity)
  const isWhole = problem === null && sizeBytes === records.length
  return isWhole && nextOffset >= 0 ? nextOffset : null
}
