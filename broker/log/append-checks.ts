import { WireError } from '../../src/base/errors.ts'
import type { LeaderEpoch, TimestampMs } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchMagic,
  batchSizeBytes,
  isBatchCrcValid,
  readRecords,
  type BatchHeader,
} from '../../src/wire/record-batch.ts'
import { headerProblem, tryReadBatchHeader } from './batch-scan.ts'
import { readInt64 } from './int64.ts'
import type { LogConfig } from './log-config.ts'

/** Magic stands at the same place in all formats; less than this is no message of any. */
const MESSAGE_BYTES_MIN = 17
const CODEC_MAX = 4
const NO_TIMESTAMP = -1

/** A record that made its batch be refused (KIP-467). */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string | null
}

export interface Refusal {
  readonly kind: 'refused'
  readonly error: ErrorCode
  readonly message: string
  readonly recordErrors: readonly RecordError[]
}

export interface AcceptedBatches {
  readonly kind: 'accepted'
  /** Whole batches only. */
  readonly records: Buffer
  /** As they stand in `records`, one after the other. */
  readonly headers: readonly BatchHeader[]
}

export interface AppendRules {
  readonly config: LogConfig
  readonly nowMs: TimestampMs
  readonly isTopicCompacted: boolean
}

/**
 * What a client sent for one partition: exactly one v2 batch whose header is consistent
 * (LogValidator and UnifiedLog.analyzeAndValidateRecords). Records are looked at only when a rule
 * is about them.
 */
export function checkClientRecords(records: Buffer, rules: AppendRules): AcceptedBatches | Refusal {
  const shape = oneBatch(records)
  if ('kind' in shape) return shape
  const { batch } = shape
  const { config } = rules
  if (readInt64(batch, 0) !== 0) {
    return refused(
      ErrorCode.INVALID_RECORD,
      `The base offset of a batch from a client must be 0, but it is ${readInt64(batch, 0)}`,
    )
  }
  if (batch.length > config.maxMessageBytes) return tooLarge(batch.length, config)
  if (!isBatchCrcValid(batch, 0)) {
    return refused(ErrorCode.CORRUPT_MESSAGE, 'The CRC of the batch does not match its bytes')
  }
  const header = tryReadBatchHeader(batch, 0)
  if (header === null)
    return refused(ErrorCode.INVALID_RECORD, 'The batch header has an illegal field')
  return (
    checkHeader(header) ??
    checkRecords(batch, header, rules) ??
    checkSegmentSize(batch.length, config) ?? {
      kind: 'accepted',
      records: batch,
      headers: [header],
    }
  )
}

/** What a coordinator or the quorum appends: made by ourselves, so only sizes can be wrong. */
export function checkInternalRecords(
  records: Buffer,
  config: LogConfig,
  isSizeLimited: boolean,
): AcceptedBatches | Refusal {
  const headers: BatchHeader[] = []
  for (let at = 0; at < records.length;) {
    const problem = headerProblem(records, at, records.length - at)
    const header = problem === null ? tryReadBatchHeader(records, at) : null
    if (header === null) {
      return refused(
        ErrorCode.INVALID_RECORD,
        `Not a record batch at ${at}: ${problem ?? 'a field'}`,
      )
    }
    if (isSizeLimited && header.sizeBytes > config.maxMessageBytes) {
      return tooLarge(header.sizeBytes, config)
    }
    headers.push(header)
    at += header.sizeBytes
  }
  if (headers.length === 0) return refused(ErrorCode.INVALID_RECORD, 'There is no record batch')
  return checkSegmentSize(records.length, config) ?? { kind: 'accepted', records, headers }
}

/**
 * What a leader sent: a cut batch at the end is left out, the others must be whole and uncorrupted. So is all from a
 * batch on that is of a later epoch than the leader that was asked.
 */
export function checkReplicatedRecords(
  records: Buffer,
  leaderEpoch: LeaderEpoch,
): AcceptedBatches | Refusal {
  const headers: BatchHeader[] = []
  let at = 0
  while (records.length - at >= BATCH_HEADER_BYTES) {
    const sizeBytes = batchSizeBytes(records, at)
    const problem = headerProblem(records, at, Math.max(sizeBytes, records.length - at))
    const header = problem === null ? tryReadBatchHeader(records, at) : null
    if (header === null) {
      return refused(
        ErrorCode.CORRUPT_MESSAGE,
        `Not a record batch at ${at}: ${problem ?? 'a field'}`,
      )
    }
    if (sizeBytes > records.length - at) break
    if (!isBatchCrcValid(records, at)) {
      return refused(ErrorCode.CORRUPT_MESSAGE, `Wrong CRC in the batch of ${header.baseOffset}`)
    }
    if (header.partitionLeaderEpoch > leaderEpoch) {
      if (headers.length > 0) break
      return refused(
        ErrorCode.CORRUPT_MESSAGE,
        `The batch of ${header.baseOffset} is of epoch ${header.partitionLeaderEpoch}, after epoch ${leaderEpoch}`,
      )
    }
    headers.push(header)
    at += sizeBytes
  }
  return { kind: 'accepted', records: records.subarray(0, at), headers }
}

/**
 * The one batch in what was sent, without a rest that is no whole batch (which Kafka ignores too).
 */
