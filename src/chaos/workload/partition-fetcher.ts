import { assert } from '../../base/assert.ts'
import { ConnectionError, WireError } from '../../base/errors.ts'
import { FetchedData } from '../../client/fetched-data.ts'
import { KafkaError } from '../../client/kafka-error.ts'
import type { Random } from '../../ports/random.ts'
import { ErrorCode } from '../../wire/error-codes.ts'
import { fetchApi, type FetchResponse, type PartitionData } from '../../wire/messages/01-fetch.ts'
import type { History } from '../history/history.ts'
import type { PollOperation, ReadRecord } from '../history/operation.ts'
import type { ClientLink } from './client-link.ts'
import { errorNameOf, errorOfCode } from './outcome.ts'
import { queryOffset } from './offset-query.ts'
import { decodePayload } from '../history/payload.ts'

/** Since this version topics of Fetch are named by id. */
const TOPIC_ID_VERSION = 13
const FETCH_BYTES = 1_048_576
const PARTITION_BYTES = 65_536
const RETRY_MS = 60
/** Between two fetches of a reader that is behind. */
const CATCH_UP_MS = 2

export interface PartitionFetcherOptions {
  readonly link: ClientLink
  readonly history: History
  readonly process: string
  readonly random: Random
  readonly topic: string
  readonly purpose: PollOperation['purpose']
  readonly isolation: PollOperation['isolation']
  readonly everyMs: number
  /**
   * Called with records before they are recorded and the position moves; the partition rests until `proceed`, and
   * nothing happens to the records when that is not called or the partition was taken away.
   */
  readonly gate?: (batch: GatedBatch) => void
  /** Records came, in order, and the position is behind them. */
  readonly onRecords?: (partition: number, records: readonly ReadRecord[], position: number) => void
  /** An answer without an error, with or without records. */
  readonly onProgress?: (partition: number, position: number, highWatermark: number) => void
}

/** Records that came and were not taken yet. */
export interface GatedBatch {
  readonly partition: number
  readonly nextOffset: number
  /** False when the partition was taken away since, or given anew. */
  isCurrent(): boolean
  proceed(): void
}

interface Assigned {
  readonly partition: number
  position: number
  /** The topic as it was when the position was valid; another id is another log. */
  topicId: string | null
  /** No poll of this assignment was recorded. */
  isFirst: boolean
  isBusy: boolean
  /** Of the fetch before; an error is recorded once in a row. */
  lastError: string | null
  /** Not fetched before this. */
  retryAtMs: number
}

/**
 * Fetches the partitions it was given, each from its own position, and records what came. At most one request
 * is under way per broker. Errors never move a position; only OFFSET_OUT_OF_RANGE does, to the earliest offset
 * (`auto.offset.reset=earliest`), which begins a new assignment in the history.
 */
export class PartitionFetcher {
  readonly #options: PartitionFetcherOptions
  readonly #assigned = new Map<number, Assigned>()
  readonly #busyBrokers = new Set<number>()
  #isTimed = false
  #isHurried = false
  #isStopped = false
  #openQueries = 0

  constructor(options: PartitionFetcherOptions) {
    this.#options = options
    this.#tickIn(0)
  }

  /** Requests without an answer. */
  get openCount(): number {
    return this.#busyBrokers.size + this.#openQueries
  }

