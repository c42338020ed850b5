import type { BrokerId, LeaderEpoch } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { AdminChannel } from './admin-channel.ts'
import type { Call } from './broker-channel.ts'
import { isRetriableError, KafkaError } from './kafka-error.ts'
import { timedOut, withRetries } from './retry.ts'

/** A partition that is asked about, with the leader epoch that is known. */
export type Asked<Item extends TopicPartition> = Item & { readonly leaderEpoch: LeaderEpoch }

/** What one leader answered about one partition. */
export interface LeaderAnswer<Value> extends TopicPartition {
  readonly errorCode: number
  readonly value: Value
}

export interface LeaderCalls<Item extends TopicPartition, Req, Res, Value> {
  readonly channel: AdminChannel
  readonly what: string
  readonly items: readonly Item[]
  readonly call: (items: readonly Asked<Item>[]) => Call<Req, Res>
  readonly read: (response: Res) => readonly LeaderAnswer<Value>[]
}

/**
 * Asks the leader of every partition and gives each its own outcome, by `topic-partition`: a value, or the error that
 * no retry helps, or a `TimeoutError` when `default.api.timeout.ms` has passed. One that fails holds up no other.
 */
export function askLeaders<Item extends TopicPartition, Req, Res, Value>(
  calls: LeaderCalls<Item, Req, Res, Value>,
): Promise<ReadonlyMap<string, Value | Error>> {
  const { channel, items, what } = calls
  const { cluster, updater, timeoutMs } = channel
  const outcomes = new Map<string, Value | Error>()
  updater.track(items.map(({ topic }) => topic))
  return new Promise((resolve) => {
    withRetries<true>({
      what,
      clock: cluster.ports.clock,
      random: cluster.ports.random,
      backoff: cluster.retryBackoff,
      timeoutMs,
      isRetriable: () => true,
      attempt: (_remainingMs, tried) => {
        updater.refresh(() => {
          const open = items.filter((item) => !outcomes.has(keyOf(item)))
          askAll(calls, open, outcomes, (last) => tried(last, last === null ? true : null))
        })
      },
      done: (error) => {
        const late = error ?? timedOut(what, timeoutMs, null)
        for (const item of items) if (!outcomes.has(keyOf(item))) outcomes.set(keyOf(item), late)
        resolve(outcomes)
      },
    })
  })
}

/** `done` gets why something is still open, null when nothing is. */
function askAll<Item extends TopicPartition, Req, Res, Value>(
  calls: LeaderCalls<Item, Req, Res, Value>,
  open: readonly Item[],
  outcomes: Map<string, Value | Error>,
  done: (last: Error | null) => void,
): void {
  const { cluster } = calls.channel
  const byLeader = new Map<BrokerId, Asked<Item>[]>()
  let last: Error | null = null
  for (const item of open) {
    const known = cluster.metadata.partition(item.topic, item.partition)
    const leader = known?.leader ?? -1
    const asked = { ...item, leaderEpoch: known?.leaderEpoch ?? -1 }
    if (leader >= 0) byLeader.set(leader, [...(byLeader.get(leader) ?? []), asked])
    else last = new KafkaError(whyNoLeader(calls.channel, item), `leader of ${keyOf(item)}`)
  }
  let pending = byLeader.size
  if (pending === 0) return done(last)
  for (const [leader, asked] of byLeader) {
    cluster.request(leader, 'main', calls.call(asked), (error, response) => {
      const problem =
        error === null && response !== null
          ? settle(calls.read(response), outcomes)
          : fail(asked, error ?? new KafkaError(ErrorCode.NETWORK_EXCEPTION), outcomes)
      last = problem ?? last
      pending -= 1
      if (pending > 0) return
      const isWhole = open.every((item) => outcomes.has(keyOf(item)))
      done(isWhole ? null : (last ?? new KafkaError(ErrorCode.NETWORK_EXCEPTION)))
    })
  }
}

/** Stores what is final; gives the last error that may pass. */
function settle<Value>(
  answers: readonly LeaderAnswer<Value>[],
  outcomes: Map<string, Value | Error>,
): Error | null {
  let last: Error | null = null
  for (const answer of answers) {
    const error = answer.errorCode === ErrorCode.NONE ? null : new KafkaError(answer.errorCode)
    if (error === null) outcomes.set(keyOf(answer), answer.value)
    else if (error.isRetriable) last = error
    else outcomes.set(keyOf(answer), error)
  }
  return last
}

/** A request as a whole that failed: for good, or to be tried again. */
function fail<Value>(
  asked: readonly TopicPartition[],
  error: Error,
  outcomes: Map<string, Value | Error>,
): Error | null {
  if (isRetriableError(error)) return error
  for (const item of asked) outcomes.set(keyOf(item), error)
  return null
}

function whyNoLeader({ cluster }: AdminChannel, { topic }: TopicPartition): number {
  const code = cluster.metadata.errorOf(topic)
  if (code !== ErrorCode.NONE) return code
  return cluster.metadata.topic(topic) === null
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.LEADER_NOT_AVAILABLE
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition)
}
