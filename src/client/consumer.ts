import type { Config, UnknownName } from '../base/config-def.ts'
import { KafketteError, messageOf } from '../base/errors.ts'
import type { Offset, TimestampMs } from '../base/ids.ts'
import { topicPartitionKey, type TopicPartition } from '../base/topic-partition.ts'
import { parseClientConfig, type Properties } from './client-config.ts'
import type { ClientPorts } from './client-ports.ts'
import { ConsumerCore } from './consumer-core.ts'
import type { RebalanceHooks } from './consumer-group.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { OffsetAndMetadata } from './group-offsets.ts'

import type { TopicMetadata } from './metadata.ts'
import { OffsetSpec, type OffsetAnswer } from './offset-lookup.ts'
import { asPromise, withRetries } from './retry.ts'
import type { ConsumerGroupMetadata } from './transaction-requests.ts'

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000

/** Called inside `poll`, which waits for a promise that is returned. Errors come out of that poll. */
export interface RebalanceListener {
  /** Positions may be looked up or changed here. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** The partitions are still this consumer's: the place for a last commit. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** The partitions may be another's by now; without this, `onRevoked` is called. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>
}

/** Topics by name, or all those (not internal ones) whose name matches. */
export type SubscribeTo = readonly string[] | RegExp

/**
 * Reads records, alone or sharing partitions with its group, with the settings of Kafka's own consumer.
 * Nothing that an application can see changes between two polls.
 */
export class Consumer {
  readonly config: Config
  /** Given properties that no consumer knows. */
  readonly unknownProperties: readonly UnknownName[]
  readonly #core: ConsumerCore
  readonly #ports: ClientPorts
  #closing: Promise<void> | null = null

  /** Throws `ConfigError` for settings that cannot be used. */
  constructor(properties: Properties, ports: ClientPorts) {
    const { config, unknownNames } = parseClientConfig('consumer', properties)
    this.config = config
    this.unknownProperties = unknownNames
    this.#ports = ports
    this.#core = new ConsumerCore(config, ports)
  }

  /** Joins the group of `group.id` at the next poll. Throws without one, or after `assign`. */
  subscribe(to: SubscribeTo, listener: RebalanceListener = {}): void {
    const hooks = hooksOf(listener)
    if (to instanceof RegExp) this.#core.subscribe({ kind: 'pattern', pattern: to }, hooks)
    else this.#core.subscribe({ kind: 'topics', topics: [...to] }, hooks)
  }

