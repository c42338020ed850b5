import { Cluster, type Lane, type Target } from '../../client/cluster.ts'
import type { Call, CallDone } from '../../client/broker-channel.ts'
import { parseClientConfig } from '../../client/client-config.ts'
import { MetadataUpdater } from '../../client/metadata-updater.ts'
import { ZERO_UUID, type Uuid } from '../../base/uuid.ts'
import type { Timer } from '../../ports/clock.ts'
import type { Address } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'

/** Between two tries of anything; short, since a chaos run is short. */
const RETRY_MS = 50
const RETRY_MAX_MS = 400
const METADATA_MAX_AGE_MS = 5000

export interface ClientLinkOptions {
  readonly clientId: string
  readonly ports: NodePorts
  readonly bootstrap: readonly Address[]
  readonly requestTimeoutMs: number
  readonly topics: readonly string[]
}

export interface PartitionLeader {
  readonly brokerId: number
  readonly leaderEpoch: number
}

interface NamedLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

interface Endpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/**
 * What the clients of a workload share: connections, a view of the cluster, timers. It sends single requests and
 * never repeats one by itself, so that an actor knows about every attempt. Once closed, no callback runs.
 */
export class ClientLink {
  readonly cluster: Cluster
  readonly updater: MetadataUpdater
  readonly requestTimeoutMs: number
  readonly #ports: NodePorts
  readonly #timers = new Set<Timer>()
  #isClosed = false

  constructor(options: ClientLinkOptions) {
    const { ports, requestTimeoutMs } = options
    this.#ports = ports
    this.requestTimeoutMs = requestTimeoutMs
    const servers = options.bootstrap.map(({ host, port }) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    )
    const { config } = parseClientConfig('admin', {
      'bootstrap.servers': servers.join(','),
      'client.id': options.clientId,
      'request.timeout.ms': String(requestTimeoutMs),
      'socket.connection.setup.timeout.ms': String(requestTimeoutMs),
      'retry.backoff.ms': String(RETRY_MS),
      'retry.backoff.max.ms': String(RETRY_MAX_MS),
      'reconnect.backoff.ms': String(RETRY_MS),
      'reconnect.backoff.max.ms': String(RETRY_MAX_MS),
      'metadata.max.age.ms': String(METADATA_MAX_AGE_MS),
    })
    this.cluster = new Cluster(config, ports)
    this.updater = new MetadataUpdater(this.cluster, { allowAutoTopicCreation: false })
    if (options.topics.length > 0) this.updater.track(options.topics)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get wallMs(): number {
    return Math.floor(this.#ports.clock.wallMs())
  }

  get monoMs(): number {
    return this.#ports.clock.monoMs()
  }

  /** The leader, when it is known and can be reached now; otherwise null, and the metadata are asked for again. */
  leaderOf(topic: string, partition: number): PartitionLeader | null {
    const known = this.cluster.metadata.partition(topic, partition)
    if (known !== null && known.leader >= 0 && this.cluster.canReach(known.leader)) {
      return { brokerId: known.leader, leaderEpoch: known.leaderEpoch }
    }
    this.updater.requestUpdate()
    return null
  }

  topicId(topic: string): Uuid {
    return this.cluster.metadata.topic(topic)?.id ?? ZERO_UUID
  }

  /** How many partitions the topic is known to have; 0 while it is not known. */
  partitionCount(topic: string): number {
    return this.cluster.metadata.topic(topic)?.partitions.length ?? 0
  }

  request<Req, Res>(to: Target, lane: Lane, call: Call<Req, Res>, done: CallDone<Res>): void {
    this.cluster.request(to, lane, call, (error, response, version) => {
      if (!this.#isClosed) done(error, response, version)
    })
  }

  requestOneWay<Req, Res>(
    to: Target,
    lane: Lane,
    call: Call<Req, Res>,
    done: (error: Error | null) => void,
  ): void {
    this.cluster.requestOneWay(to, lane, call, (error) => {
      if (!this.#isClosed) done(error)
    })
  }

  /** Takes over what an answer told of a newer leader (KIP-951), and asks for the rest. */
  learnLeader(
    topic: string,
    partition: number,
    leader: NamedLeader,
    endpoints: readonly Endpoint[],
  ): void {
    const nodes = endpoints.map(({ nodeId, host, port, rack }) => ({
      id: nodeId,
      host,
      port,
      rack,
    }))
    if (nodes.length > 0) this.cluster.metadata.learnNodes(nodes)
    this.cluster.metadata.updateLeader(topic, partition, leader.leaderId, leader.leaderEpoch)
    this.updater.requestUpdate()
  }

  /** An offset was committed in this leader epoch: no older leader is asked for it. */
  sawEpoch(topic: string, partition: number, leaderEpoch: number): void {
    const { metadata } = this.cluster
    if (metadata.updateLastSeenEpoch(topic, partition, leaderEpoch)) this.updater.requestUpdate()
  }

  after(delayMs: number, tag: string, fn: () => void): void {
    if (this.#isClosed) return
    const timer = this.#ports.clock.after(delayMs, `chaos.${tag}`, () => {
      this.#timers.delete(timer)
      if (!this.#isClosed) fn()
    })
    this.#timers.add(timer)
  }

  /** Ends all connections and timers. */
  close(): void {
    if (this.#isClosed) return
    this.abandon()
    for (const timer of this.#timers) this.#ports.clock.cancel(timer)
    this.#timers.clear()
    this.updater.close()
    this.cluster.close()
  }

  /** The machine is gone: nothing that is still called back from it may have an effect. */
  abandon(): void {
    this.#isClosed = true
  }
}