  get partitions(): readonly number[] {
    return [...this.#assigned.keys()]
  }

  /** Begins a new assignment of the partition. */
  assign(partition: number, position: number): void {
    this.#assigned.set(partition, {
      partition,
      position,
      topicId: null,
      isFirst: true,
      isBusy: false,
      lastError: null,
      retryAtMs: 0,
    })
    this.#tickIn(0)
  }

  unassign(partition: number): void {
    this.#assigned.delete(partition)
  }

  position(partition: number): number | null {
    return this.#assigned.get(partition)?.position ?? null
  }

  /** Fetches no more; what is under way is still recorded. */
  stop(): void {
    this.#isStopped = true
  }

  #tickIn(delayMs: number): void {
    if (this.#isTimed || this.#isStopped) return
    this.#isTimed = true
    this.#options.link.after(delayMs, 'reader.next', () => {
      this.#isTimed = false
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#isStopped) return
    const { link, topic, everyMs, random } = this.#options
    const byBroker = new Map<number, { assigned: Assigned; leaderEpoch: number }[]>()
    for (const assigned of this.#assigned.values()) {
      if (assigned.isBusy || assigned.retryAtMs > link.monoMs) continue
      const leader = link.leaderOf(topic, assigned.partition)
      if (leader === null || this.#busyBrokers.has(leader.brokerId)) continue
      const list = byBroker.get(leader.brokerId) ?? []
      list.push({ assigned, leaderEpoch: leader.leaderEpoch })
      byBroker.set(leader.brokerId, list)
    }
    for (const [brokerId, list] of byBroker) this.#fetch(brokerId, list)
    this.#tickIn((everyMs * (500 + random.below(1001))) / 1000)
  }

  #fetch(brokerId: number, list: readonly { assigned: Assigned; leaderEpoch: number }[]): void {
    const { link, topic, isolation, everyMs } = this.#options
    const topicId = link.topicId(topic)
    const partitions = list.map(({ assigned, leaderEpoch }) => {
      if (assigned.topicId !== null && assigned.topicId !== topicId) restart(assigned)
      assigned.topicId = topicId
      assigned.isBusy = true
      return {
        partition: assigned.partition,
        currentLeaderEpoch: leaderEpoch,
        fetchOffset: assigned.position,
        partitionMaxBytes: PARTITION_BYTES,
      }
    })
    this.#busyBrokers.add(brokerId)
    const call = {
      api: fetchApi,
      timeoutMs: link.requestTimeoutMs,
      body: (version: number) => ({
        maxWaitMs: Math.min(everyMs, Math.floor(link.requestTimeoutMs / 4)),
        minBytes: 1,
        maxBytes: FETCH_BYTES,
        isolationLevel: isolation === 'read_committed' ? 1 : 0,
        topics: [{ ...(version >= TOPIC_ID_VERSION ? { topicId } : { topic }), partitions }],
      }),
    }
    link.request(brokerId, 'fetch', call, (error, response) => {
      this.#busyBrokers.delete(brokerId)
      const problem = error ?? errorOfCode(response?.errorCode ?? 0)
      for (const { assigned } of list) this.#onAnswer(assigned, problem, response)
    })
  }

  #onAnswer(assigned: Assigned, error: Error | null, response: FetchResponse | null): void {
    assigned.isBusy = false
    if (this.#assigned.get(assigned.partition) !== assigned) return
    const { link, topic } = this.#options
    if (error !== null || response === null) {
      return this.#onError(assigned, error ?? new ConnectionError('no answer'))
    }
    const answer = answerOf(response, assigned.partition)
    if (answer === null) {
      return this.#onError(assigned, new ConnectionError('an answer without the partition'))
    }
    const { currentLeader } = answer
    if (currentLeader.leaderId >= 0) {
      link.learnLeader(topic, assigned.partition, currentLeader, response.nodeEndpoints)
    }
    const problem = errorOfCode(answer.errorCode)
    if (problem === null) return this.#onData(assigned, answer)
    this.#onError(assigned, problem)
    if (problem.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) this.#reset(assigned)
  }

  #onData(assigned: Assigned, answer: PartitionData): void {
    const { gate } = this.#options
    let decoded: Decoded
    try {
      decoded = decode(this.#options, assigned, answer)
    } catch (error) {
      if (!(error instanceof WireError) && !(error instanceof KafkaError)) throw error
      return this.#onError(assigned, new KafkaError(ErrorCode.CORRUPT_MESSAGE, error.message))
    }
    if (gate === undefined || decoded.records.length === 0) {
      return this.#take(assigned, answer, decoded)
    }
    const { partition } = assigned
    const isCurrent = (): boolean => !this.#isStopped && this.#assigned.get(partition) === assigned
    assigned.isBusy = true
    gate({
      partition,
      nextOffset: decoded.nextOffset,
      isCurrent,
      proceed: () => {
        if (!isCurrent()) return
        assigned.isBusy = false
        this.#take(assigned, answer, decoded)
      },
    })
  }

  #take(assigned: Assigned, answer: PartitionData, { records, nextOffset }: Decoded): void {
    const { isolation, history, process, onRecords, onProgress } = this.#options
    assert(nextOffset >= assigned.position, 'a position does not go back')
    if (records.length > 0 || assigned.isFirst) {
      const isCommitted = isolation === 'read_committed'
      history.note(process, {
        ...this.#operation(assigned),
        records,
        highWatermark: isCommitted ? answer.lastStableOffset : answer.highWatermark,
        logStartOffset: answer.logStartOffset,
      })
      assigned.isFirst = false
    }
    assigned.lastError = null
    assigned.position = nextOffset
    if (records.length > 0) onRecords?.(assigned.partition, records, nextOffset)
    onProgress?.(assigned.partition, nextOffset, answer.highWatermark)
    if (records.length > 0 && nextOffset < answer.highWatermark) this.#hurry()
  }

  /** There is more to read: whoever is behind does not pause between two fetches. */
  #hurry(): void {
    if (this.#isHurried) return
    this.#isHurried = true
    this.#options.link.after(CATCH_UP_MS, 'reader.more', () => {
      this.#isHurried = false
      this.#tick()
    })
  }

  #onError(assigned: Assigned, problem: Error): void {
    const { history, process, link, random } = this.#options
    const error = errorNameOf(problem)
    assigned.retryAtMs = link.monoMs + RETRY_MS + random.below(RETRY_MS)
    link.updater.requestUpdate()
    if (assigned.lastError === error) return
    assigned.lastError = error
    const operation = this.#operation(assigned)
    const index = history.invoke(process, operation)
    const kind = problem instanceof KafkaError ? 'fail' : 'info'
    history.end(index, process, kind, { ...operation, error })
  }

  #reset(assigned: Assigned): void {
    const { link, history, process, topic } = this.#options
    const { partition } = assigned
    const again = (): void => {
      if (this.#isStopped || this.#assigned.get(partition) !== assigned) return
      const query = { link, history, process, topic, partition, which: 'earliest' } as const
      const isAsked = queryOffset(query, (error, offset) => {
        this.#openQueries -= 1
        if (error !== null) return link.after(RETRY_MS, 'reader.reset', again)
        if (this.#assigned.get(partition) === assigned) this.assign(partition, offset)
      })
      if (isAsked) this.#openQueries += 1
      else link.after(RETRY_MS, 'reader.reset', again)
    }
    // Kept busy, so that nothing is fetched from the position that does not exist.
    assigned.isBusy = true
    again()
  }

  #operation({ partition, position, isFirst }: Assigned): PollOperation {
    const { topic, isolation, purpose } = this.#options
    return { op: 'poll', topic, partition, position, isolation, isFirst, purpose }
  }
}

