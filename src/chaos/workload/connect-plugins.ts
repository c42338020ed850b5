import { ConfigDef } from '../../base/config-def.ts'
import type {
  Properties,
  SinkConnectorPlugin,
  SinkRecord,
  SinkTask,
  SourceConnectorPlugin,
  SourceRecord,
  SourceTask,
  SourceTaskContext,
} from '../../../connect/index.ts'
import { decodeLine, encodeLine, type Line } from './line.ts'

/** Lines of one poll, at most. */
const POLL_LINES = 3

export const NUMBERED_SOURCE_CLASS = 'chaos.NumberedSourceConnector'
export const COLLECTING_SINK_CLASS = 'chaos.CollectingSinkConnector'

/** Who gives a numbered source its lines, and hears where they got to. */
export interface LineTap {
  /** No more lines are wanted. */
  readonly isClosed: () => boolean
  onEmitted(): void
  onAcknowledged(): void
}

/** Settings of the source: `topic`, `every.ms`, `task.prefix`. */
export function numberedSourcePlugin(tap: LineTap): SourceConnectorPlugin {
  return {
    kind: 'source',
    className: NUMBERED_SOURCE_CLASS,
    version: '1',
    config: new ConfigDef([]),
    create: () => {
      let properties: Properties = {}
      return {
        start: (given) => {
          properties = given
        },
        taskConfigs: (maxTasks) =>
          Array.from({ length: maxTasks }, (_, index) => ({
            ...properties,
            task: `${properties['task.prefix'] ?? 'task'}-${index}`,
          })),
        createTask: () => new NumberedSourceTask(tap),
      }
    },
  }
}

/** Numbers its lines from 0; goes on after the last one whose offset was stored. */
class NumberedSourceTask implements SourceTask {
  readonly #tap: LineTap
  #context: SourceTaskContext | null = null
  #task = ''
  #topic = ''
  #everyMs = 0
  #next = 0
  #polls = 0

  constructor(tap: LineTap) {
    this.#tap = tap
  }

  start(properties: Properties, context: SourceTaskContext): void {
    this.#context = context
    this.#task = properties.task ?? ''
    this.#topic = properties.topic ?? ''
    this.#everyMs = Number(properties['every.ms'] ?? '100')
    const stored = context.offset({ task: this.#task })?.sequence
    this.#next = typeof stored === 'number' ? stored + 1 : 0
  }

  async poll(): Promise<readonly SourceRecord[]> {
    await this.#context?.sleep(this.#everyMs)
    if (this.#tap.isClosed()) return []
    this.#polls += 1
    const count = 1 + (this.#polls % POLL_LINES)
    return Array.from({ length: count }, () => this.#line())
  }

  commitRecord(): void {
    this.#tap.onAcknowledged()
  }

  stop(): void {
    this.#context = null
  }

  #line(): SourceRecord {
    this.#tap.onEmitted()
    const line = { task: this.#task, sequence: this.#next }
    this.#next += 1
    return {
      topic: this.#topic,
      kafkaPartition: null,
      keySchema: null,
      key: this.#task,
      valueSchema: null,
      value: encodeLine(line),
      timestampMs: null,
      headers: [],
      sourcePartition: { task: this.#task },
      sourceOffset: { sequence: line.sequence },
    }
  }
}

/** A sink whose records are durable as soon as they were put: `onRecord` takes them, with the line if it is one. */
export function collectingSinkPlugin(
  onRecord: (record: SinkRecord, line: Line | null) => void,
): SinkConnectorPlugin {
  return {
    kind: 'sink',
    className: COLLECTING_SINK_CLASS,
    version: '1',
    config: new ConfigDef([]),
    create: () => {
      let properties: Properties = {}
      return {
        start: (given) => {
          properties = given
        },
        taskConfigs: (maxTasks) => Array.from({ length: maxTasks }, () => properties),
        createTask: (): SinkTask => ({
          start: () => undefined,
          put: (records) => {
            for (const record of records) {
              onRecord(record, decodeLine(typeof record.value === 'string' ? record.value : ''))
            }
          },
          stop: () => undefined,
        }),
      }
    },
  }
}
