import { messageOf } from '../../src/base/errors.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import type { Properties, SinkConnector, SourceConnector } from '../api.ts'
import { ConnectError } from '../errors.ts'
import { checkOverrides, consumerSettings, producerSettings } from './client-settings.ts'
import { parts } from './connector-parts.ts'
import type { ConnectorConfig } from './connector-config.ts'
import type { KafkaClients } from './kafka-clients.ts'
import type { OffsetStore } from './offset-store.ts'
import type { Plugins } from './plugins.ts'
import { RunningSinkTask } from './sink-task.ts'
import { RunningSourceTask } from './source-task.ts'
import type { RunningTask, TaskOptions } from './task-options.ts'
import { settlesWithin } from './waiting.ts'
import { voiceOf, type Tell, type Voice } from './worker-event.ts'
import type { WorkerConfig } from './worker-config.ts'

/** A connector may take this long to stop (Kafka's fixed limit). */
const CONNECTOR_STOP_MS = 5000
const DEFAULT_BUFFER_BYTES = 33_554_432

export type RunState = 'UNASSIGNED' | 'RUNNING' | 'FAILED' | 'STOPPED'

export interface TaskStatus {
  readonly task: number
  readonly state: RunState
  /** Why it failed, one line; null otherwise. */
  readonly reason: string | null
}

export interface ConnectorStatus {
  readonly connector: string
  readonly kind: 'source' | 'sink'
  readonly state: RunState
  readonly reason: string | null
  readonly tasks: readonly TaskStatus[]
}

export interface WorkerOptions {
  readonly worker: WorkerConfig
  readonly plugins: Plugins
  readonly clients: KafkaClients
  readonly offsets: OffsetStore
  readonly clock: Clock
  readonly random: Random
  readonly tell: Tell
}

interface TaskEntry {
  readonly number: number
  readonly task: RunningTask
  state: RunState
  reason: string | null
  /** Resolves when the task is over, well or not. */
  over: Promise<void>
}

interface ConnectorEntry {
  readonly config: ConnectorConfig
  readonly connector: SourceConnector | SinkConnector
  readonly voice: Voice
  state: RunState
  reason: string | null
  tasks: readonly TaskEntry[]
}

