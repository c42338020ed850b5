import type { Config } from '../src/base/config-def.ts'
import type { LeaderEpoch, Offset } from '../src/base/ids.ts'
import { METADATA_TOPIC_ID, type Uuid } from '../src/base/uuid.ts'
import type { Address } from '../src/ports/network.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { Raft, type CommittedBatch } from './controller/quorum/raft.ts'
import type { ListenerPlan } from './listener-config.ts'
import { DEFAULT_LOG_CONFIG } from './log/log-config.ts'
import { PartitionLog } from './log/partition-log.ts'
import { MetadataPublisher } from './metadata/publisher.ts'
import { METADATA_TOPIC } from './metadata/topic-name.ts'
import { QuorumTransport } from './server/raft-transport.ts'

export interface QuorumPartOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly directoryId: Uuid
  readonly config: Config
  readonly voters: ListenerPlan['voters']
  readonly isCleanStart: boolean
  readonly ports: NodePorts
  readonly listener: QuorumListener
}

/** What the roles of a node hear of the quorum. */
export interface QuorumListener {
  onLeaderChange(): void
  /** The image holds everything up to `lastOffset`. */
  onPublished(lastOffset: Offset): void
  /** This node leads, and the image holds all of earlier leaders. */
  onActivated(epoch: LeaderEpoch): void
  onResigned(): void
  onFault(error: Error): void
}

/**
 * What every node has, whatever its roles: its replica of the metadata log and the image made of it. A
 * controller votes in the quorum, a broker alone observes it.
 */
export class QuorumPart {
  readonly raft: Raft
  readonly log: PartitionLog
  readonly #options: QuorumPartOptions
  readonly #publisher = new MetadataPublisher()
  readonly #transport: QuorumTransport

  constructor(options: QuorumPartOptions) {
    this.#options = options
    this.log = this.#openLog()
    this.#transport = this.#createTransport()
    this.raft = this.#createRaft()
  }

  get publisher(): MetadataPublisher {
    return this.#publisher
  }

  /** Where the active controller listens; null while nobody is known to lead. */
  leaderAddress(): Address | null {
    const leader = this.#options.voters.find(({ nodeId }) => nodeId === this.raft.leaderId)
    return leader === undefined ? null : { host: leader.host, port: leader.port }
  }

  /** A leader is known, and the image holds all that is known to be committed. */
  get isCaughtUp(): boolean {
    const { leaderId, highWatermark } = this.raft
    const isKnown = leaderId !== -1 && highWatermark > 0
    return isKnown && this.#publisher.image.lastOffset + 1 >= highWatermark
  }

  close(): void {
    this.#transport.close()
    this.log.close()
  }

  #openLog(): PartitionLog {
    const { config, isCleanStart, ports } = this.#options
    const { disk, events, clock } = ports
    return PartitionLog.open({
      disk,
      directory: `${METADATA_TOPIC}-0`,
      topic: METADATA_TOPIC,
      partition: 0,
      topicId: METADATA_TOPIC_ID,
      config: {
        ...DEFAULT_LOG_CONFIG,
        segmentBytes: config.int('metadata.log.segment.bytes'),
      },
      // No recovery point is kept: after a crash the whole metadata log is checked, it is small.
      recoveryPoint: 0,
      isCleanShutdown: isCleanStart,
      nowMs: clock.wallMs(),
      events,
    })
  }

  #createTransport(): QuorumTransport {
    const { nodeId, ports } = this.#options
    const { network, clock } = ports
    const voters = new Map<number, Address>()
    for (const { nodeId: id, host, port } of this.#options.voters) voters.set(id, { host, port })
    return new QuorumTransport({ network, clock, clientId: `raft-client-${nodeId}`, voters })
  }

  #createRaft(): Raft {
    const { nodeId, clusterId, directoryId, config, voters, ports, listener } = this.#options
    const { clock, random, store, events } = ports
    return new Raft({
      nodeId,
      clusterId,
      directoryId,
      voters,
      config: {
        electionTimeoutMs: config.int('controller.quorum.election.timeout.ms'),
        electionBackoffMaxMs: config.int('controller.quorum.election.backoff.max.ms'),
        fetchTimeoutMs: config.int('controller.quorum.fetch.timeout.ms'),
        requestTimeoutMs: config.int('controller.quorum.request.timeout.ms'),
        retryBackoffMs: config.int('controller.quorum.retry.backoff.ms'),
        fetchMaxWaitMs: Math.floor(config.int('controller.quorum.fetch.timeout.ms') / 4),
      },
      clock,
      random: random.fork('raft'),
      store,
      events,
      log: this.log,
      transport: this.#transport,
      listener: {
        onLeaderChange: () => listener.onLeaderChange(),
        onCommit: (batches) => this.#onCommit(batches),
        onActivated: (epoch) => listener.onActivated(epoch),
        onResigned: () => listener.onResigned(),
        onFault: (error) => listener.onFault(error),
      },
    })
  }

  #onCommit(batches: readonly CommittedBatch[]): void {
    for (const batch of batches) this.#publisher.publish(batch)
    const last = batches.at(-1)
    if (last !== undefined) this.#options.listener.onPublished(last.lastOffset)
  }
}
