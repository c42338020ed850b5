import type { LeaderEpoch, Offset } from '../base/ids.ts'
import { topicPartitionKey } from '../base/topic-partition.ts'
import { ZERO_UUID, type Uuid } from '../base/uuid.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { FetchRequest } from '../wire/messages/01-fetch.ts'
import type { Input } from '../wire/schema.ts'

/** A partition as a fetcher wants it now. */
export interface FetchTarget {
  readonly topic: string
  /** `ZERO_UUID`: all requests of the session name topics. */
  readonly topicId: Uuid
  readonly partition: number
  readonly currentLeaderEpoch: LeaderEpoch
  readonly fetchOffset: Offset
  readonly lastFetchedEpoch: LeaderEpoch
  readonly logStartOffset: Offset
  readonly partitionMaxBytes: number
}

/** The fields of a Fetch request that are the session's business. */
export type SessionFields = Required<
  Pick<Input<FetchRequest>, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'>
>

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const EPOCH_MAX = 2_147_483_647

/**
 * One fetcher's side of an incremental session with one broker (KIP-227): tells only what has changed since the request
 * before, and begins anew, in full, when an answer was lost or did not fit. Every `next` is followed by one
 * `onAnswer` or `onLost`.
 */
export class FetchSessionClient {
  #sessionId = NO_SESSION
  #epoch = INITIAL_EPOCH
  #usesTopicIds = false
  #told = new Map<string, FetchTarget>()

  /** The next request is a full one. */
  get isFull(): boolean {
    return this.#epoch === INITIAL_EPOCH
  }

  /** What the next request says, when `wanted` are all the partitions to be read. */
  next(wanted: readonly FetchTarget[]): SessionFields {
    const usesTopicIds = wanted.every(({ topicId }) => topicId !== ZERO_UUID)
    if (usesTopicIds !== this.#usesTopicIds) this.restart()
    this.#usesTopicIds = usesTopicIds
    const before = this.isFull ? new Map<string, FetchTarget>() : this.#told
    const told = new Map<string, FetchTarget>()
    const changed: FetchTarget[] = []
    for (const target of wanted) {
      const key = targetKey(target, usesTopicIds)
      const old = before.get(key)
      told.set(key, target)
      if (old === undefined || !isSame(old, target)) changed.push(target)
    }
    const forgotten: FetchTarget[] = []
    for (const [key, target] of before) if (!told.has(key)) forgotten.push(target)
    this.#told = told
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed, partitionFields),
      forgottenTopicsData: byTopic(forgotten, ({ partition }) => partition),
    }
  }

  /**
   * Takes in the session part of an answer. False for an error: nothing else of the answer counts. A broker that has
   * lost the session is asked for a new one, any other error ends the one that there is.
   */
  onAnswer(answer: { readonly errorCode: number; readonly sessionId: number }): boolean {
    if (answer.errorCode !== ErrorCode.NONE) {
      if (answer.errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#sessionId = NO_SESSION
      this.restart()
      return false
    }
    this.#sessionId = answer.sessionId
    if (answer.sessionId === NO_SESSION) this.#epoch = INITIAL_EPOCH
    else this.#epoch = this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1
    return true
  }

  /** The answer will not come, so it is not known what it told: the next request ends the session and asks for a new one. */
  onLost(): void {
    this.restart()
  }

  /** Begins anew with the next request. */
  restart(): void {
    this.#epoch = INITIAL_EPOCH
  }
}

/** The broker does not have the session as it was meant; a full request makes it whole. */
export function isSessionError(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ||
    errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH ||
    errorCode === ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
  )
}

/** A topic that was created anew is another one where topics have ids. */
function targetKey({ topic, topicId, partition }: FetchTarget, usesTopicIds: boolean): string {
  return topicPartitionKey(usesTopicIds ? topicId : topic, partition)
}

function isSame(a: FetchTarget, b: FetchTarget): boolean {
  return (
    a.fetchOffset === b.fetchOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.lastFetchedEpoch === b.lastFetchedEpoch &&
    a.logStartOffset === b.logStartOffset &&
    a.partitionMaxBytes === b.partitionMaxBytes
  )
}

type WirePartition = Input<FetchRequest['topics'][number]['partitions'][number]>

function partitionFields(target: FetchTarget): WirePartition {
  return {
    partition: target.partition,
    currentLeaderEpoch: target.currentLeaderEpoch,
    fetchOffset: target.fetchOffset,
    lastFetchedEpoch: target.lastFetchedEpoch,
    logStartOffset: target.logStartOffset,
    partitionMaxBytes: target.partitionMaxBytes,
  }
}

function byTopic<T>(
  targets: readonly FetchTarget[],
  fieldsOf: (target: FetchTarget) => T,
): { readonly topic: string; readonly topicId: Uuid; readonly partitions: T[] }[] {
  const topics = new Map<string, { topic: string; topicId: Uuid; partitions: T[] }>()
  for (const target of targets) {
    const { topic, topicId } = target
    const key = topicId === ZERO_UUID ? topic : topicId
    const ofTopic = topics.get(key)
    if (ofTopic === undefined) topics.set(key, { topic, topicId, partitions: [fieldsOf(target)] })
    else ofTopic.partitions.push(fieldsOf(target))
  }
  return [...topics.values()]
}
