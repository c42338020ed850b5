import { startStandalone, type Properties, type StandaloneWorker } from '../../../connect/index.ts'
import { messageOf } from '../../base/errors.ts'
import type { LineOperation } from '../history/operation.ts'
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
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const RETRY_MS = 300
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
const CONSUMER_SETTINGS: Properties = {
  'session.timeout.ms': '6000',
  'heartbeat.interval.ms': '1000',
  'auto.offset.reset': 'earliest',
}

/**
 * A standalone Connect worker, the real one, with a numbered source into the topic and a sink that collects from
 * it. It lives on promises: a simulated run with it must be driven by `runUntilAsync`. Source offsets are in the
 * store of the worker's node; what reached the sink is in the history, as if the sink were another machine.
 */
export function createConnectActor(plan: ConnectPlan, context: WorkloadContext): Actor {
  const progress = new GroupProgress(`connect-${plan.name}-sink`, plan.topic)
  return new WorkloadActor(plan.name, context, (life) => new ConnectLife(plan, life, progress))
}

type State = 'starting' | 'running' | 'stopping' | 'over'

class ConnectLife implements Life {
  readonly #plan: ConnectPlan
  readonly #context: LifeContext
  readonly #progress: GroupProgress
  #worker: StandaloneWorker | null = null
  #state: State = 'starting'
  #isAbandoned = false
  /** A start is under way. */
  #isStarting = false
  #problem: string | null = null

  constructor(plan: ConnectPlan, context: LifeContext, progress: GroupProgress) {
    this.#plan = plan
    this.#context = context
    this.#progress = progress
    this.#start()
  }

  stop(): void {
    if (this.#state === 'over' || this.#state === 'stopping') return
    this.#state = 'stopping'
    if (!this.#isStarting) this.#stopWorker()
  }

  pending(): string | null {
    return this.#state === 'stopping' ? `connect ${this.#context.process} is stopping` : null
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#state = 'over'
  }

  /** Also tells of a connector or task that failed: nothing starts those again. */
  lagBehind(ends: ReadonlyMap<string, number>): string | null {
    if (this.#worker === null) {
      const why = this.#problem === null ? '' : `: ${this.#problem}`
      return `connect ${this.#context.process} has not started${why}`
    }
    for (const { connector, state, reason, tasks } of this.#worker.status()) {
      if (state !== 'RUNNING') return `connector ${connector} is ${state}: ${reason ?? ''}`
      for (const each of tasks) {
        if (each.state === 'RUNNING') continue
        return `task ${connector}-${each.task} is ${each.state}: ${each.reason ?? ''}`
      }
    }
    return this.#progress.lagBehind(ends)
  }

  #start(): void {
    this.#isStarting = true
    startStandalone({
      workerProperties: this.#workerProperties(),
      connectors: [this.#sourceProperties(), this.#sinkProperties()],
      ports: this.#context.ports,
      plugins: [
        numberedSourcePlugin(),
        collectingSinkPlugin((line, { originalPartition, offset }) => {
          if (this.#isAbandoned) return
          this.#note({ op: 'line-sunk', ...line })
          this.#progress.processed(originalPartition, offset + 1)
        }),
      ],
      offsets: new StoredOffsets(this.#context.ports.store, ({ partition, offset }) => {
        const sequence = offset?.sequence
        if (this.#isAbandoned || typeof sequence !== 'number') return
        this.#note({ op: 'line-committed', task: String(partition.task), sequence })
      }),
    }).then(
      (worker) => this.#onStarted(worker),
      (error: unknown) => this.#onRefused(messageOf(error)),
    )
  }

  #onStarted(worker: StandaloneWorker): void {
    if (this.#isAbandoned) return
    this.#isStarting = false
    this.#worker = worker
    if (this.#state === 'stopping') this.#stopWorker()
    else this.#state = 'running'
  }

  /** No broker answered, or the topic is not there yet. */
  #onRefused(problem: string): void {
    if (this.#isAbandoned) return
    this.#isStarting = false
    this.#problem = problem
    if (this.#state === 'stopping') {
      this.#state = 'over'
      return
    }
    this.#context.ports.clock.after(RETRY_MS, 'chaos.connect.start', () => {
      if (!this.#isAbandoned && this.#state === 'starting') this.#start()
    })
  }

  #stopWorker(): void {
    const over = (): void => {
      this.#state = 'over'
    }
    if (this.#worker === null) return over()
    this.#worker.stop().then(over, over)
  }

  #note(operation: LineOperation): void {
    this.#context.history.note(this.#context.process, operation)
  }

  #workerProperties(): Properties {
    const servers = this.#context.bootstrap.map(({ host, port }) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    )
    return {
      'bootstrap.servers': servers.join(','),
      'client.id': this.#context.process,
      'key.converter': STRING_CONVERTER,
      'value.converter': STRING_CONVERTER,
      'offset.flush.interval.ms': String(FLUSH_MS),
      'offset.flush.timeout.ms': '2000',
      'offset.storage.file.filename': 'not used',
      ...CLIENT_SETTINGS,
      ...prefixed('producer.', CLIENT_SETTINGS),
      ...prefixed('consumer.', { ...CLIENT_SETTINGS, ...CONSUMER_SETTINGS }),
    }
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

function prefixed(prefix: string, properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [`${prefix}${name}`, value]),
  )
}
