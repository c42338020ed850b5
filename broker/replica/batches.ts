import { BATCH_HEADER_BYTES, batchSizeBytes } from '../../src/wire/record-batch.ts'

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
