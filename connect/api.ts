import type { ConfigDef } from '../src/base/config-def.ts'
import type { TopicPartition } from '../src/base/topic-partition.ts'
import type { Schema } from './data/schema.ts'
import type { SchemaAndValue, Value } from './data/value.ts'

/** Settings by name, as a properties file gives them. */
export type Properties = Readonly<Record<string, string>>

export interface Header {
  readonly key: string
  readonly schema: Schema | null
  readonly value: Value
}

/** What sources, sinks and transforms have in common. */
export interface ConnectRecord {
  readonly topic: string
  /** The partition to write to (source; null: by the key) or that it was read from (sink). */
  readonly kafkaPartition: number | null
  readonly keySchema: Schema | null
  readonly key: Value
  readonly valueSchema: Schema | null
  readonly value: Value
  /** Null: the producer's time. */
  readonly timestampMs: number | null
  readonly headers: readonly Header[]
}

/** A flat map of strings, numbers, booleans and nulls: which part of a source, or how far in it. */
export type SourceMap = Readonly<Record<string, string | number | bigint | boolean | null>>

/** A record on its way to Kafka. */
export interface SourceRecord extends ConnectRecord {
  /** The part of the source it comes from, such as `{ filename }`. */
  readonly sourcePartition: SourceMap
  /** Where to go on after this record, such as `{ position }`. */
  readonly sourceOffset: SourceMap
}

/** A record on its way from Kafka. Transforms may change its topic, never where it was read. */
export interface SinkRecord extends ConnectRecord {
  readonly originalTopic: string
  readonly originalPartition: number
  readonly offset: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
}

/** Where a record was stored. */
export interface StoredAt {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
}

/** An offset to go on from. */
export interface TopicOffset extends TopicPartition {
  /** The next record to be read. */
  readonly offset: number
}

/** What a task may ask of its worker. */
export interface TaskContext {
  readonly connector: string
  readonly task: number
  /** Aborted when the task is to stop: `poll` and `put` should return soon. */
  readonly signal: AbortSignal
  /** Wall time. */
  nowMs(): number
  /** Waits, but not beyond the order to stop. */
  sleep(ms: number): Promise<void>
  warn(message: string): void
}

export interface SourceTaskContext extends TaskContext {
  /** The offset last committed for a part of the source, or null. */
  offset(partition: SourceMap): SourceMap | null
}

export interface SinkTaskContext extends TaskContext {
  assignment(): readonly TopicPartition[]
  /** Goes to another offset before the next read. */
  rewind(offsets: readonly TopicOffset[]): void
  /** How long the next wait for records, or before a batch is tried again, may last. */
  timeout(ms: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Asks for an offset commit at the next turn. */
  requestCommit(): void
}

/** Copies one part of a source. Its methods never run at the same time. */
export interface SourceTask {
  start(properties: Properties, context: SourceTaskContext): void | Promise<void>
  /** The next records; null or none when there is nothing yet. It should wait a little then (`context.sleep`). */
  poll(): readonly SourceRecord[] | null | Promise<readonly SourceRecord[] | null>
  /** After offsets were committed. */
  commit?(): void | Promise<void>
  /** After a record was stored; null: it was dropped by a transform or by error tolerance. Must return at once. */
  commitRecord?(record: SourceRecord, stored: StoredAt | null): void
  /** After the last poll, also when start or poll failed. */
  stop(): void | Promise<void>
}

/** Writes records somewhere. Its methods never run at the same time. */
export interface SinkTask {
  start(properties: Properties, context: SinkTaskContext): void | Promise<void>
  open?(partitions: readonly TopicPartition[]): void | Promise<void>
  /**
   * Also called without records. After `RetriableConnectError` the same records come again; any other error
   * ends the task.
   */
  put(records: readonly SinkRecord[]): void | Promise<void>
  /** Makes everything that was put durable; `offsets` are what may be committed then. */
  flush?(offsets: readonly TopicOffset[]): void | Promise<void>
  /** What may be committed. Without it: everything, after `flush`. */
  preCommit?(
    offsets: readonly TopicOffset[],
  ): readonly TopicOffset[] | Promise<readonly TopicOffset[]>
  close?(partitions: readonly TopicPartition[]): void | Promise<void>
  stop(): void | Promise<void>
}

export interface ConnectorContext {
  readonly connector: string
  /** Fails the connector. */
  raiseError(error: Error): void
  warn(message: string): void
}

/** Splits the work into tasks. */
interface Connector<Task> {
  start?(properties: Properties, context: ConnectorContext): void | Promise<void>
  /** At most `maxTasks` settings, one a task. */
  taskConfigs(maxTasks: number): readonly Properties[]
  createTask(): Task
  stop?(): void | Promise<void>
}

export type SourceConnector = Connector<SourceTask>
export type SinkConnector = Connector<SinkTask>

/** Connect data to Kafka's bytes and back. All methods throw `DataError`. */
export interface Converter {
  fromConnectData(topic: string, schema: Schema | null, value: Value): Buffer | null
  toConnectData(topic: string, bytes: Buffer | null): SchemaAndValue
}

export interface HeaderConverter {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: Value): Buffer | null
  toConnectHeader(topic: string, key: string, bytes: Buffer | null): SchemaAndValue
}

/** Changes a record, or drops it by returning null. */
export interface Transform {
  apply<R extends ConnectRecord>(record: R): R | null
  close?(): void
}

interface PluginBase {
  /** The Java class that it stands for, in full; found by its last part and without its suffix too. */
  readonly className: string
  readonly version: string
  readonly config: ConfigDef
}

export interface SourceConnectorPlugin extends PluginBase {
  readonly kind: 'source'
  create(): SourceConnector
}

export interface SinkConnectorPlugin extends PluginBase {
  readonly kind: 'sink'
  create(): SinkConnector
}

export type ConverterUse = 'key' | 'value' | 'header'

export interface ConverterPlugin extends PluginBase {
  readonly kind: 'converter'
  /** Throws `ConfigError`. */
  create(properties: Properties, use: ConverterUse): Converter & HeaderConverter
}

export interface HeaderConverterPlugin extends PluginBase {
  readonly kind: 'header-converter'
  create(properties: Properties): HeaderConverter
}

export interface TransformPlugin extends PluginBase {
  readonly kind: 'transform'
  create(properties: Properties): Transform
}

export type ConnectorPlugin = SourceConnectorPlugin | SinkConnectorPlugin
export type Plugin = ConnectorPlugin | ConverterPlugin | HeaderConverterPlugin | TransformPlugin
