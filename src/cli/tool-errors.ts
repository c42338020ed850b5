import { KafketteError, TimeoutError } from '../base/errors.ts'
import { KafkaError } from '../client/index.ts'

/** A command line that an option parser cannot take; the message is the one that Kafka's tools print. */
export class OptionError extends KafketteError {
  constructor(message: string) {
    super('OPTION', message)
  }
}

/** Options that do not go together: the tool prints the message and its help, and ends with 1. */
export class UsageError extends KafketteError {
  constructor(message: string) {
    super('USAGE', message)
  }
}

/** What a tool refuses or finds failed. `javaClass` is the exception that Kafka's tool would name. */
export class ToolError extends KafketteError {
  readonly javaClass: string

  constructor(
    message: string,
    javaClass = 'java.lang.IllegalArgumentException',
    options?: { readonly cause?: unknown },
  ) {
    super('TOOL', message, options)
    this.javaClass = javaClass
  }
}

const PACKAGE = 'org.apache.kafka.common.errors'

/** Exceptions of Kafka's client whose names do not follow from the name of the error code. */
const JAVA_CLASSES: ReadonlyMap<string, string> = new Map([
  ['UNKNOWN_SERVER_ERROR', 'UnknownServerException'],
  ['CORRUPT_MESSAGE', 'CorruptRecordException'],
  ['REQUEST_TIMED_OUT', 'TimeoutException'],
  ['MESSAGE_TOO_LARGE', 'RecordTooLargeException'],
  ['STALE_CONTROLLER_EPOCH', 'ControllerMovedException'],
  ['OFFSET_METADATA_TOO_LARGE', 'OffsetMetadataTooLarge'],
  ['NETWORK_EXCEPTION', 'NetworkException'],
  ['INVALID_TOPIC_EXCEPTION', 'InvalidTopicException'],
  ['RECORD_LIST_TOO_LARGE', 'RecordBatchTooLargeException'],
  ['TOPIC_AUTHORIZATION_FAILED', 'TopicAuthorizationException'],
  ['GROUP_AUTHORIZATION_FAILED', 'GroupAuthorizationException'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'ClusterAuthorizationException'],
  ['TOPIC_ALREADY_EXISTS', 'TopicExistsException'],
  ['INVALID_CONFIG', 'InvalidConfigurationException'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'OutOfOrderSequenceException'],
  ['DUPLICATE_SEQUENCE_NUMBER', 'DuplicateSequenceException'],
  ['INVALID_PRODUCER_ID_MAPPING', 'InvalidPidMappingException'],
  ['INVALID_TRANSACTION_TIMEOUT', 'InvalidTxnTimeoutException'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'TransactionalIdAuthorizationException'],
  ['KAFKA_STORAGE_ERROR', 'KafkaStorageException'],
  ['SASL_AUTHENTICATION_FAILED', 'SaslAuthenticationException'],
  ['DELEGATION_TOKEN_AUTH_DISABLED', 'DelegationTokenDisabledException'],
  ['DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'UnsupportedByAuthenticationException'],
  ['DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'DelegationTokenAuthorizationException'],
  ['NON_EMPTY_GROUP', 'GroupNotEmptyException'],
  ['PRINCIPAL_DESERIALIZATION_FAILURE', 'PrincipalDeserializationException'],
  ['FETCH_SESSION_TOPIC_ID_ERROR', 'FetchSessionTopicIdException'],
  ['INVALID_REGULAR_EXPRESSION', 'InvalidRegularExpression'],
])

/** `org.apache.kafka.common.errors.TopicExistsException` for TOPIC_ALREADY_EXISTS. */
export function javaClassOf(error: KafkaError | TimeoutError): string {
  if (error instanceof TimeoutError) return `${PACKAGE}.TimeoutException`
  return `${PACKAGE}.${JAVA_CLASSES.get(error.code) ?? `${camelCase(error.code)}Exception`}`
}

/** True for what a cluster answered or did not answer, as opposed to what a tool itself refuses. */
export function isFromCluster(error: unknown): error is KafkaError | TimeoutError {
  return error instanceof KafkaError || error instanceof TimeoutError
}

/** `class: message`, as Java prints the cause of a failed request. */
export function causeText(error: KafkaError | TimeoutError): string {
  return `${javaClassOf(error)}: ${error.message}`
}

/** The message of an error as Kafka's tools see it: a failed request is wrapped, so its class comes before the text. */
export function executionMessage(error: Error): string {
  return isFromCluster(error) ? causeText(error) : error.message
}

/**
 * Names a request as Kafka's admin client does when no broker could be asked in time; the reason goes along as the
 * cause.
 */
export async function named<T>(call: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error
    const named = new TimeoutError(`Timed out waiting for a node assignment. Call: ${call}`)
    named.cause = error
    throw named
  }
}

function camelCase(code: string): string {
  return code
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('')
}
