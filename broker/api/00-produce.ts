// Versions: 3-13 (0 is advertised as the minimum, see 18-api-versions).
// Behaviour: acks 0, 1 and all; a batch is stored as the bytes that came, with offset and leader epoch filled in;
//   the checks and their order are Kafka's (semantics of ReplicaManager and UnifiedLog).
// Added: v5 log start offset; v8 record errors; v10 current leader and its endpoint; v13 topic ids.
//   v11 TRANSACTION_ABORTABLE; v12 adds partitions to the transaction implicitly (KIP-890).
// Not done: nothing known.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  produceApi,
  type ProduceRequest,
  type ProduceResponse,
} from '../../src/wire/messages/00-produce.ts'
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  CODEC_MASK,
  TRANSACTIONAL_BIT,
  batchAttributes,
  batchMagic,
} from '../../src/wire/record-batch.ts'
import type { Input } from '../../src/wire/schema.ts'
import { isInternalTopic } from '../metadata/topic-name.ts'
import type { AppendPartitionResult } from '../replica/delayed-produce.ts'
import type { TransactionSupport } from '../replica/transaction-verifier.ts'
import type { ApiHandler, RequestContext, Respond } from '../server/request-context.ts'
import { mergedTopics } from './repeated-topics.ts'
import { leaderEndpoints, resolveTopic } from './topic-lookup.ts'

type TopicAnswer = NonNullable<Input<ProduceResponse>['responses']>[number]
type PartitionAnswer = NonNullable<TopicAnswer['partitionResponses']>[number]
type TopicData = ProduceRequest['topicData'][number]

interface Entry {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly records: Buffer
}

const CURRENT_LEADER_VERSION = 10
/** From these on clients know TRANSACTION_ABORTABLE, and leave it to the broker to add partitions (KIP-890). */
const ABORTABLE_VERSION = 11
const IMPLICIT_TRANSACTION_VERSION = 12
/** Before it nobody knows zstd (KIP-110). */
const ZSTD_VERSION = 7
const ZSTD = 4
const ADMIN_CLIENT_ID = '__admin_client'
const NO_OFFSETS = { baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 }

export const produceHandler: ApiHandler<ProduceRequest, ProduceResponse> = {
  api: produceApi,
  minVersion: 3,
  maxVersion: 13,
  listeners: ['broker'],
  handle(context, given, respond) {
    const request = { ...given, topicData: eachOnce(given.topicData) }
    const answers = new Answers(request, context.apiVersion)
    const refusal = refusalOfAll(request)
    const entries: Entry[] = []
    for (const topic of request.topicData) {
      entries.push(...acceptedEntries(context, topic, refusal, answers))
    }
    context.services.replicas.append({
      requiredAcks: request.acks,
      timeoutMs: request.timeoutMs,
      origin: 'client',
      entries,
      ...transactionOf(context, request),
      respond: (results) => {
        for (const result of results) answers.put(result)
        finish(context, request, answers, respond)
      },
    })
  },
}

/** Of a partition that is given twice, the last batches count (a map in Kafka). */
function eachOnce(topics: readonly TopicData[]): TopicData[] {
  return mergedTopics(topics, {
    key: ({ name, topicId }) => (name === '' ? topicId : name),
    partitions: ({ partitionData }) => partitionData,
    with: (topic, partitions) => {
      const last = new Map(partitions.map((each) => [each.index, each]))
      return { ...topic, partitionData: [...last.values()] }
    },
  })
}

function refusalOfAll(request: ProduceRequest): number {
  if (request.acks !== -1 && request.acks !== 0 && request.acks !== 1) {
    return ErrorCode.INVALID_REQUIRED_ACKS
  }
  if (request.transactionalId === null && hasTransactionalRecords(request)) {
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  return ErrorCode.NONE
}

/** A request without transactional records needs no coordinator, whatever id it names. */
function transactionOf({ apiVersion }: RequestContext, request: ProduceRequest) {
  const { transactionalId } = request
  if (transactionalId === null) return {}
  return { transaction: { transactionalId, support: supportOf(apiVersion) } }
}

/** What is known of the client by the version it speaks. */
function supportOf(version: number): TransactionSupport {
  if (version >= IMPLICIT_TRANSACTION_VERSION) return 'implicit'
  return version >= ABORTABLE_VERSION ? 'abortable' : 'old'
}

function hasTransactionalRecords(request: ProduceRequest): boolean {
  return request.topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => (attributesOf(records) & TRANSACTIONAL_BIT) !== 0),
  )
}

