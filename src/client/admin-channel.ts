import type { Config, UnknownName } from '../base/config-def.ts'
import type { BrokerId } from '../base/ids.ts'
import type { Api, Input } from '../wire/schema.ts'
import type { VersionLimits } from './api-versions.ts'
import type { Call } from './broker-channel.ts'
import { parseClientConfig, type Properties } from './client-config.ts'
import type { ClientPorts } from './client-ports.ts'
import { Cluster } from './cluster.ts'
import { Coordinator, CoordinatorType } from './coordinator.ts'
import { MetadataUpdater } from './metadata-updater.ts'
import { asPromise, withRetries } from './retry.ts'

/** A broker by id, any, the one named controller, or the coordinator of a group. */
export type AdminTarget = BrokerId | 'any' | 'controller' | { readonly group: string }

export interface AdminRequest<Req, Res> {
  readonly what: string
  readonly to: AdminTarget
  readonly api: Api<Req, Res>
  readonly body: (version: number) => Input<Req>
  readonly limits?: VersionLimits
  /** What is wrong with an answer; retriable errors are tried again. Default: nothing. */
  readonly check?: (response: Res, coordinator: Coordinator | null) => Error | null
  /** All tries; `default.api.timeout.ms`. */
  readonly timeoutMs?: number
}

export interface AdminAnswer<Res> {
  readonly body: Res
  readonly version: number
}

/** How admin requests reach their broker and are tried again. */
export class AdminChannel {
  readonly config: Config
  readonly unknownProperties: readonly UnknownName[]
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly #ports: ClientPorts

  constructor(properties: Properties, ports: ClientPorts) {
    const { config, unknownNames } = parseClientConfig('admin', properties)
    this.config = config
    this.unknownProperties = unknownNames
    this.#ports = ports
    this.cluster = new Cluster(config, ports)
    this.updater = new MetadataUpdater(this.cluster, { allowAutoTopicCreation: false })
  }

  get timeoutMs(): number {
    return this.config.int('default.api.timeout.ms')
  }

  async request<Req, Res>(request: AdminRequest<Req, Res>): Promise<AdminAnswer<Res>> {
    if (typeof request.to === 'number') await this.#knowBrokers()
    const coordinator =
      typeof request.to === 'object'
        ? new Coordinator(this.cluster, CoordinatorType.GROUP, request.to.group)
        : null
    const { api, body, limits, what } = request
    const call: Call<Req, Res> = {
      api,
      body,
      timeoutMs: this.cluster.requestTimeoutMs,
      ...(limits === undefined ? {} : { limits }),
    }
    return asPromise((done) =>
      withRetries<AdminAnswer<Res>>({
        what,
        clock: this.#ports.clock,
        random: this.#ports.random,
        backoff: this.cluster.retryBackoff,
        timeoutMs: request.timeoutMs ?? this.timeoutMs,
        done,
        attempt: (_remainingMs, tried) => {
          const landed = (error: Error | null, response: Res | null, version: number): void => {
            if (error !== null || response === null) return tried(error, null)
            const problem = request.check?.(response, coordinator) ?? null
            tried(problem, problem === null ? { body: response, version } : null)
          }
          if (coordinator !== null) coordinator.request(call, landed)
          else if (typeof request.to !== 'object')
            this.cluster.request(request.to, 'main', call, landed)
        },
      }),
    )
  }

  close(): void {
    this.updater.close()
    this.cluster.close()
  }

  /** Requests to one broker need its address first. */
  #knowBrokers(): Promise<true> {
    if (this.cluster.metadata.nodes.size > 0) return Promise.resolve(true)
    return asPromise((done) => this.updater.refresh(() => done(null, true)))
  }
}
