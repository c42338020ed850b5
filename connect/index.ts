import type { ClientPorts } from '../src/client/index.ts'
import type { Plugin, Properties } from './api.ts'
import { StandaloneHerder } from './herder/standalone.ts'
import { OffsetFile } from './main/offset-file.ts'
import { builtinPlugins } from './runtime/builtin-plugins.ts'
import { kafkaClients } from './runtime/kafka-clients.ts'
import type { OffsetStore } from './runtime/offset-store.ts'
import { Plugins } from './runtime/plugins.ts'
import type { ConnectorStatus } from './runtime/worker.ts'
import { parseStandaloneConfig } from './runtime/worker-config.ts'
import { voiceOf, type WorkerEvent } from './runtime/worker-event.ts'

export type * from './api.ts'
export type { Schema, SchemaType, SchemaOptions, Field } from './data/schema.ts'
export type { SchemaAndValue, Value } from './data/value.ts'
export { ConnectError, DataError, RetriableConnectError } from './errors.ts'
export type { OffsetStore, SourceOffset } from './runtime/offset-store.ts'
export { readConnectorFile, readPropertiesFile } from './main/properties-file.ts'
export type { ConnectorStatus, RunState, TaskStatus } from './runtime/worker.ts'
export type { WorkerEvent } from './runtime/worker-event.ts'

/** How far a worker came before it could not be started; Kafka's command ends with another code for each. */
export type StartPhase = 'worker' | 'connectors'

export interface StartStandaloneOptions {
  /** As in Kafka's connect-standalone.properties. */
  readonly workerProperties: Properties
  /** Settings of the connectors, each with its `name` and `connector.class`. */
  readonly connectors: readonly Properties[]
  readonly ports: ClientPorts
  /** Connectors, converters and transforms besides the built-in ones. */
  readonly plugins?: readonly Plugin[]
  /** Keeps the source offsets instead of the file of `offset.storage.file.filename`, whose name is then not used. */
  readonly offsets?: OffsetStore
  readonly onEvent?: (event: WorkerEvent) => void
  /** Told when the settings are fine and the cluster is found: from here on it is about connectors. */
  readonly onPhase?: (phase: StartPhase) => void
}

/** A worker at work. */
export interface StandaloneWorker {
  status(): readonly ConnectorStatus[]
  /** Stops the tasks, with a last offset commit. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts a Connect worker that is alone, with its connectors. Resolves when they were started; a task that fails
 * later is told and seen in `status`. Rejects with `ConfigError` or `ConnectError`, and nothing runs then.
 */
export async function startStandalone(options: StartStandaloneOptions): Promise<StandaloneWorker> {
  const { ports, workerProperties, connectors } = options
  const tell = options.onEvent ?? (() => undefined)
  options.onPhase?.('worker')
  const worker = parseStandaloneConfig(workerProperties, voiceOf(tell, null))
  const herder = new StandaloneHerder({
    worker,
    plugins: new Plugins([...builtinPlugins, ...(options.plugins ?? [])]),
    clients: kafkaClients(ports),
    offsets:
      options.offsets ?? new OffsetFile(worker.config.string('offset.storage.file.filename')),
    clock: ports.clock,
    random: ports.random,
    tell,
  })
  await herder.connect()
  options.onPhase?.('connectors')
  try {
    await herder.start()
    for (const properties of connectors) await herder.put(properties)
  } catch (error) {
    await herder.stop()
    throw error
  }
  let stopping: Promise<void> | null = null
  return {
    status: () => herder.status(),
    stop: () => (stopping ??= herder.stop()),
  }
}
