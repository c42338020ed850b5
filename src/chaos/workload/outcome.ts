import { ConnectionError, KafketteError, TimeoutError } from '../../base/errors.ts'
import { KafkaError } from '../../client/kafka-error.ts'
import { ErrorCode } from '../../wire/error-codes.ts'

/** How an operation that did not succeed ended. A wrong `fail` is a false alarm, a wrong `info` hides a bug. */
export type Unsuccessful = 'fail' | 'info'

type Reasons = ReadonlyMap<number, string>

/**
 * Produce errors that say: nothing was appended by this request and nothing will be. Everything that is not listed
 * is `info`, above all
 * - NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID: refused before the append, or told to
 *   a request that had appended and was waiting for its replicas when leadership or topic went away;
 * - REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND: appended, and it may be committed later;
 * - KAFKA_STORAGE_ERROR, UNKNOWN_SERVER_ERROR: it may have failed after the bytes reached the file;
 * - DUPLICATE_SEQUENCE_NUMBER: an earlier attempt was appended, at an offset that is not told.
 */
const SEND_REFUSALS: Reasons = new Map([
  [ErrorCode.NOT_ENOUGH_REPLICAS, 'checked before the append (19, not 20)'],
  [ErrorCode.CORRUPT_MESSAGE, 'the CRC is checked before the append'],
  [ErrorCode.INVALID_RECORD, 'records are validated before the append'],
  [ErrorCode.INVALID_TIMESTAMP, 'records are validated before the append'],
  [ErrorCode.MESSAGE_TOO_LARGE, 'sizes are checked before the append'],
  [ErrorCode.RECORD_LIST_TOO_LARGE, 'sizes are checked before the append'],
  [ErrorCode.INVALID_REQUIRED_ACKS, 'the request itself is refused'],
  [ErrorCode.INVALID_REQUEST, 'the request itself is refused'],
  [ErrorCode.UNSUPPORTED_VERSION, 'the request itself is refused'],
  [ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, 'the request itself is refused'],
  [ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, 'the request itself is refused'],
  [ErrorCode.INVALID_TOPIC_EXCEPTION, 'the name is checked before the append'],
  [ErrorCode.POLICY_VIOLATION, 'checked before the append'],
  [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'authorised before the append'],
  [ErrorCode.CLUSTER_AUTHORIZATION_FAILED, 'authorised before the append'],
  [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 'producer state is checked before the append'],
  [ErrorCode.INVALID_PRODUCER_EPOCH, 'producer state is checked before the append'],
  [ErrorCode.PRODUCER_FENCED, 'producer state is checked before the append'],
  [ErrorCode.UNKNOWN_PRODUCER_ID, 'producer state is checked before the append'],
  [ErrorCode.INVALID_TXN_STATE, 'producer state is checked before the append'],
])

/**
 * OffsetCommit errors that leave the committed offset as it was. NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE
 * are `info`: they also stand for a write that was appended and whose commit was not waited for to the end.
 */
const COMMIT_REFUSALS: Reasons = new Map([
  [ErrorCode.ILLEGAL_GENERATION, 'membership is checked before the append'],
  [ErrorCode.UNKNOWN_MEMBER_ID, 'membership is checked before the append'],
  [ErrorCode.REBALANCE_IN_PROGRESS, 'membership is checked before the append'],
  [ErrorCode.FENCED_INSTANCE_ID, 'membership is checked before the append'],
  [ErrorCode.FENCED_MEMBER_EPOCH, 'membership is checked before the append'],
  [ErrorCode.STALE_MEMBER_EPOCH, 'membership is checked before the append'],
  [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 'nothing is written while the log is read'],
  [ErrorCode.INVALID_GROUP_ID, 'the request itself is refused'],
  [ErrorCode.GROUP_ID_NOT_FOUND, 'the request itself is refused'],
  [ErrorCode.UNSUPPORTED_VERSION, 'the request itself is refused'],
  [ErrorCode.INVALID_REQUEST, 'the request itself is refused'],
  [ErrorCode.GROUP_AUTHORIZATION_FAILED, 'authorised before the append'],
  [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'authorised before the append'],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'the topic is looked up before the append'],
  [ErrorCode.UNKNOWN_TOPIC_ID, 'the topic is looked up before the append'],
  [ErrorCode.OFFSET_METADATA_TOO_LARGE, 'checked before the append'],
  [ErrorCode.INVALID_COMMIT_OFFSET_SIZE, 'checked before the append'],
])

/**
 * CreateTopics and DeleteTopics errors of a first attempt that changed nothing. REQUEST_TIMED_OUT,
 * NOT_CONTROLLER and UNKNOWN_SERVER_ERROR may come after the records were written: `info`.
 */
const ADMIN_REFUSALS: Reasons = new Map([
  [ErrorCode.TOPIC_ALREADY_EXISTS, 'looked up before the change'],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'looked up before the change'],
  [ErrorCode.UNKNOWN_TOPIC_ID, 'looked up before the change'],
  [ErrorCode.INVALID_TOPIC_EXCEPTION, 'validated before the change'],
  [ErrorCode.INVALID_PARTITIONS, 'validated before the change'],
  [ErrorCode.INVALID_REPLICATION_FACTOR, 'validated before the change'],
  [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'validated before the change'],
  [ErrorCode.INVALID_CONFIG, 'validated before the change'],
  [ErrorCode.INVALID_REQUEST, 'the request itself is refused'],
  [ErrorCode.UNSUPPORTED_VERSION, 'the request itself is refused'],
  [ErrorCode.POLICY_VIOLATION, 'validated before the change'],
  [ErrorCode.TOPIC_DELETION_DISABLED, 'validated before the change'],
  [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'authorised before the change'],
  [ErrorCode.CLUSTER_AUTHORIZATION_FAILED, 'authorised before the change'],
  [ErrorCode.THROTTLING_QUOTA_EXCEEDED, 'refused before the change'],
])

const TABLES = { send: SEND_REFUSALS, commit: COMMIT_REFUSALS, admin: ADMIN_REFUSALS } as const

export type OutcomeTable = keyof typeof TABLES

/**
 * The class of one attempt's error. Of an operation with several attempts, `fail` needs that every one was a
 * refusal: one attempt that may have taken effect makes the whole `info`.
 */
export function outcomeOf(table: OutcomeTable, error: Error): Unsuccessful {
  if (!(error instanceof KafkaError)) return 'info'
  return TABLES[table].has(error.errorCode) ? 'fail' : 'info'
}

/** An error as histories name it: Kafka's name, `TIMEOUT` or `DISCONNECTED`. */
export function errorNameOf(error: Error): string {
  if (error instanceof TimeoutError) return 'TIMEOUT'
  if (error instanceof ConnectionError) return 'DISCONNECTED'
  if (error instanceof KafketteError) return error.code
  return 'UNKNOWN'
}

/** The error of an answer's code; null for NONE. */
export function errorOfCode(code: number): KafkaError | null {
  return code === ErrorCode.NONE ? null : new KafkaError(code)
}