interface Decoded {
  readonly records: readonly ReadRecord[]
  readonly nextOffset: number
}

/** Throws `KafkaError` CORRUPT_MESSAGE and `WireError`. */
function decode(
  { topic, isolation }: Pick<PartitionFetcherOptions, 'topic' | 'isolation'>,
  { partition, position }: Assigned,
  answer: PartitionData,
): Decoded {
  const data = new FetchedData({
    topic,
    partition,
    records: answer.records ?? Buffer.alloc(0),
    fetchOffset: position,
    abortedTransactions: isolation === 'read_committed' ? (answer.abortedTransactions ?? []) : null,
    checksCrcs: true,
  })
  const records = data.take(Infinity).map(({ offset, key, value }) => ({
    offset,
    value: decodePayload(value),
    key: key?.toString('utf8') ?? null,
  }))
  return { records, nextOffset: data.nextOffset }
}

/** What an answer about one topic says of a partition; null when it says nothing. */
function answerOf({ responses }: FetchResponse, partition: number): PartitionData | null {
  for (const { partitions } of responses) {
    for (const answer of partitions) if (answer.partitionIndex === partition) return answer
  }
  return null
}

/** A topic of the same name made anew: another log, from its begin. */
function restart(assigned: Assigned): void {
  assigned.position = 0
  assigned.isFirst = true
  assigned.lastError = null
}
