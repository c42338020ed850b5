import { messageOf } from '../../src/base/errors.ts'
import { topicPartitionKey, type TopicPartition } from '../../src/base/topic-partition.ts'
import { isRetriableError, type ConsumerRecord } from '../../src/client/index.ts'
import type { SinkRecord, SinkTask, SinkTaskContext, TopicOffset } from '../api.ts'
import { RetriableConnectError } from '../errors.ts'
import { ErrorOperator } from './error-operator.ts'
import type { ConnectConsumer } from './kafka-clients.ts'
import { SinkCommitter } from './sink-committer.ts'
import { SinkOffsets } from './sink-offsets.ts'
import { describeSinkWork, sinkStages, sinkWork } from './sink-pipeline.ts'
import type { RunningTask, TaskOptions } from './task-options.ts'
import { sleep } from './waiting.ts'

/** Between two polls when the cluster cannot be reached. */
const POLL_BACKOFF_MS = 100
/** How long a poll may last while a commit is due that the one before it still holds up. */
const COMMIT_WAIT_MS = 100

export interface SinkTaskOptions extends TaskOptions {
  readonly task: SinkTask
  readonly consumer: ConnectConsumer
  /** Topics by name or by pattern. */
  readonly subscription: readonly string[] | RegExp
  /** Time that the last commit and leaving the group may take. */
  readonly closeTimeoutMs: number
}

/**
 * Runs one sink task: read as a member of the connector's group, convert, transform, put; commit what was put.
 * At least once (reference: Kafka's WorkerSinkTask).
 */
export class RunningSinkTask implements RunningTask {
  readonly #options: SinkTaskOptions
  readonly #abort = new AbortController()
  readonly #operator: ErrorOperator
  readonly #stages: ReturnType<typeof sinkStages>
  readonly #offsets = new SinkOffsets()
  readonly #committer: SinkCommitter
  readonly #pausedByTask = new Set<string>()
  #batch: readonly SinkRecord[] = []
  /** All partitions wait until the batch, which the task could not take, is put. */
  #isRedelivering = false
  #isCommitRequested = false
  #nextCommitMs: number
  /** The task's wish for the next wait; null: none. */
  #timeoutMs: number | null = null
  #rewinds: readonly TopicOffset[] = []