function oneBatch(records: Buffer): { readonly batch: Buffer } | Refusal {
  if (records.length < MESSAGE_BYTES_MIN) {
    return refused(ErrorCode.INVALID_RECORD, 'There is no record batch')
  }
  const magic = batchMagic(records, 0)
  if (magic === 0 || magic === 1) {
    return refused(ErrorCode.INVALID_RECORD, `Records must have magic 2, but have magic ${magic}`)
  }
  if (magic !== BATCH_MAGIC) {
    return refused(ErrorCode.CORRUPT_MESSAGE, `Records must have magic 2, but have magic ${magic}`)
  }
  const sizeBytes = batchSizeBytes(records, 0)
  if (sizeBytes < BATCH_HEADER_BYTES) {
    return refused(ErrorCode.CORRUPT_MESSAGE, `A record batch cannot have ${sizeBytes} bytes`)
  }
  if (sizeBytes > records.length) {
    return refused(
      ErrorCode.INVALID_RECORD,
      `The record batch of ${sizeBytes} bytes is cut short at ${records.length}`,
    )
  }
  const restBytes = records.length - sizeBytes
  if (restBytes >= MESSAGE_BYTES_MIN && batchSizeBytes(records, sizeBytes) <= restBytes) {
    return refused(ErrorCode.INVALID_RECORD, 'There must be exactly one record batch, but are more')
  }
  return { batch: restBytes === 0 ? records : records.subarray(0, sizeBytes) }
}

function checkHeader(header: BatchHeader): Refusal | null {
  const { recordCount, lastOffsetDelta, producerId } = header
  if (recordCount === 0 || lastOffsetDelta + 1 !== recordCount) {
    return refused(
      ErrorCode.INVALID_RECORD,
      `A last offset delta of ${lastOffsetDelta} does not fit ${recordCount} records`,
    )
  }
  if (header.isControl) {
    return refused(ErrorCode.INVALID_RECORD, 'Clients are not allowed to write control records')
  }
  if (header.codec > CODEC_MAX) {
    return refused(ErrorCode.INVALID_RECORD, `Unknown compression codec ${header.codec}`)
  }
  if (producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    return refused(
      ErrorCode.INVALID_RECORD,
      `Producer ${producerId} has sequence ${header.baseSequence} and epoch ${header.producerEpoch}; both must be at least 0`,
    )
  }
  if (header.isTransactional && producerId < 0) {
    return refused(ErrorCode.INVALID_RECORD, 'A transactional batch needs a producer id')
  }
  return null
}

/**
 * Rules about single records: keys on compacted topics, and timestamps where the header shows a
 * breach.
 */
function checkRecords(batch: Buffer, header: BatchHeader, rules: AppendRules): Refusal | null {
  const isCreateTime = rules.config.messageTimestampType === 'CreateTime'
  if (header.timestampType === 1) {
    const message = 'Producers must not set the timestamp type to LogAppendTime'
    return refused(ErrorCode.INVALID_TIMESTAMP, message, [{ batchIndex: 0, message }])
  }
  const mustCheckTimes = isCreateTime && mayBreakTimes(header, rules)
  if (!rules.isTopicCompacted && !mustCheckTimes) return null
  let records
  try {
    records = readRecords(batch, 0)
  } catch (error) {
    if (error instanceof WireError) return refused(ErrorCode.INVALID_RECORD, error.message)
    throw error
  }
  const keyless: RecordError[] = []
  const untimely: RecordError[] = []
  records.forEach((record, batchIndex) => {
    if (rules.isTopicCompacted && record.key === null) {
      keyless.push({ batchIndex, message: 'Compacted topic cannot accept message without key' })
    } else if (mustCheckTimes && isUntimely(record.timestampMs, rules)) {
      untimely.push({ batchIndex, message: `Timestamp ${record.timestampMs} is out of range` })
    }
  })
  const all = [...keyless, ...untimely].sort((a, b) => a.batchIndex - b.batchIndex)
  if (untimely.length > 0) {
    const message = 'One or more records have been rejected due to invalid timestamp'
    return refused(ErrorCode.INVALID_TIMESTAMP, message, all)
  }
  if (all.length === 0) return null
  const message = `One or more records have been rejected due to ${all.length} record errors`
  return refused(ErrorCode.INVALID_RECORD, message, all)
}

/**
 * The largest timestamp stands in the header; the smallest does not, so a lower limit needs the
 * records.
 */
function mayBreakTimes(header: BatchHeader, rules: AppendRules): boolean {
  return (
    rules.config.messageTimestampBeforeMaxMs !== Infinity || isUntimely(header.maxTimestamp, rules)
  )
}

function isUntimely(timestampMs: TimestampMs, rules: AppendRules): boolean {
  if (timestampMs === NO_TIMESTAMP) return false
  const ageMs = rules.nowMs - timestampMs
  const { messageTimestampBeforeMaxMs, messageTimestampAfterMaxMs } = rules.config
  return ageMs > messageTimestampBeforeMaxMs || -ageMs > messageTimestampAfterMaxMs
}

function checkSegmentSize(sizeBytes: number, config: LogConfig): Refusal | null {
  if (sizeBytes <= config.segmentBytes) return null
  return refused(
    ErrorCode.RECORD_LIST_TOO_LARGE,
    `${sizeBytes} bytes of records exceed the segment size of ${config.segmentBytes}`,
  )
}

function tooLarge(sizeBytes: number, config: LogConfig): Refusal {
  return refused(
    ErrorCode.MESSAGE_TOO_LARGE,
    `The record batch size of ${sizeBytes} bytes exceeds the maximum of ${config.maxMessageBytes}`,
  )
}

function refused(
  error: ErrorCode,
  message: string,
  recordErrors: readonly RecordError[] = [],
): Refusal {
  return { kind: 'refused', error, message, recordErrors }
}
