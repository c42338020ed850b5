import { WireError } from '../../src/base/errors.ts'
import type { LeaderEpoch } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchMagic,
  batchSizeBytes,
  isBatchCrcValid,
  readBatchHeader,
  readRecords,
  setCreateTime,
  writeBatch,
  type BatchHeader,
} from '../../src/wire/record-batch.ts'
import { headerProblem, tryReadBatchHeader } from './batch-scan.ts'
import { readInt64 } from './int64.ts'
import type { LogConfig } from './log-config.ts'
import {
  summarizeRecords,
  type RecordError,
  type RecordRules,
  type RecordSummary,
} from './record-checks.ts'

/** Magic stands at the same place in all formats; less than this is no message of any. */
const MESSAGE_BYTES_MIN = 17
const CODEC_MAX = 4
/** So many of the refused records stand in the message; all are in the answer. */
const SHOWN_ERRORS_MAX = 3

export interface Refusal {
  readonly kind: 'refused'
  readonly error: ErrorCode
  readonly message: string
  readonly recordErrors: readonly RecordError[]
  /** What is wrong is the request, so it never came to the log and nothing is told of that. */
  readonly isRequestFault: boolean
}

export interface AcceptedBatches {
  readonly kind: 'accepted'
  /** Whole batches only. */
  readonly records: Buffer
  /** As they stand in `records`, one after the other. */
  readonly headers: readonly BatchHeader[]
}

/**
 * What a client sent for one partition: exactly one v2 batch, consistent and readable to the last record
 * (UnifiedLog.analyzeAndValidateRecords, then LogValidator, and in their order). With compression.type or offsets that
 * the batch does not have yet the accepted batch is another one.
 */
export function checkClientRecords(records: Buffer, rules: RecordRules): AcceptedBatches | Refusal {
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
  if (header === null) {
    return refused(ErrorCode.INVALID_RECORD, 'The batch header has an illegal field')
  }
  const problem = checkHeader(header)
  if (problem !== null) return problem
  const summary = summarizeRecords(batch, header, rules)
  if (summary.kind === 'broken') {
    const { isUnreadable, message } = summary
    return refused(
      isUnreadable ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode.INVALID_RECORD,
      message,
    )
  }
  if (summary.errors.length > 0) return refusedRecords(summary)
  const accepted = acceptedBatch(batch, header, summary, config)
  if (accepted.kind === 'refused') return accepted
  const sizeBytes = accepted.records.length
  if (sizeBytes > config.maxMessageBytes) return tooLarge(sizeBytes, config)
  return checkSegmentSize(sizeBytes, config) ?? accepted
}

/**
 * The batch as it is stored: in the topic's codec, with the largest timestamp of its records. Kafka cannot give new
 * offsets to compressed records whose codec stays: it has skipped their values.
 */
function acceptedBatch(
  batch: Buffer,
  header: BatchHeader,
  summary: RecordSummary,
  config: LogConfig,
): AcceptedBatches | Refusal {
  const codec = config.compressionCodec ?? header.codec
  if (codec !== header.codec) return recompressed(batch, header, config)
  if (header.codec !== 0 && !summary.hasPlainOffsets) {
    return refused(ErrorCode.UNKNOWN_SERVER_ERROR, 'The offsets of the records do not follow')
  }
  const isCreateTime = config.messageTimestampType === 'CreateTime'
  const { maxTimestamp } = summary
  const isAsTold = header.maxTimestamp === maxTimestamp && header.timestampType === 0
  if (!isCreateTime || isAsTold) return { kind: 'accepted', records: batch, headers: [header] }
  setCreateTime(batch, 0, maxTimestamp)
  return { kind: 'accepted', records: batch, headers: [readBatchHeader(batch, 0)] }
}