  constructor(options: SinkTaskOptions) {
    this.#options = options
    const { errors: settings, clock, random, voice, task, consumer } = options
    const { signal } = this.#abort
    this.#operator = new ErrorOperator({ settings, clock, random, signal, voice })
    this.#stages = sinkStages(options)
    this.#nextCommitMs = clock.monoMs() + options.commitIntervalMs
    this.#committer = new SinkCommitter({
      task,
      consumer,
      clock,
      voice,
      offsets: this.#offsets,
      timeoutMs: options.commitTimeoutMs,
    })
  }

  stop(): void {
    this.#abort.abort()
    this.#options.consumer.wakeup()
  }

  async run(): Promise<void> {
    const { task, consumer, properties, subscription, onRunning } = this.#options
    try {
      consumer.subscribe(subscription, {
        onAssigned: (partitions) => this.#onAssigned(partitions),
        onRevoked: (partitions) => this.#giveUp(partitions, true),
        onLost: (partitions) => this.#giveUp(partitions, false),
      })
      await task.start(properties, this.#context())
      onRunning()
      while (!this.#abort.signal.aborted) await this.#iterate()
    } finally {
      await this.#end()
    }
  }

  async #iterate(): Promise<void> {
    const { clock, commitIntervalMs } = this.#options
    const nowMs = clock.monoMs()
    this.#committer.giveUpLate()
    const isDue = this.#isCommitRequested || nowMs >= this.#nextCommitMs
    if (isDue && !this.#committer.isRunning) {
      this.#nextCommitMs = nowMs + commitIntervalMs
      this.#isCommitRequested = false
      await this.#committer.commit()
    }
    const records = await this.#poll()
    if (!this.#isRedelivering) this.#batch = await this.#convert(records)
    await this.#put()
  }

  async #poll(): Promise<readonly ConsumerRecord[]> {
    const { clock, consumer } = this.#options
    this.#rewind()
    const leastMs = this.#committer.isRunning ? COMMIT_WAIT_MS : 0
    const untilCommitMs = Math.max(leastMs, this.#nextCommitMs - clock.monoMs())
    const waitMs = Math.min(untilCommitMs, this.#timeoutMs ?? Infinity)
    this.#timeoutMs = null
    try {
      return await consumer.poll(waitMs)
    } catch (error) {
      if (!(error instanceof Error) || !isRetriableError(error)) throw error
      await sleep(clock, POLL_BACKOFF_MS, this.#abort.signal)
      return []
    }
  }

  async #convert(records: readonly ConsumerRecord[]): Promise<readonly SinkRecord[]> {
    const batch: SinkRecord[] = []
    for (const raw of records) {
      const work = sinkWork(raw)
      const outcome = this.#operator.run(this.#stages, work, describeSinkWork)
      const isKept = typeof outcome === 'boolean' ? outcome : await outcome
      if (isKept && work.record !== null) batch.push(work.record)
      this.#offsets.note(raw.topic, raw.partition, raw.offset + 1)
    }
    return batch
  }

  async #put(): Promise<void> {
    const { task, consumer, voice } = this.#options
    try {
      await task.put([...this.#batch])
    } catch (error) {
      if (!(error instanceof RetriableConnectError)) throw error
      voice.tell('warning', 'warn', `put failed, the records come again: ${error.message}`)
      this.#isRedelivering = true
      consumer.pause(this.#offsets.partitions)
      return
    }
    this.#batch = []
    this.#offsets.settle()
    if (this.#isRedelivering) this.#resumeAll()
  }

  #resumeAll(): void {
    this.#isRedelivering = false
    const isFree = ({ topic, partition }: TopicPartition): boolean =>
      !this.#pausedByTask.has(topicPartitionKey(topic, partition))
    this.#options.consumer.resume(this.#offsets.partitions.filter(isFree))
  }

  async #onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { consumer, task } = this.#options
    for (const { topic, partition } of partitions) {
      const offset = await consumer.position({ topic, partition })
      this.#offsets.place({ topic, partition, offset })
    }
    if (this.#isRedelivering) {
      if (this.#batch.length === 0) this.#resumeAll()
      else consumer.pause(partitions)
    }
    if (partitions.length > 0) await task.open?.(partitions)
    this.#rewind()
  }

  /** Before the partitions go to another member, or because they have gone. */
  async #giveUp(partitions: readonly TopicPartition[], commits: boolean): Promise<void> {
    const { task, voice } = this.#options
    const mine = partitions.filter((each) => this.#offsets.has(each))
    if (mine.length === 0) return
    if (commits) await this.#committer.commitLast(mine)
    try {
      await task.close?.(mine)
    } catch (error) {
      voice.tell('warning', 'warn', `closing partitions failed: ${messageOf(error)}`)
    }
    for (const each of mine) {
      this.#offsets.drop(each)
      this.#pausedByTask.delete(topicPartitionKey(each.topic, each.partition))
    }
    this.#batch = this.#batch.filter((record) =>
      this.#offsets.has({ topic: record.originalTopic, partition: record.originalPartition }),
    )
  }

  async #end(): Promise<void> {
    const { task, consumer, voice, transforms, closeTimeoutMs } = this.#options
    this.#abort.abort()
    await this.#giveUp(this.#offsets.partitions, true)
    try {
      await task.stop()
    } catch (error) {
      voice.tell('warning', 'warn', `stopping the task failed: ${messageOf(error)}`)
    }
    for (const { it } of transforms) it.close?.()
    await consumer.close({ timeoutMs: closeTimeoutMs })
  }

  #rewind(): void {
    const rewinds = this.#rewinds.filter((each) => this.#offsets.has(each))
    this.#rewinds = []
    for (const each of rewinds) {
      this.#options.consumer.seek(each, each.offset)
      this.#offsets.place(each)
    }
  }

  #context(): SinkTaskContext {
    const { connector, taskNumber, clock, voice, consumer } = this.#options
    const { signal } = this.#abort
    const keys = (partitions: readonly TopicPartition[]): readonly string[] =>
      partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition))
    return {
      connector,
      task: taskNumber,
      signal,
      nowMs: () => clock.wallMs(),
      sleep: (ms) => sleep(clock, ms, signal),
      warn: (message) => voice.tell('warning', 'warn', message),
      assignment: () => this.#offsets.partitions,
      rewind: (offsets) => {
        this.#rewinds = [...this.#rewinds, ...offsets]
      },
      timeout: (ms) => {
        this.#timeoutMs = ms
      },
      pause: (partitions) => {
        for (const key of keys(partitions)) this.#pausedByTask.add(key)
        consumer.pause(partitions)
      },
      resume: (partitions) => {
        for (const key of keys(partitions)) this.#pausedByTask.delete(key)
        if (!this.#isRedelivering) consumer.resume(partitions)
      },
      requestCommit: () => {
        this.#isCommitRequested = true
      },
    }
  }
}
