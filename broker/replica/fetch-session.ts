import type { Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { FetchEntry, FetchPartitionResult } from './fetch-result.ts'

/** A partition that a request wants, with what its session has told of it last; -1 before. */
export interface SessionPartition {
  /** By topic id where the request has one, else by name. */
  readonly key: string
  /** As the newest request has it; `topic` is the name that was found for the id, or ''. */
  entry: FetchEntry
  highWatermark: Offset
  logStartOffset: Offset
}

export type PartitionRef = Pick<FetchEntry, 'topic' | 'topicId' | 'partition'>

const EPOCH_MAX = 2_147_483_647
const UNKNOWN_OFFSET = -1

/** After 2147483647 comes 1, since 0 asks for a new session. */
export function nextSessionEpoch(epoch: number): number {
  return epoch === EPOCH_MAX ? 1 : epoch + 1
}

/**
 * What one fetcher reads from this broker (KIP-227): its partitions in the order in which they are read, and what it
 * was told of each. A partition that gave records goes to the end, so that none is starved by a byte limit.
 */
export class FetchSession {
  readonly id: number
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdAtMs: number
  lastUsedMs: number
  /** That the next request must carry. */
  epoch = 1
  readonly #partitions = new Map<string, SessionPartition>()

  constructor(
    options: Pick<FetchSession, 'id' | 'isPrivileged' | 'usesTopicIds' | 'createdAtMs'>,
    partitions: readonly SessionPartition[],
  ) {
    this.id = options.id
    this.isPrivileged = options.isPrivileged
    this.usesTopicIds = options.usesTopicIds
    this.createdAtMs = options.createdAtMs
    this.lastUsedMs = options.createdAtMs
    for (const partition of partitions) this.#partitions.set(partition.key, partition)
  }

  get size(): number {
    return this.#partitions.size
  }

  /** In the order in which they are to be read. */
  get partitions(): readonly SessionPartition[] {
    return [...this.#partitions.values()]
  }

  /** Adds and changes, then forgets: a partition that is in both lists is gone, as in Kafka. */
  update(wanted: readonly FetchEntry[], forgotten: readonly PartitionRef[]): void {
    for (const entry of wanted) {
      const key = sessionKey(entry)
      const known = this.#partitions.get(key)
      if (known === undefined) this.#partitions.set(key, newSessionPartition(entry))
      else known.entry = entry
    }
    for (const each of forgotten) this.#partitions.delete(sessionKey(each))
  }

  /**
   * The part of the results that is news. Left out is what has no records, no error and the high watermark and log start
   * that were told before. After an error or a divergence the partition is told again whatever it holds.
   */
  takeNews(
    asked: readonly SessionPartition[],
    results: readonly FetchPartitionResult[],
  ): readonly FetchPartitionResult[] {
    return results.filter((result, index) => {
      const partition = asked[index]
      if (partition === undefined || !noteResult(partition, result)) return false
      if (result.records.length > 0) this.#rotate(partition)
      return true
    })
  }

  #rotate(partition: SessionPartition): void {
    if (!this.#partitions.delete(partition.key)) return
    this.#partitions.set(partition.key, partition)
  }
}

export function newSessionPartition(entry: FetchEntry): SessionPartition {
  return {
    key: sessionKey(entry),
    entry,
    highWatermark: UNKNOWN_OFFSET,
    logStartOffset: UNKNOWN_OFFSET,
  }
}

/** Notes what an answer tells of a partition. True when it is more than was told before. */
export function noteResult(partition: SessionPartition, result: FetchPartitionResult): boolean {
  const isGood = result.error === ErrorCode.NONE
  const highWatermark = isGood ? result.highWatermark : UNKNOWN_OFFSET
  const logStartOffset = isGood ? result.logStartOffset : UNKNOWN_OFFSET
  const isNews =
    result.records.length > 0 ||
    partition.highWatermark !== highWatermark ||
    partition.logStartOffset !== logStartOffset ||
    result.preferredReadReplica !== -1 ||
    result.divergingEpoch !== null ||
    !isGood
  partition.highWatermark = result.divergingEpoch === null ? highWatermark : UNKNOWN_OFFSET
  partition.logStartOffset = logStartOffset
  return isNews
}

function sessionKey({ topic, topicId, partition }: PartitionRef): string {
  return topicPartitionKey(isId(topicId) ? topicId : topic, partition)
}

function isId(topicId: Uuid): boolean {
  return topicId !== ZERO_UUID
}