  /** Reads these partitions without sharing them out. Those it reads already keep their position. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#core.assign(partitions)
  }

  unsubscribe(): Promise<void> {
    return asVoid((done) => this.#core.unsubscribe(done))
  }

  /** The partitions it reads now. */
  assignment(): readonly TopicPartition[] {
    return this.#core.subscription.assigned.map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * The next records, as soon as there are some, at most `max.poll.records`; none after `maxWaitMs`.
   * Rejects with what went wrong in the background too; polling on is allowed.
   */
  poll(maxWaitMs: number): Promise<readonly ConsumerRecord[]> {
    return asPromise((done) => this.#core.poll(maxWaitMs, done))
  }

  /** Makes the poll that runs, or else the next one, return early. */
  wakeup(): void {
    this.#core.wakeup()
  }

  seek(partition: TopicPartition, offset: Offset): void {
    this.#core.seek(partition, offset)
  }

  seekToBeginning(partitions: readonly TopicPartition[]): void {
    this.#core.seekTo('earliest', partitions)
  }

  seekToEnd(partitions: readonly TopicPartition[]): void {
    this.#core.seekTo('latest', partitions)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#core.setPaused(partitions, true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#core.setPaused(partitions, false)
  }

  paused(): readonly TopicPartition[] {
    return this.#core.subscription.assigned
      .filter((state) => state.isPaused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The next offset that `poll` gives. */
  position(partition: TopicPartition): Promise<Offset> {
    return asPromise((done) => this.#core.position(partition, this.#timeoutMs(), done))
  }

  /** The position as far as it is known now; null otherwise. Without a request. */
  knownPosition(partition: TopicPartition): Offset | null {
    return this.#core.subscription.require(partition).position
  }

  /** High watermark less position, from the last fetch; null when either is not known. */
  currentLag(partition: TopicPartition): number | null {
    const { position, highWatermark } = this.#core.subscription.require(partition)
    return position === null || highWatermark < 0 ? null : Math.max(0, highWatermark - position)
  }

  /** Commits the given offsets, or what was polled so far; retries until `default.api.timeout.ms`. */
  commitSync(offsets?: readonly OffsetAndMetadata[]): Promise<void> {
    return asVoid((done) => {
      const { group } = this.#core
      if (group === null) done(noGroup())
      else group.commit(offsets ?? this.#core.consumed(), this.#timeoutMs(), done)
    })
  }

  /** One try in the background; the outcome is told to `done`, if at all. */
  commitAsync(
    offsets?: readonly OffsetAndMetadata[],
    done: (error: Error | null) => void = () => undefined,
  ): void {
    const { group } = this.#core
    if (group === null) this.#ports.clock.after(0, 'client.refused', () => done(noGroup()))
    else group.commitOnce(offsets ?? this.#core.consumed(), done)
  }

  /** Committed offsets by `topic-partition`; partitions without one are missing. */
  committed(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<string, OffsetAndMetadata>> {
    return asPromise((done) => {
      const { group, cluster } = this.#core
      if (group === null) return done(noGroup(), null)
      withRetries<ReadonlyMap<string, OffsetAndMetadata>>({
        what: 'fetch committed offsets',
        clock: this.#ports.clock,
        random: this.#ports.random,
        backoff: cluster.retryBackoff,
        timeoutMs: this.#timeoutMs(),
        attempt: (_remainingMs, tried) => group.offsets.fetch(partitions, tried),
        done,
      })
    })
  }

  /** First offsets by `topic-partition`. */
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>> {
    return this.#offsets(partitions, OffsetSpec.EARLIEST)
  }

  /** Offsets after the last record that this consumer may see, by `topic-partition`. */
  endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>> {
    return this.#offsets(partitions, OffsetSpec.LATEST)
  }

  /** The first record at or after a time, by `topic-partition`; offset -1 when there is none. */
  offsetsForTimes(
    times: readonly (TopicPartition & { readonly timestampMs: TimestampMs })[],
  ): Promise<ReadonlyMap<string, OffsetAnswer>> {
    return asPromise((done) => this.#core.lookUp(times, this.#timeoutMs(), done))
  }

  /** What is known of a topic; looks it up first when nothing is. */
  partitionsFor(topic: string): Promise<TopicMetadata> {
    return asPromise((done) => this.#core.updater.whenTopic(topic, 1, this.#timeoutMs(), done))
  }

  /** `client id`-uuid while it is a member, '' otherwise. */
  memberId(): string {
    return this.#core.group?.member.memberId ?? ''
  }

  /** -1 while it is no member. */
  generation(): number {
    return this.#core.group?.member.generation ?? -1
  }

  /** What `sendOffsetsToTransaction` of a producer needs. Throws without `group.id`. */
  groupMetadata(): ConsumerGroupMetadata {
    const groupId = this.config.nullableString('group.id')
    if (groupId === null) throw new KafketteError('NO_GROUP', 'groupMetadata needs group.id')
    const groupInstanceId = this.config.nullableString('group.instance.id')
    return { groupId, generation: this.generation(), memberId: this.memberId(), groupInstanceId }
  }

  /** Commits if `enable.auto.commit`, leaves the group, ends the connections. Safe to call twice. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS
    this.#closing ??= asVoid((done) => this.#core.close(timeoutMs, () => done(null)))
    return this.#closing
  }

  async #offsets(
    partitions: readonly TopicPartition[],
    timestampMs: TimestampMs,
  ): Promise<ReadonlyMap<string, Offset>> {
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestampMs }))
    const answers = await asPromise<ReadonlyMap<string, OffsetAnswer>>((done) =>
      this.#core.lookUp(queries, this.#timeoutMs(), done),
    )
    return new Map(
      [...answers.values()].map((each) => [
        topicPartitionKey(each.topic, each.partition),
        each.offset,
      ]),
    )
  }

  #timeoutMs(): number {
    return this.config.int('default.api.timeout.ms')
  }
}

type Done = (error: Error | null) => void

function asVoid(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

function noGroup(): Error {
  return new KafketteError('NO_GROUP', 'this consumer has no group.id')
}

function hooksOf(listener: RebalanceListener): RebalanceHooks {
  const { onAssigned, onRevoked } = listener
  const onLost = listener.onLost ?? onRevoked
  return {
    onAssigned: (partitions, done) => run(() => onAssigned?.(partitions), done),
    onRevoked: (partitions, done) => run(() => onRevoked?.(partitions), done),
    onLost: (partitions, done) => run(() => onLost?.(partitions), done),
  }
}

function run(hook: () => void | Promise<void>, done: Done): void {
  let result: void | Promise<void>
  try {
    result = hook()
  } catch (error) {
    return done(asError(error))
  }
  if (result instanceof Promise) void awaitHook(result, done)
  else done(null)
}

async function awaitHook(result: Promise<void>, done: Done): Promise<void> {
  let problem: Error | null = null
  try {
    await result
  } catch (error) {
    problem = asError(error)
  }
  done(problem)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new KafketteError('LISTENER', messageOf(error))
}
