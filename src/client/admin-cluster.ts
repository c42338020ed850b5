import type { BrokerId } from '../base/ids.ts'
import { describeClusterApi } from '../wire/messages/60-describe-cluster.ts'
import { unregisterBrokerApi } from '../wire/messages/64-unregister-broker.ts'
import type { AdminChannel } from './admin-channel.ts'
import { firstProblem } from './kafka-error.ts'
import type { ClusterNode } from './metadata.ts'

const EndpointType = { BROKER: 1, CONTROLLER: 2 } as const
const FIRST_VERSION_WITH_ENDPOINT_TYPE = 1
const FIRST_VERSION_WITH_FENCED_BROKERS = 2

export interface EndpointDescription extends ClusterNode {
  readonly isFenced: boolean
}

export interface EndpointsDescription {
  readonly clusterId: string
  readonly controllerId: BrokerId
  /** In order of id. */
  readonly endpoints: readonly EndpointDescription[]
}

/** The nodes of a cluster, and how the quorum's controllers are reached directly (KIP-919). */
export class AdminCluster {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  brokers(options: { readonly includeFenced?: boolean } = {}): Promise<EndpointsDescription> {
    return this.#describe(EndpointType.BROKER, options.includeFenced ?? false)
  }

  controllers(): Promise<EndpointsDescription> {
    return this.#describe(EndpointType.CONTROLLER, false)
  }

  /**
   * For a client whose `bootstrap.servers` are controllers: from now on requests to the controller go to the active
   * one, those to a broker id to the controller with that id.
   */
  async useControllers(): Promise<void> {
    const { controllerId, endpoints } = await this.controllers()
    const { metadata } = this.#channel.cluster
    metadata.learnNodes(endpoints)
    metadata.controllerId = controllerId
  }

  /** Removes the registration of a broker that will not come back. */
  async unregister(broker: BrokerId): Promise<void> {
    await this.#channel.request({
      what: `unregister broker ${broker}`,
      to: 'controller',
      api: unregisterBrokerApi,
      body: () => ({ brokerId: broker }),
      check: (response) => firstProblem([response]),
    })
  }

  async #describe(endpointType: number, includeFenced: boolean): Promise<EndpointsDescription> {
    const isPlain = endpointType === EndpointType.BROKER && !includeFenced
    const min = includeFenced ? FIRST_VERSION_WITH_FENCED_BROKERS : FIRST_VERSION_WITH_ENDPOINT_TYPE
    const { body } = await this.#channel.request({
      what: 'describe the cluster',
      to: 'any',
      api: describeClusterApi,
      ...(isPlain ? {} : { limits: { min } }),
      body: () => ({
        ...(isPlain ? {} : { endpointType }),
        ...(includeFenced ? { includeFencedBrokers: true } : {}),
      }),
      check: (response) => firstProblem([response]),
    })
    return {
      clusterId: body.clusterId,
      controllerId: body.controllerId,
      endpoints: body.brokers
        .map(({ brokerId, host, port, rack, isFenced }) => ({
          id: brokerId,
          host,
          port,
          rack,
          isFenced,
        }))
        .sort((a, b) => a.id - b.id),
    }
  }
}
