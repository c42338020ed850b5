import { assert } from '../../src/base/assert.ts'
import type { Offset } from '../../src/base/ids.ts'
import { BATCH_HEADER_BYTES, batchLastOffset, batchSizeBytes } from '../../src/wire/record-batch.ts'

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

/** The offset that follows the last of `records`, which are whole batches and at least one. */
export function offsetAfter(records: Buffer): Offset {
  assert(records.length >= BATCH_HEADER_BYTES, 'there is a batch')
  let lastPosition = 0
  for (let position = 0; position < records.length;) {
    lastPosition = position
    position += batchSizeBytes(records, position)
  }
  return batchLastOffset(records, lastPosition) + 1
}