function recompressed(
  batch: Buffer,
  header: BatchHeader,
  config: LogConfig,
): AcceptedBatches | Refusal {
  let records
  try {
    records = readRecords(batch, 0)
  } catch (error) {
    if (error instanceof WireError) return refused(ErrorCode.INVALID_RECORD, error.message)
    throw error
  }
  const written = writeBatch({
    records,
    timestampMs: header.baseTimestamp,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: header.isTransactional,
    codec: config.compressionCodec ?? 0,
    ...(config.compressionLevel === null ? {} : { compressionLevel: config.compressionLevel }),
  })
  return { kind: 'accepted', records: written, headers: [readBatchHeader(written, 0)] }
}

function refusedRecords({ errors, isUntimely }: RecordSummary): Refusal {
  if (isUntimely) {
    const message = 'One or more records have been rejected due to invalid timestamp'
    return refused(ErrorCode.INVALID_TIMESTAMP, message, errors)
  }
  const shown = errors
    .slice(0, SHOWN_ERRORS_MAX)
    .map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`)
  const message = `One or more records have been rejected due to ${errors.length} record errors in total, and only showing the first three errors at most: [${shown.join(', ')}]`
  return refused(ErrorCode.INVALID_RECORD, message, errors)
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
    return requestFault(ErrorCode.INVALID_RECORD, 'There is no record batch')
  }
  const magic = batchMagic(records, 0)
  if (magic === 0 || magic === 1) {
    return requestFault(
      ErrorCode.INVALID_RECORD,
      `Records must have magic 2, but have magic ${magic}`,
    )
  }
  if (magic !== BATCH_MAGIC) {
    return requestFault(
      ErrorCode.CORRUPT_MESSAGE,
      `Records must have magic 2, but have magic ${magic}`,
    )
  }
  const sizeBytes = batchSizeBytes(records, 0)
  if (sizeBytes < BATCH_HEADER_BYTES) {
    return requestFault(ErrorCode.CORRUPT_MESSAGE, `A record batch cannot have ${sizeBytes} bytes`)
  }
  if (sizeBytes > records.length) {
    return requestFault(
      ErrorCode.INVALID_RECORD,
      `The record batch of ${sizeBytes} bytes is cut short at ${records.length}`,
    )
  }
  const restBytes = records.length - sizeBytes
  if (restBytes >= MESSAGE_BYTES_MIN && batchSizeBytes(records, sizeBytes) <= restBytes) {
    return requestFault(
      ErrorCode.INVALID_RECORD,
      'There must be exactly one record batch, but are more',
    )
  }
  return { batch: restBytes === 0 ? records : records.subarray(0, sizeBytes) }
}

/** An unknown codec is found before anything else, and is as unexpected to Kafka as it is to us. */
function checkHeader(header: BatchHeader): Refusal | null {
  const { recordCount, lastOffsetDelta, producerId } = header
  if (header.codec > CODEC_MAX) {
    return refused(ErrorCode.UNKNOWN_SERVER_ERROR, `Unknown compression codec ${header.codec}`)
  }
  if (recordCount === 0 || lastOffsetDelta + 1 !== recordCount) {
    return refused(
      ErrorCode.INVALID_RECORD,
      `A last offset delta of ${lastOffsetDelta} does not fit ${recordCount} records`,
    )
  }
  if (header.isControl) {
    return refused(ErrorCode.INVALID_RECORD, 'Clients are not allowed to write control records')
  }
  if (producerId >= 0 && header.baseSequence < 0) {
    return refused(
      ErrorCode.INVALID_RECORD,
      `Producer ${producerId} has sequence ${header.baseSequence}; it must be at least 0`,
    )
  }
  if (header.isTransactional && producerId < 0) {
    return refused(ErrorCode.INVALID_RECORD, 'A transactional batch needs a producer id')
  }
  return null
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
  return { kind: 'refused', error, message, recordErrors, isRequestFault: false }
}

function requestFault(error: ErrorCode, message: string): Refusal {
  return { ...refused(error, message), isRequestFault: true }
}
