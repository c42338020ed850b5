import { messageOf } from '../../src/base/errors.ts'
import type { Timer } from '../../src/ports/clock.ts'
import { isRetriableError, type RecordMetadata } from '../../src/client/index.ts'
import type { SourceRecord, SourceTask } from '../api.ts'
import { ConnectError, RetriableConnectError } from '../errors.ts'
import { ErrorOperator } from './error-operator.ts'
import type { ConnectProducer } from './kafka-clients.ts'
import { OffsetCommitter } from './offset-committer.ts'
import type { OffsetStore } from './offset-store.ts'
import { SendWindow } from './send-window.ts'
import { describeSourceWork, sourceStages, sourceWork, type SourceWork } from './source-pipeline.ts'
import { SubmittedOffsets, type Submitted } from './submitted-offsets.ts'
import type { RunningTask, TaskOptions } from './task-options.ts'
import { settlesWithin, sleep, turn } from './waiting.ts'

/** What a record needs besides its key and value, roughly. */
const RECORD_OVERHEAD_BYTES = 100

export interface SourceTaskOptions extends TaskOptions {
  readonly task: SourceTask
  readonly producer: ConnectProducer
  readonly offsets: OffsetStore
  /** At most this many bytes are on their way at once. */
  readonly windowBytes: number
}

/**
 * Runs one source task: poll, transform, convert, send; commit the offsets of what Kafka has. At least once:
 * an offset is stored only after the records before it were acknowledged (reference: Kafka's WorkerSourceTask).
 */
export class RunningSourceTask implements RunningTask {
  readonly #options: SourceTaskOptions
  readonly #abort = new AbortController()
  readonly #operator: ErrorOperator
  readonly #stages: ReturnType<typeof sourceStages>
  readonly #submitted: SubmittedOffsets
  readonly #committer: OffsetCommitter
  readonly #window: SendWindow
  #failure: Error | null = null
  #isStarted = false
  #isOver = false
  #commitTimer: Timer | null = null

  constructor(options: SourceTaskOptions) {
    this.#options = options
    const { errors: settings, clock, random, voice, connector, offsets, task } = options
    const { signal } = this.#abort
    this.#operator = new ErrorOperator({ settings, clock, random, signal, voice })
    this.#stages = sourceStages(options)
    this.#submitted = new SubmittedOffsets(connector)
    this.#window = new SendWindow(options.windowBytes, signal)
    this.#committer = new OffsetCommitter({
      clock,
      voice,
      store: offsets,
      submitted: this.#submitted,
      timeoutMs: options.commitTimeoutMs,
      afterCommit: () => task.commit?.(),
    })
  }

  stop(): void {
    this.#abort.abort()
  }

  async run(): Promise<void> {
    const { task, properties, onRunning } = this.#options
    try {
      await task.start(properties, this.#context())
      this.#isStarted = true
      onRunning()
      this.#armCommit()
      await this.#copy()
    } finally {
      await this.#end()
    }
    if (this.#failure !== null) throw this.#failure
  }

  async #copy(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#abort
    while (!signal.aborted) {
      await turn(clock)
      this.#throwFailure()
      const records = await this.#poll()
      if (records !== null) await this.#send(records)
    }
  }

  async #poll(): Promise<readonly SourceRecord[] | null> {
    try {
      return await this.#options.task.poll()
    } catch (error) {
      const isRetriable =
        error instanceof RetriableConnectError ||
        (error instanceof Error && isRetriableError(error))
      if (!isRetriable) throw error
      this.#warn(`poll failed, it is tried again: ${messageOf(error)}`)
      return null
    }
  }

  /** The whole batch, unless the task is to stop while there is no room. */
  async #send(records: readonly SourceRecord[]): Promise<void> {
    for (const record of records) {
      const work = sourceWork(record)
      const outcome = this.#operator.run(this.#stages, work, describeSourceWork)
      const isKept = typeof outcome === 'boolean' ? outcome : await outcome
      if (!isKept) {
        this.#tellTask(record, null)
        continue
      }
      if (this.#window.isFull && !(await this.#window.waitForRoom())) return
      this.#throwFailure()
      this.#produce(record, work)
    }
  }

  #produce(original: SourceRecord, work: SourceWork): void {
    const { record, headers, key, value } = work
    const sizeBytes = (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES
    const submitted = this.#submitted.add(record.sourcePartition, record.sourceOffset)
    this.#window.add(sizeBytes)
    this.#options.producer.produce(
      {
        topic: record.topic,
        partition: record.kafkaPartition,
        key,
        value,
        headers,
        ...(record.timestampMs === null ? {} : { timestampMs: record.timestampMs }),
      },
      (error, metadata) => {
        this.#window.remove(sizeBytes)
        if (error === null) this.#onStored(original, submitted, metadata)
        else this.#onRefused(original, submitted, work, error)
      },
    )
  }

  #onStored(record: SourceRecord, submitted: Submitted, metadata: RecordMetadata | null): void {
    submitted.isAcked = true
    this.#tellTask(record, metadata)
  }

  #onRefused(record: SourceRecord, submitted: Submitted, work: SourceWork, error: Error): void {
    if (this.#isOver) return
    const { className } = this.#options
    this.#operator.report('KAFKA_PRODUCE', className, error, () => describeSourceWork(work))
    if (this.#operator.toleratesAll) {
      submitted.isAcked = true
      this.#tellTask(record, null)
      return
    }
    const text = `a record could not be sent to topic "${work.record.topic}": ${error.message}`
    this.#failure ??= new ConnectError(text, { cause: error })
    this.#window.wake()
  }

  #tellTask(record: SourceRecord, metadata: RecordMetadata | null): void {
    try {
      this.#options.task.commitRecord?.(record, metadata)
    } catch (error) {
      this.#warn(`commitRecord failed: ${messageOf(error)}`)
    }
  }

  /** What is on its way may still arrive; then the last offsets are stored, also after a failure. */
  async #end(): Promise<void> {
    const { clock, commitTimeoutMs, task, producer, transforms } = this.#options
    if (this.#commitTimer !== null) clock.cancel(this.#commitTimer)
    this.#abort.abort()
    await settlesWithin(clock, commitTimeoutMs, this.#window.whenEmpty())
    this.#isOver = true
    if (this.#isStarted) await this.#committer.commit()
    try {
      await task.stop()
    } catch (error) {
      this.#warn(`stopping the task failed: ${messageOf(error)}`)
    }
    for (const { it } of transforms) it.close?.()
    await producer.close({ timeoutMs: 0 })
  }

  #armCommit(): void {
    const { clock, commitIntervalMs } = this.#options
    this.#commitTimer = clock.after(commitIntervalMs, 'connect.commit', () => {
      void this.#committer.commit()
      this.#armCommit()
    })
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure
  }

  #context(): Parameters<SourceTask['start']>[1] {
    const { connector, taskNumber, clock, offsets } = this.#options
    const { signal } = this.#abort
    return {
      connector,
      task: taskNumber,
      signal,
      nowMs: () => clock.wallMs(),
      sleep: (ms) => sleep(clock, ms, signal),
      warn: (message) => this.#warn(message),
      offset: (partition) => offsets.read(connector, partition),
    }
  }

  #warn(message: string): void {
    this.#options.voice.tell('warning', 'warn', message)
  }
}