/** Of the first batch; 0 when there is none of magic 2. */
function attributesOf(records: Buffer | null): number {
  if (records === null || records.length < BATCH_HEADER_BYTES) return 0
  return batchMagic(records, 0) === BATCH_MAGIC ? batchAttributes(records, 0) : 0
}

function acceptedEntries(
  context: RequestContext,
  topic: TopicData,
  refusal: number,
  answers: Answers,
): readonly Entry[] {
  const { name, id, isKnown } = resolveTopic(context, { name: topic.name, id: topic.topicId })
  const topicCode = topicError(context, name, isKnown, refusal)
  const entries: Entry[] = []
  for (const { index, records } of topic.partitionData) {
    const code =
      topicCode === ErrorCode.NONE ? partitionError(context, name, index, records) : topicCode
    if (code === ErrorCode.NONE && records !== null) {
      entries.push({ topic: name, topicId: id, partition: index, records })
    } else {
      answers.refuse(topic, index, code)
    }
  }
  return entries
}

function topicError(
  context: RequestContext,
  topic: string,
  isKnown: boolean,
  refusal: number,
): number {
  if (refusal !== ErrorCode.NONE) return refusal
  if (!isKnown) {
    return context.apiVersion >= 13
      ? ErrorCode.UNKNOWN_TOPIC_ID
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
  const isForbidden = isInternalTopic(topic) && context.clientId !== ADMIN_CLIENT_ID
  return isForbidden ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE
}

function partitionError(
  { services, apiVersion }: RequestContext,
  topic: string,
  index: number,
  records: Buffer | null,
): number {
  if (services.image().partition(topic, index) === null) {
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
  if (records === null) return ErrorCode.INVALID_RECORD
  const isZstd = (attributesOf(records) & CODEC_MASK) === ZSTD
  return isZstd && apiVersion < ZSTD_VERSION
    ? ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    : ErrorCode.NONE
}

function finish(
  context: RequestContext,
  request: ProduceRequest,
  answers: Answers,
  respond: Respond<ProduceResponse>,
): void {
  if (request.acks === 0) {
    respond(answers.hasErrors ? 'close' : null)
    return
  }
  respond({
    responses: answers.topics(),
    nodeEndpoints: leaderEndpoints(context, answers.movedLeaders),
  })
}

/** The answers of one request, in the order of its topics and partitions. */
class Answers {
  readonly #request: ProduceRequest
  readonly #tellsLeaders: boolean
  readonly #byPartition = new Map<string, PartitionAnswer>()
  /** Leaders of partitions that this broker does not lead. */
  readonly movedLeaders = new Set<number>()
  hasErrors = false

  constructor(request: ProduceRequest, version: number) {
    this.#request = request
    this.#tellsLeaders = version >= CURRENT_LEADER_VERSION
  }

  refuse(topic: TopicData, index: number, errorCode: number): void {
    this.hasErrors = true
    for (const name of [topic.name, topic.topicId]) {
      this.#byPartition.set(`${name}/${index}`, { index, errorCode, ...NO_OFFSETS })
    }
  }

  put(result: AppendPartitionResult): void {
    const { error, currentLeader } = result
    if (error !== ErrorCode.NONE) this.hasErrors = true
    const isMoved =
      this.#tellsLeaders &&
      error === ErrorCode.NOT_LEADER_OR_FOLLOWER &&
      currentLeader.leaderId !== -1
    if (isMoved) this.movedLeaders.add(currentLeader.leaderId)
    const answer = {
      index: result.partition,
      errorCode: error,
      baseOffset: result.baseOffset,
      logAppendTimeMs: result.logAppendTimeMs,
      logStartOffset: result.logStartOffset,
      recordErrors: result.recordErrors.map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      })),
      errorMessage: result.errorMessage,
      ...(isMoved ? { currentLeader } : {}),
    }
    for (const name of [result.topic, result.topicId]) {
      this.#byPartition.set(`${name}/${result.partition}`, answer)
    }
  }

  topics(): TopicAnswer[] {
    return this.#request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => this.#answerOf(name, topicId, index)),
    }))
  }

  #answerOf(name: string, topicId: string, index: number): PartitionAnswer {
    const key = name === '' ? topicId : name
    return (
      this.#byPartition.get(`${key}/${index}`) ?? {
        index,
        errorCode: ErrorCode.UNKNOWN_SERVER_ERROR,
        ...NO_OFFSETS,
      }
    )
  }
}
