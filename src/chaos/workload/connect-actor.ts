import { startStandalone, type Properties, type StandaloneWorker } from '../../../connect/index.ts'
import { messageOf } from '../../base/errors.ts'
import type { LineOperation, TaskFailureOperation } from '../history/operation.ts'
import type { ConnectPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import {
  COLLECTING_SINK_CLASS,
  collectingSinkPlugin,
  NUMBERED_SOURCE_CLASS,
  numberedSourcePlugin,
} from './connect-plugins.ts'
import { GroupProgress } from './group-progress.ts'
import { StoredOffsets } from './stored-offsets.ts'
import { topicEnds } from './topic-ends.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const RETRY_MS = 300
const RESTART_MS = 1000
/** Between two looks at what it waits for. */
const TICK_MS = 50
const FLUSH_MS = 500
const STRING_CONVERTER = 'org.apache.kafka.connect.storage.StringConverter'
/** For the worker's clients; short, since a chaos run is short. */
const CLIENT_SETTINGS: Properties = {
  'request.timeout.ms': '2000',
  'retry.backoff.ms': '50',
  'retry.backoff.max.ms': '400',
  'reconnect.backoff.ms': '50',
  'reconnect.backoff.max.ms': '400',
  'metadata.max.age.ms': '5000',
}
/** A batch must fit into the smallest segments there are: 1 KiB. */
const PRODUCER_SETTINGS: Properties = { 'batch.size': '512' }
const CONSUMER_SETTINGS: Properties = {
  'session.timeout.ms': '6000',
  'heartbeat.interval.ms': '1000',
  'auto.offset.reset': 'earliest',
}

/**
 * A standalone Connect worker, the real one, with a numbered source into the topic and a sink that collects from
 * it. It lives on promises: a simulated run with it must be driven by `runUntilAsync`. Source offsets are in the
 * store of the worker's node; what reached the sink is in the history, as if the sink were another machine.
 * Told to stop, it ends the source, lets the sink come to the end of the topic, and only then stops. A worker with
 * a task that failed is started again, as somebody would who looks after it.
 */
export function createConnectActor(plan: ConnectPlan, context: WorkloadContext): Actor {
  const progress = new GroupProgress(`connect-${plan.name}-sink`, plan.topic)
  return new WorkloadActor(plan.name, context, (life) => new ConnectLife(plan, life, progress))
}

class ConnectLife implements Life {
  readonly #plan: ConnectPlan
  readonly #context: LifeContext
  readonly #progress: GroupProgress
  #worker: StandaloneWorker | null = null
  #isStopped = false
  #isOver = false
  #isAbandoned = false
  /** Lines of this worker that are on their way to Kafka. */
  #lines = { underWay: 0 }
  /** What it waits for, as far as it is known. */
  #problem: string | null = null

  constructor(plan: ConnectPlan, context: LifeContext, progress: GroupProgress) {
    this.#plan = plan
    this.#context = context
    this.#progress = progress
    void this.#run()
  }

  stop(): void {
    this.#isStopped = true
  }

  pending(): string | null {
    if (!this.#isStopped || this.#isOver) return null
    const why = this.#problem === null ? '' : `: ${this.#problem}`
    return `connect ${this.#context.process} is stopping${why}`
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#isOver = true
  }

  /** What the sink has not got of a topic with these ends; also that it cannot, because a task does not run. */
  lagBehind(ends: ReadonlyMap<string, number>): string | null {
    if (this.#worker === null) {
      const why = this.#problem === null ? '' : `: ${this.#problem}`
      return `connect ${this.#context.process} has not started${why}`
    }
    const idle = partsOf(this.#worker).find(({ state }) => state !== 'RUNNING')
    if (idle !== undefined) return `${idle.name} is ${idle.state}: ${idle.reason}`
    return this.#progress.lagBehind(ends)
  }

  /** Of a life that was abandoned no clock ticks any more, so that this stays where it is. */
  async #run(): Promise<void> {
    for (;;) {
      const worker = await this.#untilDone(() => this.#startWorker())
      this.#worker = worker
      const isDone = await this.#work(worker)
      this.#problem = 'its worker does not end'
      await worker.stop()
      this.#worker = null
      if (isDone) break
      // Nothing else starts a task again that has failed.
      await this.#wait(RESTART_MS)
    }
    this.#isOver = true
  }

  /**
   * Until it is told to stop, the source's lines are in Kafka, and the sink has everything that is there then.
   * False when something of it failed before.
   */
  async #work(worker: StandaloneWorker): Promise<boolean> {
    if (!(await this.#holds(worker, () => this.#isStopped))) return false
    const areStored = await this.#holds(worker, () => {
      this.#problem = `${this.#lines.underWay} lines are not acknowledged`
      return this.#lines.underWay === 0
    })
    if (!areStored) return false
    const { topic } = this.#plan
    const properties = { 'bootstrap.servers': this.#servers(), ...CLIENT_SETTINGS }
    const ends = await this.#untilDone(() => topicEnds(topic, properties, this.#context.ports))
    return this.#holds(worker, () => {
      this.#problem = this.lagBehind(ends)
      return this.#problem === null
    })
  }

  /** Waits until the condition holds; false when a part of the worker fails before that. */
  async #holds(worker: StandaloneWorker, condition: () => boolean): Promise<boolean> {
    for (;;) {
      const failed = partsOf(worker).filter(({ state }) => state === 'FAILED')
      for (const { name, reason } of failed) {
        this.#note({ op: 'task-failed', task: name, error: reason })
      }
      if (failed.length > 0) return false
      if (condition()) return true
      await this.#wait(TICK_MS)
    }
  }

  /** No broker answers, or the topic is not there yet. */
  async #untilDone<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        this.#problem = messageOf(error)
      }
      await this.#wait(RETRY_MS)
    }
  }

  #startWorker(): Promise<StandaloneWorker> {
    const isClosed = (): boolean => this.#isStopped
    const lines = { underWay: 0 }
    this.#lines = lines
    return startStandalone({
      workerProperties: this.#workerProperties(),
      connectors: [this.#sourceProperties(), this.#sinkProperties()],
      ports: this.#context.ports,
      plugins: [
        numberedSourcePlugin({
          isClosed,
          onEmitted: () => {
            lines.underWay += 1
          },
          onAcknowledged: () => {
            lines.underWay -= 1
          },
        }),
        collectingSinkPlugin(({ originalPartition, offset }, line) => {
          if (this.#isAbandoned) return
          if (line !== null) this.#note({ op: 'line-sunk', ...line })
          this.#progress.processed(originalPartition, offset + 1)
        }),
      ],
      offsets: new StoredOffsets(this.#context.ports.store, ({ partition, offset }) => {
        const sequence = offset?.sequence
        if (this.#isAbandoned || typeof sequence !== 'number') return
        this.#note({ op: 'line-committed', task: String(partition.task), sequence })
      }),
    })
  }

  #wait(delayMs: number): Promise<void> {
    const { clock } = this.#context.ports
    return new Promise((resolve) => {
      clock.after(delayMs, 'chaos.connect', resolve)
    })
  }

  #note(operation: LineOperation | TaskFailureOperation): void {
    this.#context.history.note(this.#context.process, operation)
  }

  #workerProperties(): Properties {
    return {
      'bootstrap.servers': this.#servers(),
      'client.id': this.#context.process,
      'key.converter': STRING_CONVERTER,
      'value.converter': STRING_CONVERTER,
      'offset.flush.interval.ms': String(FLUSH_MS),
      'offset.flush.timeout.ms': '2000',
      'offset.storage.file.filename': 'not used',
      ...CLIENT_SETTINGS,
      ...prefixed('producer.', { ...CLIENT_SETTINGS, ...PRODUCER_SETTINGS }),
      ...prefixed('consumer.', { ...CLIENT_SETTINGS, ...CONSUMER_SETTINGS }),
    }
  }

  #servers(): string {
    const servers = this.#context.bootstrap.map(({ host, port }) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    )
    return servers.join(',')
  }

  #sourceProperties(): Properties {
    const { name, topic, tasks, everyMs } = this.#plan
    return {
      name: `${name}-source`,
      'connector.class': NUMBERED_SOURCE_CLASS,
      'tasks.max': String(tasks),
      topic,
      'every.ms': String(everyMs),
      'task.prefix': `${name}-source`,
    }
  }

  #sinkProperties(): Properties {
    const { name, topic, tasks } = this.#plan
    return {
      name: `${name}-sink`,
      'connector.class': COLLECTING_SINK_CLASS,
      'tasks.max': String(tasks),
      topics: topic,
    }
  }
}

interface Part {
  readonly name: string
  readonly state: string
  readonly reason: string
}

/** The connectors and tasks of a worker. */
function partsOf(worker: StandaloneWorker): readonly Part[] {
  return worker.status().flatMap(({ connector, state, reason, tasks }) => [
    { name: connector, state, reason: reason ?? '' },
    ...tasks.map((each) => ({
      name: `${connector}-${each.task}`,
      state: each.state,
      reason: each.reason ?? '',
    })),
  ])
}

function prefixed(prefix: string, properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [`${prefix}${name}`, value]),
  )
}