/** Runs connectors and their tasks. A task that fails stays failed; the others go on. */
export class Worker {
  readonly #options: WorkerOptions
  readonly #connectors = new Map<string, ConnectorEntry>()

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** Starts a connector and its tasks. Rejects when it cannot be started; its tasks may still fail later. */
  async start(config: ConnectorConfig): Promise<void> {
    const { name, plugin } = config
    if (this.#connectors.has(name)) throw new ConnectError(`connector "${name}" is there already`)
    checkOverrides(this.#options.worker, config)
    const voice = voiceOf(this.#options.tell, name)
    const connector = plugin.create()
    const entry: ConnectorEntry = {
      config,
      connector,
      voice,
      state: 'RUNNING',
      reason: null,
      tasks: [],
    }
    const context = {
      connector: name,
      raiseError: (error: Error) => this.#onConnectorError(entry, error),
      warn: (message: string) => voice.tell('warning', 'warn', message),
    }
    try {
      await connector.start?.(config.properties, context)
      const taskConfigs = connector.taskConfigs(config.maxTasks)
      if (taskConfigs.length > config.maxTasks && config.config.boolean('tasks.max.enforce')) {
        throw new ConnectError(
          `it made ${taskConfigs.length} tasks, but tasks.max is ${config.maxTasks}`,
        )
      }
      const tasks = taskConfigs.map((properties, number) =>
        this.#makeTask(entry, number, properties),
      )
      entry.tasks = tasks
    } catch (error) {
      throw new ConnectError(`connector "${name}" could not be started: ${messageOf(error)}`, {
        cause: error,
      })
    }
    this.#connectors.set(name, entry)
    for (const task of entry.tasks) task.over = this.#run(entry, task)
  }

  status(): readonly ConnectorStatus[] {
    return [...this.#connectors.values()].map(({ config, state, reason, tasks }) => ({
      connector: config.name,
      kind: config.plugin.kind,
      state,
      reason,
      tasks: tasks.map((task) => ({ task: task.number, state: task.state, reason: task.reason })),
    }))
  }

  /** Stops all tasks within `task.shutdown.graceful.timeout.ms`, then the connectors. Never rejects. */
  async stop(): Promise<void> {
    const { clock, worker } = this.#options
    const timeoutMs = worker.config.long('task.shutdown.graceful.timeout.ms')
    const entries = [...this.#connectors.values()]
    const tasks = entries.flatMap((entry) => entry.tasks.map((task) => ({ entry, task })))
    for (const { task } of tasks) task.task.stop()
    const stopped = tasks.map(async ({ entry, task }) => {
      if (await settlesWithin(clock, timeoutMs, task.over)) return
      entry.voice.tell(
        'task.abandoned',
        'error',
        `task ${task.number} did not stop within ${timeoutMs} ms and is given up`,
      )
    })
    await Promise.all(stopped)
    await Promise.all(entries.map((entry) => this.#stopConnector(entry)))
    this.#connectors.clear()
  }

  async #stopConnector({ connector, voice }: ConnectorEntry): Promise<void> {
    const stop = async (): Promise<void> => {
      try {
        await connector.stop?.()
      } catch (error) {
        voice.tell('warning', 'warn', `stopping the connector failed: ${messageOf(error)}`)
      }
    }
    await settlesWithin(this.#options.clock, CONNECTOR_STOP_MS, stop())
  }

  async #run(entry: ConnectorEntry, task: TaskEntry): Promise<void> {
    try {
      await task.task.run()
      if (task.state !== 'FAILED') task.state = 'STOPPED'
    } catch (error) {
      task.state = 'FAILED'
      task.reason = messageOf(error)
      entry.voice.tell('task.failed', 'error', `task ${task.number} failed: ${task.reason}`)
    }
  }

  #onConnectorError(entry: ConnectorEntry, error: Error): void {
    entry.state = 'FAILED'
    entry.reason = error.message
    entry.voice.tell('connector.failed', 'error', `the connector failed: ${error.message}`)
  }

  #onTaskRunning(entry: ConnectorEntry, task: TaskEntry): void {
    task.state = 'RUNNING'
    if (entry.tasks.some(({ state }) => state !== 'RUNNING')) return
    const count = entry.tasks.length
    const { tell } = this.#options
    tell({
      kind: 'connector.running',
      level: 'info',
      connector: entry.config.name,
      task: null,
      message: `connector ${entry.config.name}: ${count} task${count === 1 ? '' : 's'} running`,
    })
  }

  #makeTask(entry: ConnectorEntry, number: number, properties: Properties): TaskEntry {
    const made: { task: TaskEntry | null } = { task: null }
    const onRunning = (): void => {
      if (made.task !== null) this.#onTaskRunning(entry, made.task)
    }
    const task: TaskEntry = {
      number,
      task: this.#runnerOf(entry, number, properties, onRunning),
      state: 'UNASSIGNED',
      reason: null,
      over: Promise.resolve(),
    }
    made.task = task
    return task
  }

  #runnerOf(
    { config, connector }: ConnectorEntry,
    taskNumber: number,
    properties: Properties,
    onRunning: () => void,
  ): RunningTask {
    const { worker, plugins, clients, offsets, clock, random, tell } = this.#options
    const voice = voiceOf(tell, config.name, taskNumber)
    const options: TaskOptions = {
      connector: config.name,
      taskNumber,
      className: config.plugin.className,
      properties,
      ...parts(worker, config, plugins),
      errors: config.errors,
      commitIntervalMs: worker.config.long('offset.flush.interval.ms'),
      commitTimeoutMs: worker.config.long('offset.flush.timeout.ms'),
      clock,
      random,
      voice,
      onRunning,
    }
    if (config.plugin.kind === 'source') {
      const settings = producerSettings(worker, config, taskNumber)
      const producer = clients.producer(settings)
      warnOfNames(voice, 'producer', producer.unknownProperties)
      const task = (connector as SourceConnector).createTask()
      const bufferBytes = Number(settings['buffer.memory'] ?? DEFAULT_BUFFER_BYTES)
      return new RunningSourceTask({
        ...options,
        task,
        producer,
        offsets,
        windowBytes: bufferBytes / 2,
      })
    }
    const consumer = clients.consumer(consumerSettings(worker, config, taskNumber))
    warnOfNames(voice, 'consumer', consumer.unknownProperties)
    return new RunningSinkTask({
      ...options,
      task: (connector as SinkConnector).createTask(),
      consumer,
      subscription: config.topicsPattern ?? config.topics,
      closeTimeoutMs: worker.config.long('task.shutdown.graceful.timeout.ms'),
    })
  }
}

function warnOfNames(
  voice: Voice,
  kind: string,
  names: readonly { readonly name: string; readonly nearest: string | null }[],
): void {
  for (const { name, nearest } of names) {
    const near = nearest === null ? '' : ` (did you mean "${nearest}"?)`
    voice.tell('setting.unknown', 'warn', `unknown ${kind} setting "${name}"${near}`)
  }
}
