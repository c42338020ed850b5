import type { Properties } from '../api.ts'
import { workerAdminSettings } from '../runtime/client-settings.ts'
import { parseConnectorConfig } from '../runtime/connector-config.ts'
import { checkConverters } from '../runtime/connector-parts.ts'
import { Worker, type ConnectorStatus, type WorkerOptions } from '../runtime/worker.ts'
import { voiceOf } from '../runtime/worker-event.ts'
import { ConnectError } from '../errors.ts'
import { messageOf } from '../../src/base/errors.ts'

/**
 * Decides what runs on a worker that is alone: all connectors that it was given. Settings and states are in memory
 * only; the source offsets are kept by the offset store.
 */
export class StandaloneHerder {
  readonly #options: WorkerOptions
  readonly #worker: Worker

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#worker = new Worker(options)
    checkConverters(options.worker, options.plugins)
  }

  /** Finds the cluster. Rejects with `ConnectError` when no broker answers. */
  async connect(): Promise<void> {
    const { clients, worker } = this.#options
    try {
      await clients.clusterId(workerAdminSettings(worker))
    } catch (error) {
      const servers = worker.config.list('bootstrap.servers').join(',')
      throw new ConnectError(
        `no Kafka cluster at bootstrap.servers=${servers}: ${messageOf(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  /** Reads the stored offsets. Rejects with `ConnectError`. */
  async start(): Promise<void> {
    await this.#options.offsets.open()
  }

  /** Checks and starts one connector. Rejects with `ConfigError` or `ConnectError`. */
  async put(properties: Properties): Promise<void> {
    const { plugins, tell } = this.#options
    const voice = voiceOf(tell, properties.name?.trim() ?? null)
    await this.#worker.start(parseConnectorConfig(properties, plugins, voice))
  }

  status(): readonly ConnectorStatus[] {
    return this.#worker.status()
  }

  async stop(): Promise<void> {
    await this.#worker.stop()
    await this.#options.offsets.close()
  }
}
