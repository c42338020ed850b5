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
  const passing = new Map<string, Error>()
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
          askAll(calls, { open, outcomes, passing }, (last) =>
            tried(last, last === null ? true : null),
          )
        })
      },
      done: () => {
        for (const key of items.map(keyOf).filter((each) => !outcomes.has(each))) {
          outcomes.set(key, timedOut(`${what}, ${key}`, timeoutMs, passing.get(key) ?? null))
        }
        resolve(outcomes)
      },
    })
  })
}

interface Round<Item extends TopicPartition, Value> {
  readonly open: readonly Item[]
  /** What is final, by `topic-partition`. */
  readonly outcomes: Map<string, Value | Error>
  /** Why the others are open still. */
  readonly passing: Map<string, Error>
}

/** `done` gets why something is still open, null when nothing is. */
function askAll<Item extends TopicPartition, Req, Res, Value>(
  calls: LeaderCalls<Item, Req, Res, Value>,
  round: Round<Item, Value>,
  done: (last: Error | null) => void,
): void {
  const { cluster } = calls.channel
  const { open, outcomes, passing } = round
  const byLeader = new Map<BrokerId, Asked<Item>[]>()
  for (const item of open) {
    const known = cluster.metadata.partition(item.topic, item.partition)
    const leader = known?.leader ?? -1
    const asked = { ...item, leaderEpoch: known?.leaderEpoch ?? -1 }
    if (leader >= 0) byLeader.set(leader, [...(byLeader.get(leader) ?? []), asked])
    else passing.set(keyOf(item), new KafkaError(whyNoLeader(calls.channel, item)))
  }
  let pending = byLeader.size
  const landed = (): void => {
    if (pending > 0) return
    const late = open.map(keyOf).find((key) => !outcomes.has(key))
    if (late === undefined) done(null)
    else done(passing.get(late) ?? new KafkaError(ErrorCode.NETWORK_EXCEPTION))
  }
  if (pending === 0) return landed()
  for (const [leader, asked] of byLeader) {
    cluster.request(leader, 'main', calls.call(asked), (error, response) => {
      pending -= 1
      if (error === null && response !== null) settle(calls.read(response), round)
      else fail(asked, error ?? new KafkaError(ErrorCode.NETWORK_EXCEPTION), round)
      landed()
    })
  }
}

function settle<Item extends TopicPartition, Value>(
  answers: readonly LeaderAnswer<Value>[],
  { outcomes, passing }: Round<Item, Value>,
): void {
  for (const answer of answers) {
    const error = answer.errorCode === ErrorCode.NONE ? null : new KafkaError(answer.errorCode)
    if (error === null) outcomes.set(keyOf(answer), answer.value)
    else if (error.isRetriable) passing.set(keyOf(answer), error)
    else outcomes.set(keyOf(answer), error)
  }
}

/** A request as a whole that failed: for good, or to be tried again. */
function fail<Item extends TopicPartition, Value>(
  asked: readonly TopicPartition[],
  error: Error,
  { outcomes, passing }: Round<Item, Value>,
): void {
  const isPassing = isRetriableError(error)
  for (const item of asked) {
    if (isPassing) passing.set(keyOf(item), error)
    else outcomes.set(keyOf(item), error)
  }
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
