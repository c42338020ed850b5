import type { BrokerId, LeaderEpoch, Offset, TimestampMs } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { listOffsetsApi, type ListOffsetsResponse } from '../wire/messages/02-list-offsets.ts'
import type { Cluster } from './cluster.ts'
import { KafkaError } from './kafka-error.ts'
import type { MetadataUpdater } from './metadata-updater.ts'
import { withRetries, type Cancellable } from './retry.ts'

const CONSUMER_REPLICA_ID = -1
const FIRST_VERSION_WITH_ISOLATION = 2
const FIRST_VERSION_WITH_MAX_TIMESTAMP = 7

/** Timestamps with a meaning of their own. */
export const OffsetSpec = { LATEST: -1, EARLIEST: -2, MAX_TIMESTAMP: -3 } as const

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** Which offset is wanted: an `OffsetSpec`, or the first record at or after a timestamp. */
export interface OffsetQuery extends TopicPartition {
  readonly timestampMs: TimestampMs
}

export interface OffsetAnswer extends TopicPartition {
  /** -1: no record at or after the timestamp. */
  readonly offset: Offset
  readonly timestampMs: TimestampMs
  readonly leaderEpoch: LeaderEpoch
}

export interface OffsetLookup {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly queries: readonly OffsetQuery[]
  readonly isolation: IsolationLevel
  /** `Infinity` for no limit. */
  readonly timeoutMs: number
  /** Called with the answers of each leader as they come: one that is missing does not hold up the others. */
  readonly onAnswers?: (answers: readonly OffsetAnswer[]) => void
  /** Answers by `topicPartitionKey`. */
  readonly done: (error: Error | null, answers: ReadonlyMap<string, OffsetAnswer> | null) => void
}

/** Asks the leaders for offsets until all have answered. The first error that no retry helps ends it. */
export function lookUpOffsets(lookup: OffsetLookup): Cancellable {
  const { cluster, updater, queries } = lookup
  const answers = new Map<string, OffsetAnswer>()
  updater.track(queries.map((query) => query.topic))
  return withRetries<ReadonlyMap<string, OffsetAnswer>>({
    what: `look up offsets of ${queries.length} partitions`,
    clock: cluster.ports.clock,
    random: cluster.ports.random,
    backoff: cluster.retryBackoff,
    timeoutMs: lookup.timeoutMs,
    done: lookup.done,
    attempt: (_remainingMs, done) => {
      const open = queries.filter((query) => !answers.has(keyOf(query)))
      askAll(lookup, open, answers, (error) => {
        const isWhole = queries.every((query) => answers.has(keyOf(query)))
        const problem = error ?? (isWhole ? null : new KafkaError(ErrorCode.NETWORK_EXCEPTION))
        done(problem, problem === null ? answers : null)
      })
    },
  })
}

function askAll(
  lookup: OffsetLookup,
  open: readonly OffsetQuery[],
  answers: Map<string, OffsetAnswer>,
  done: (error: Error | null) => void,
): void {
  const { metadata } = lookup.cluster
  const byLeader = new Map<BrokerId, OffsetQuery[]>()
  let problem: Error | null = null
  for (const query of open) {
    const leader = metadata.partition(query.topic, query.partition)?.leader ?? -1
    if (leader < 0) problem = unknownLeader(lookup, query)
    else byLeader.set(leader, [...(byLeader.get(leader) ?? []), query])
  }
  let pending = byLeader.size
  const landed = (error: Error | null): void => {
    pending -= 1
    const isWorse = error instanceof KafkaError && !error.isRetriable
    if (error !== null && (problem === null || isWorse)) problem = error
    if (pending > 0) return
    if (problem !== null) lookup.updater.requestUpdate()
    done(problem)
  }
  if (pending === 0) {
    if (problem !== null) lookup.updater.requestUpdate()
    lookup.cluster.ports.clock.after(0, 'client.offsets.open', () => done(problem))
    return
  }
  for (const [leader, queries] of byLeader) askLeader(lookup, leader, queries, answers, landed)
}

function unknownLeader(lookup: OffsetLookup, query: OffsetQuery): KafkaError {
  const code = lookup.cluster.metadata.errorOf(query.topic)
  const known = lookup.cluster.metadata.topic(query.topic)
  if (code !== ErrorCode.NONE) return new KafkaError(code, `topic "${query.topic}"`)
  const which =
    known === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.LEADER_NOT_AVAILABLE
  return new KafkaError(which, `leader of ${keyOf(query)}`)
}

function askLeader(
  lookup: OffsetLookup,
  leader: BrokerId,
  queries: readonly OffsetQuery[],
  answers: Map<string, OffsetAnswer>,
  done: (error: Error | null) => void,
): void {
  const { cluster } = lookup
  const isMaxTimestamp = queries.some((query) => query.timestampMs === OffsetSpec.MAX_TIMESTAMP)
  const isCommitted = lookup.isolation === 'read_committed'
  const call = {
    api: listOffsetsApi,
    timeoutMs: cluster.requestTimeoutMs,
    limits: {
      ...(isCommitted ? { min: FIRST_VERSION_WITH_ISOLATION } : {}),
      ...(isMaxTimestamp ? { min: FIRST_VERSION_WITH_MAX_TIMESTAMP } : {}),
    },
    body: () => ({
      replicaId: CONSUMER_REPLICA_ID,
      ...(isCommitted ? { isolationLevel: 1 } : {}),
      topics: topicsOf(lookup, queries),
      timeoutMs: cluster.requestTimeoutMs,
    }),
  }
  cluster.request(leader, 'main', call, (error, response) => {
    done(error ?? readAnswers(lookup, response, answers))
  })
}

function topicsOf(
  lookup: OffsetLookup,
  queries: readonly OffsetQuery[],
): readonly { readonly name: string; readonly partitions: readonly object[] }[] {
  const topics = new Map<string, object[]>()
  for (const { topic, partition, timestampMs } of queries) {
    const leaderEpoch = lookup.cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1
    const entry = {
      partitionIndex: partition,
      currentLeaderEpoch: leaderEpoch,
      timestamp: timestampMs,
    }
    topics.set(topic, [...(topics.get(topic) ?? []), entry])
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

/** Stores what was answered and returns the worst error among the partitions. */
function readAnswers(
  lookup: OffsetLookup,
  response: ListOffsetsResponse | null,
  answers: Map<string, OffsetAnswer>,
): KafkaError | null {
  let problem: KafkaError | null = null
  const given: OffsetAnswer[] = []
  for (const { name, partitions } of response?.topics ?? []) {
    for (const each of partitions) {
      const key = topicPartitionKey(name, each.partitionIndex)
      if (each.errorCode !== ErrorCode.NONE) {
        const error = new KafkaError(each.errorCode, `offset of ${key}`)
        const isWorse = problem === null || (problem.isRetriable && !error.isRetriable)
        if (isWorse) problem = error
        continue
      }
      const answer = {
        topic: name,
        partition: each.partitionIndex,
        offset: each.offset,
        timestampMs: each.timestamp,
        leaderEpoch: each.leaderEpoch,
      }
      answers.set(key, answer)
      given.push(answer)
    }
  }
  if (given.length > 0) lookup.onAnswers?.(given)
  return problem
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition)
}
