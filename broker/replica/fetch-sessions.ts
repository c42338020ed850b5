import type { Clock } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { FetchEntry, FetchPartitionResult } from './fetch-result.ts'
import {
  FetchSession,
  newSessionPartition,
  nextSessionEpoch,
  noteResult,
  type PartitionRef,
  type SessionPartition,
} from './fetch-session.ts'

/** Kafka's min.incremental.fetch.session.eviction.ms, a constant there too. */
export const SESSION_EVICTION_MS = 120_000
const NO_SESSION = 0
/** Of a request that wants a session, and of one that wants none (or ends the one it names). */
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1

/** What a Fetch request says about sessions and partitions. */
export interface FetchSessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly isFollower: boolean
  /** Fetch version 13 and above: the entries have topic ids and no names. */
  readonly usesTopicIds: boolean
  readonly wanted: readonly FetchEntry[]
  readonly forgotten: readonly PartitionRef[]
}

/** What of the results is to be answered, and in which session. */
export interface FetchSessionAnswer {
  readonly error: ErrorCode
  readonly sessionId: number
  readonly results: readonly FetchPartitionResult[]
}

/** A request that may be served: what to read, and how its answer is made. */
export interface FetchContext {
  readonly partitions: readonly SessionPartition[]
  /** `results` belong to `asked` one by one: the partitions of this context, in any order. Once. */
  answer(
    asked: readonly SessionPartition[],
    results: readonly FetchPartitionResult[],
  ): FetchSessionAnswer
}

export interface FetchSessionsOptions {
  readonly clock: Clock
  readonly random: Random
  /** max.incremental.fetch.session.cache.slots. */
  readonly maxSessions: () => number
}

/**
 * The incremental fetch sessions of one broker (KIP-227), followers' and consumers'. When there is no room, a session
 * that was idle for two minutes makes place, or else the least valuable one of two minutes of age: followers' sessions
 * count more than others, then larger ones more than smaller ones. A follower need not wait that time to displace a
 * session that is none. Who gets no session is answered in full, with session id 0.
 */
export class FetchSessions {
  readonly #options: FetchSessionsOptions
  /** The session that was used longest ago comes first. */
  readonly #sessions = new Map<number, FetchSession>()

  constructor(options: FetchSessionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What the request wants in all, or the error that its whole answer consists of. */
  open(request: FetchSessionRequest): FetchContext | ErrorCode {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch !== INITIAL_EPOCH && sessionEpoch !== FINAL_EPOCH) {
      return this.#openIncremental(request)
    }
    if (sessionId !== NO_SESSION) this.#sessions.delete(sessionId)
    const isSessionWanted = sessionEpoch === INITIAL_EPOCH
    return isSessionWanted ? this.#fullContext(request) : sessionlessContext(request.wanted)
  }

  #openIncremental(request: FetchSessionRequest): FetchContext | ErrorCode {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== request.sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (session.usesTopicIds !== request.usesTopicIds) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
    session.update(request.wanted, request.forgotten)
    this.#sessions.delete(session.id)
    if (session.size === 0) return sessionlessContext(request.wanted)
    this.#sessions.set(session.id, session)
    session.lastUsedMs = this.#nowMs()
    const epoch = nextSessionEpoch(session.epoch)
    session.epoch = epoch
    return {
      partitions: session.partitions,
      answer: (asked, results) =>
        // A later request of the session has come meanwhile: this one's answer would confuse what was told.
        session.epoch === epoch
          ? {
              error: ErrorCode.NONE,
              sessionId: session.id,
              results: session.takeNews(asked, results),
            }
          : {
              error: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
              sessionId: session.id,
              results: [],
            },
    }
  }

  #fullContext({ wanted, isFollower, usesTopicIds }: FetchSessionRequest): FetchContext {
    return {
      partitions: partitionsOf(wanted),
      answer: (asked, results) => {
        const sessionId = this.#create(asked, isFollower, usesTopicIds)
        if (sessionId !== NO_SESSION) {
          results.forEach((result, index) => {
            const partition = asked[index]
            if (partition !== undefined) noteResult(partition, result)
          })
        }
        return { error: ErrorCode.NONE, sessionId, results }
      },
    }
  }

  #create(
    partitions: readonly SessionPartition[],
    isPrivileged: boolean,
    usesTopicIds: boolean,
  ): number {
    if (!this.#makeRoom(isPrivileged, partitions.length)) return NO_SESSION
    const id = this.#newId()
    const options = { id, isPrivileged, usesTopicIds, createdAtMs: this.#nowMs() }
    this.#sessions.set(id, new FetchSession(options, partitions))
    return id
  }

  #makeRoom(isPrivileged: boolean, size: number): boolean {
    if (this.#sessions.size < this.#options.maxSessions()) return true
    const [oldest] = this.#sessions.values()
    if (oldest === undefined) return false
    if (this.#nowMs() - oldest.lastUsedMs > SESSION_EVICTION_MS) {
      return this.#sessions.delete(oldest.id)
    }
    let least: FetchSession | null = null
    for (const session of this.#sessions.values()) {
      const isOpenToAll = session.lastUsedMs - session.createdAtMs > SESSION_EVICTION_MS
      const isEvictable = isOpenToAll || (isPrivileged && !session.isPrivileged)
      if (isEvictable && (least === null || compareValue(session, least) < 0)) least = session
    }
    if (least === null) return false
    const isWorthMore = compareValue({ isPrivileged, size, id: NO_SESSION }, least) > 0
    return isWorthMore && this.#sessions.delete(least.id)
  }

  #newId(): number {
    for (;;) {
      // Ids are positive int32.
      const id = this.#options.random.u32() >>> 1
      if (id !== NO_SESSION && !this.#sessions.has(id)) return id
    }
  }

  #nowMs(): number {
    return this.#options.clock.monoMs()
  }
}

type Value = Pick<FetchSession, 'isPrivileged' | 'size' | 'id'>

function compareValue(a: Value, b: Value): number {
  if (a.isPrivileged !== b.isPrivileged) return a.isPrivileged ? 1 : -1
  return a.size === b.size ? a.id - b.id : a.size - b.size
}

function sessionlessContext(wanted: readonly FetchEntry[]): FetchContext {
  return {
    partitions: partitionsOf(wanted),
    answer: (_, results) => ({ error: ErrorCode.NONE, sessionId: NO_SESSION, results }),
  }
}

/** A partition that is listed twice counts once, as it was listed last. */
function partitionsOf(wanted: readonly FetchEntry[]): readonly SessionPartition[] {
  const partitions = new Map<string, SessionPartition>()
  for (const entry of wanted) {
    const partition = newSessionPartition(entry)
    partitions.set(partition.key, partition)
  }
  return [...partitions.values()]
}
