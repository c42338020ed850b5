import type { Config } from '../../src/base/config-def.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import type { Address } from '../../src/ports/network.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import {
  FollowerFetcher,
  type FetcherSettings,
  type FollowerFetcherOptions,
} from './follower-fetcher.ts'
import type { Partition } from './partition.ts'

export interface FollowerFetchersOptions extends Omit<
  FollowerFetcherOptions,
  'leaderId' | 'leaderAddress'
> {
  readonly image: () => MetadataImage
  readonly interBrokerListenerName: string
}

/** The fetchers of one broker, one for each leader that it follows in at least one partition. */
export class FollowerFetchers {
  readonly #options: FollowerFetchersOptions
  readonly #byLeader = new Map<BrokerId, FollowerFetcher>()
  readonly #leaderOf = new Map<string, BrokerId>()
  /** Leaders whose fetcher got or lost a partition since the last `pump`. */
  readonly #touched = new Set<BrokerId>()

  constructor(options: FollowerFetchersOptions) {
    this.#options = options
  }

  /** Follows the partition's leader of now; a partition without one is not fetched. */
  assign(partition: Partition): void {
    const { key, leaderId } = partition
    if (this.#leaderOf.get(key) !== leaderId) this.remove(key)
    if (leaderId < 0) return
    this.#leaderOf.set(key, leaderId)
    this.#fetcher(leaderId).add(partition)
    this.#touched.add(leaderId)
  }

  remove(key: string): void {
    const leaderId = this.#leaderOf.get(key)
    if (leaderId === undefined) return
    this.#leaderOf.delete(key)
    this.#byLeader.get(leaderId)?.remove(key)
    this.#touched.add(leaderId)
  }

  /** Sends what can be sent and ends fetchers without partitions. Called when all changes of a step are in. */
  pump(): void {
    for (const leaderId of this.#touched) {
      const fetcher = this.#byLeader.get(leaderId)
      if (fetcher !== undefined && fetcher.size === 0) {
        fetcher.close()
        this.#byLeader.delete(leaderId)
      } else {
        fetcher?.pump()
      }
    }
    this.#touched.clear()
  }

  onBrokersChanged(ids: ReadonlySet<BrokerId>): void {
    for (const id of ids) this.#byLeader.get(id)?.onLeaderChanged()
  }

  close(): void {
    for (const fetcher of this.#byLeader.values()) fetcher.close()
    this.#byLeader.clear()
    this.#leaderOf.clear()
  }

  #fetcher(leaderId: BrokerId): FollowerFetcher {
    const known = this.#byLeader.get(leaderId)
    if (known !== undefined) return known
    const fetcher = new FollowerFetcher({
      ...this.#options,
      leaderId,
      leaderAddress: () => this.#addressOf(leaderId),
    })
    this.#byLeader.set(leaderId, fetcher)
    return fetcher
  }

  #addressOf(leaderId: BrokerId): Address | null {
    const name = this.#options.interBrokerListenerName
    const broker = this.#options.image().brokers.get(leaderId)
    const listener = endpointNamed(broker?.listeners, name)
    return listener === undefined ? null : { host: listener.host, port: listener.port }
  }
}

/** The replica.fetch.* settings. */
export function fetcherSettingsOf(config: Config): FetcherSettings {
  return {
    waitMaxMs: config.int('replica.fetch.wait.max.ms'),
    minBytes: config.int('replica.fetch.min.bytes'),
    responseMaxBytes: config.int('replica.fetch.response.max.bytes'),
    partitionMaxBytes: config.int('replica.fetch.max.bytes'),
    backoffMs: config.int('replica.fetch.backoff.ms'),
    requestTimeoutMs: config.int('replica.socket.timeout.ms'),
  }
}
