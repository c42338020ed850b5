/** Record batches (magic 2): KIP-98. A batch stays bytes; only its header is looked at on the way. */
export type { BatchHeader, CodecId } from './batch-header.ts'
export type { BatchInput, DecodedRecord, RecordHeader, RecordInput } from './batch-records.ts'
export {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  CODEC_MASK,
  TRANSACTIONAL_BIT,
  batchAttributes,
  batchBaseOffset,
  batchLastOffset,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchSizeBytes,
  deleteHorizonMsOf,
  forEachBatch,
  isBatchCrcValid,
  patchBatch,
  readBatchHeader,
  setCreateTime,
  setLogAppendTime,
} from './batch-header.ts'
export { readRecords, rewriteBatch, writeBatch } from './batch-records.ts'
