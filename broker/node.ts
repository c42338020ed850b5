import type { Config } from '../src/base/config-def.ts'
import { DiskError, messageOf } from '../src/base/errors.ts'
import { METADATA_TOPIC_ID, randomUuid } from '../src/base/uuid.ts'
import type { Address } from '../src/ports/network.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { alterPartitionApi } from '../src/wire/messages/56-alter-partition.ts'
import { API_HANDLERS } from './api/index.ts'
import { parseBrokerConfig } from './config.ts'
import { configRules } from './config-rules.ts'
import { Controller } from './controller/controller.ts'
import { Raft, type CommittedBatch } from './controller/quorum/raft.ts'
import { groupConfigFrom } from './group/group-config.ts'
import { GroupCoordinator } from './group/group-coordinator.ts'
import { listenerPlan, type ListenerPlan } from './listener-config.ts'
import { DEFAULT_LOG_CONFIG } from './log/log-config.ts'
import { PartitionLog } from './log/partition-log.ts'
import { MetadataPublisher } from './metadata/publisher.ts'
import { METADATA_TOPIC, OFFSETS_TOPIC } from './metadata/topic-name.ts'
import {
  claimDirectory,
  leaveCleanShutdownMark,
  syncClaim,
  takeCleanShutdownMark,
  type NodeIdentity,
} from './node-identity.ts'
import { partitionLogAccess } from './replica/partition-log-access.ts'
import { ReplicaManager } from './replica/replica-manager.ts'
import { Acceptor } from './server/acceptor.ts'
import { BrokerLifecycle } from './server/broker-lifecycle.ts'
import { ControllerChannel } from './server/controller-channel.ts'
import { ProducerIds } from './server/producer-ids.ts'
import { QuorumTransport } from './server/raft-transport.ts'
import type { ListenerKind, NodeServices } from './server/request-context.ts'
import { Router, servedApis } from './server/router.ts'
import { AutoTopicCreation } from './server/topic-creation.ts'

export interface NodeOptions {
  /** As in server.properties, by Kafka's names. */
  readonly properties: Readonly<Record<string, string>>
  readonly clusterId: string
  /** The broker is registered, unfenced and serves its partitions. Called once. */
  readonly onReady: () => void
  /** The node cannot go on; the owner drops it. */
  readonly onFatal: (error: Error) => void
}

/** `controlled`: the cluster goes on without this node. `whole-cluster`: all nodes end now. */
export type ShutdownKind = 'controlled' | 'whole-cluster'

const ALTER_PARTITION_VERSION = 3
const CHANNEL_RETRY_MS = 20
const SIZE_PREFIX_BYTES = 4

/** Finalized levels of a new cluster: only what this broker really serves. */
const FEATURES: ReadonlyMap<string, number> = new Map()

/**
 * All parts of a node and who hears what from whom. Metadata flows from the quorum to the publisher and
 * from there to replicas and coordinators; requests flow from the acceptors through the routers.
 */
export class BrokerNode {
  readonly config: Config
  readonly #options: NodeOptions
  readonly #ports: NodePorts
  readonly #plan: ListenerPlan
  readonly #identity: NodeIdentity
  readonly #publisher = new MetadataPublisher()
  readonly #raftLog: PartitionLog
  readonly #transport: QuorumTransport
  readonly #raft: Raft
  readonly #controller: Controller
  readonly #channel: ControllerChannel
  readonly #lifecycle: BrokerLifecycle
  readonly #replicas: ReplicaManager
  readonly #groups: GroupCoordinator
  readonly #acceptors: readonly Acceptor[]
  #isServing = false
  #isEnding = false
  #wasReady = false
  #onShutdownAllowed: () => void = () => undefined

  constructor(options: NodeOptions, ports: NodePorts) {
    this.#options = options
    this.#ports = ports
    this.config = parseBrokerConfig(options.properties)
    this.#plan = listenerPlan(this.config)
    const { clusterId } = options
    this.#identity = claimDirectory(ports.disk, ports.random, { clusterId, nodeId: this.nodeId })
    const previousBrokerEpoch = takeCleanShutdownMark(ports.disk)
    const isCleanStart = previousBrokerEpoch !== null
    this.#raftLog = this.#openRaftLog(isCleanStart)
    this.#transport = this.#createTransport()
    this.#controller = this.#createController()
    this.#raft = this.#createRaft()
    this.#channel = this.#createChannel()
    this.#lifecycle = this.#createLifecycle(previousBrokerEpoch ?? -1)
    this.#replicas = this.#createReplicas(isCleanStart)
    this.#groups = this.#createGroups()
    this.#acceptors = this.#createAcceptors()
  }

  get nodeId(): number {
    return this.config.int('node.id')
  }

  /** Opens the listeners, then joins the quorum and the cluster. Errors arrive at `onFatal`. */
  start(): void {
    syncClaim(this.#ports.disk, (error) => {
      if (this.#isEnding) return
      if (error === null) this.#listen()
      else this.#fail(new DiskError(error, `the log directory cannot be synced: ${error}`))
    })
  }

  #listen(): void {
    let left = this.#acceptors.length
    for (const acceptor of this.#acceptors) {
      acceptor.listen((error) => {
        if (this.#isEnding) return
        if (error !== null) {
          this.#fail(error)
          return
        }
        left -= 1
        if (left > 0) return
        this.#raft.start()
        this.#lifecycle.start()
      })
    }
  }

  /**
   * Ends in order: logs are flushed and closed; `done` in any case. A controlled shutdown first moves all
   * leaderships away and leaves the quorum; when the whole cluster ends, that would be work for nothing.
   */
  shutdown(kind: ShutdownKind, done: () => void): void {
    if (this.#isEnding) {
      this.#ports.clock.after(0, 'node.shutdown-again', done)
      return
    }
    this.#isEnding = true
    let isClosing = false
    const close = (): void => {
      if (isClosing) return
      isClosing = true
      this.#close(kind, done)
    }
    const isControlled =
      kind === 'controlled' &&
      this.#lifecycle.isUnfenced &&
      this.config.boolean('controlled.shutdown.enable')
    if (!isControlled) {
      close()
      return
    }
    this.#onShutdownAllowed = close
    this.#ports.clock.after(this.config.int('broker.session.timeout.ms'), 'node.shutdown', close)
    this.#lifecycle.beginControlledShutdown()
  }

  #close(kind: ShutdownKind, done: () => void): void {
    this.#lifecycle.stop()
    for (const acceptor of this.#acceptors) acceptor.close()
    this.#channel.close()
    this.#groups.close()
    this.#replicas.close((error) => {
      const finish = (): void => {
        this.#transport.close()
        this.#controller.resign()
        this.#raftLog.close()
        if (error === null) leaveCleanShutdownMark(this.#ports.disk, this.#lifecycle.brokerEpoch)
        done()
      }
      if (kind === 'controlled') {
        this.#raft.stop(finish)
      } else {
        this.#raft.close()
        finish()
      }
    })
  }

  #fail(error: Error): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#ports.events.emit('node.failed', { reason: messageOf(error) })
    this.#options.onFatal(error)
  }

  #openRaftLog(isCleanShutdown: boolean): PartitionLog {
    const { disk, events, clock } = this.#ports
    return PartitionLog.open({
      disk,
      directory: `${METADATA_TOPIC}-0`,
      topic: METADATA_TOPIC,
      partition: 0,
      topicId: METADATA_TOPIC_ID,
      config: {
        ...DEFAULT_LOG_CONFIG,
        segmentBytes: this.config.int('metadata.log.segment.bytes'),
      },
      // No recovery point is kept: after a crash the whole metadata log is checked, it is small.
      recoveryPoint: 0,
      isCleanShutdown,
      nowMs: clock.wallMs(),
      events,
    })
  }

  #createTransport(): QuorumTransport {
    const { network, clock } = this.#ports
    const voters = new Map<number, Address>()
    for (const { nodeId, host, port } of this.#plan.voters) voters.set(nodeId, { host, port })
    return new QuorumTransport({ network, clock, clientId: `raft-client-${this.nodeId}`, voters })
  }

  #createController(): Controller {
    const { clock, random, events } = this.#ports
    return new Controller({
      nodeId: this.nodeId,
      clusterId: this.#options.clusterId,
      config: this.config,
      configRules: configRules(this.config),
      clock,
      random: random.fork('controller'),
      events,
      append: (epoch, records) => this.#raft.append(epoch, records),
      features: FEATURES,
    })
  }

  #createRaft(): Raft {
    const { clock, random, store, events } = this.#ports
    return new Raft({
      nodeId: this.nodeId,
      clusterId: this.#options.clusterId,
      directoryId: this.#identity.directoryId,
      voters: this.#plan.voters,
      config: {
        electionTimeoutMs: this.config.int('controller.quorum.election.timeout.ms'),
        electionBackoffMaxMs: this.config.int('controller.quorum.election.backoff.max.ms'),
        fetchTimeoutMs: this.config.int('controller.quorum.fetch.timeout.ms'),
        requestTimeoutMs: this.config.int('controller.quorum.request.timeout.ms'),
        retryBackoffMs: this.config.int('controller.quorum.retry.backoff.ms'),
        fetchMaxWaitMs: Math.floor(this.config.int('controller.quorum.fetch.timeout.ms') / 4),
      },
      clock,
      random: random.fork('raft'),
      store,
      events,
      log: this.#raftLog,
      transport: this.#transport,
      listener: {
        onLeaderChange: () => {
          this.#channel.leaderChanged()
        },
        onCommit: (batches) => {
          this.#onCommit(batches)
        },
        onActivated: (epoch) => {
          this.#controller.activate(epoch, this.#publisher.image.clone())
        },
        onResigned: () => {
          this.#controller.resign()
        },
        onFault: (error) => {
          this.#fail(error)
        },
      },
    })
  }

  #createChannel(): ControllerChannel {
    const { network, clock } = this.#ports
    return new ControllerChannel({
      network,
      clock,
      clientId: `broker-${this.nodeId}-to-controller`,
      controllerAddress: () => {
        const leader = this.#plan.voters.find(({ nodeId }) => nodeId === this.#raft.leaderId)
        return leader === undefined ? null : { host: leader.host, port: leader.port }
      },
      retryBackoffMs: CHANNEL_RETRY_MS,
    })
  }

  #createLifecycle(previousBrokerEpoch: number): BrokerLifecycle {
    const { clock, events, random } = this.#ports
    const { clusterId } = this.#options
    return new BrokerLifecycle({
      brokerId: this.nodeId,
      incarnationId: randomUuid((count) => random.bytes(count)),
      channel: this.#channel,
      clock,
      events,
      registration: {
        clusterId,
        previousBrokerEpoch,
        rack: this.config.nullableString('broker.rack'),
        logDirs: [this.#identity.directoryId],
        features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
        listeners: this.#plan.brokers.map(({ name }) => ({
          name,
          host: this.#plan.advertised.get(name)?.host ?? '',
          port: this.#plan.advertised.get(name)?.port ?? 0,
          securityProtocol: 0,
        })),
      },
      heartbeatIntervalMs: this.config.int('broker.heartbeat.interval.ms'),
      sessionTimeoutMs: this.config.int('broker.session.timeout.ms'),
      metadataOffset: () => this.#publisher.image.lastOffset,
      onRegistered: () => {
        this.#serveWhenCaughtUp()
      },
      onUnfenced: () => {
        events.emit('broker.unfenced', { broker: this.nodeId })
        if (this.#wasReady) return
        this.#wasReady = true
        this.#options.onReady()
      },
      onShutdownAllowed: () => {
        this.#onShutdownAllowed()
      },
    })
  }

  #createReplicas(isCleanStart: boolean): ReplicaManager {
    const { clock, network, disk, store, events } = this.#ports
    const timeoutMs = this.config.int('request.timeout.ms')
    return new ReplicaManager({
      brokerId: this.nodeId,
      brokerEpoch: () => this.#lifecycle.brokerEpoch,
      config: this.config,
      clock,
      network,
      disk,
      store,
      events,
      image: () => this.#publisher.image,
      alterPartition: (request, done) => {
        this.#channel.send(alterPartitionApi, ALTER_PARTITION_VERSION, request, timeoutMs, done)
      },
      interBrokerListenerName: this.#plan.interBrokerName,
      isCleanStart,
      // The only log directory has failed: Kafka halts such a broker.
      onStorageFailure: (error) => {
        this.#fail(error)
      },
    })
  }

  #createGroups(): GroupCoordinator {
    const { clock, random, events } = this.#ports
    const image = this.#publisher.image
    const groups = new GroupCoordinator({
      log: partitionLogAccess(this.#replicas, OFFSETS_TOPIC, this.config.int('message.max.bytes')),
      clock,
      random: random.fork('groups'),
      events,
      config: groupConfigFrom(this.config),
      partitionCount: () => image.topicsByName.get(OFFSETS_TOPIC)?.partitions.size ?? 0,
      topics: {
        hasTopic: (name) => image.topicsByName.has(name),
        topicId: (name) => image.topicsByName.get(name)?.id ?? null,
        topicName: (id) => image.topicsById.get(id)?.name ?? null,
      },
    })
    this.#replicas.onLeadership((partition, kind, leaderEpoch) => {
      if (partition.topic !== OFFSETS_TOPIC) return
      if (kind === 'leader') groups.onElected(partition.partition, leaderEpoch)
      else groups.onResigned(partition.partition)
    })
    return groups
  }

  #createAcceptors(): readonly Acceptor[] {
    const { network, clock, events } = this.#ports
    const services = this.#createServices()
    const acceptor = (kind: ListenerKind, name: string, address: Address): Acceptor =>
      new Acceptor({
        network,
        clock,
        events,
        name,
        address,
        router: new Router(API_HANDLERS, kind, services),
        maxFrameBytes: this.config.int('socket.request.max.bytes'),
        maxIdleMs: this.config.long('connections.max.idle.ms'),
        maxConnections: this.config.int('max.connections'),
      })
    return [
      ...this.#plan.controllers.map((listener) => acceptor('controller', listener.name, listener)),
      ...this.#plan.brokers.map((listener) => acceptor('broker', listener.name, listener)),
    ]
  }

  #createServices(): NodeServices {
    const { clock, events } = this.#ports
    const channel = this.#channel
    let forwarded: Router | null = null
    const services: NodeServices = {
      nodeId: this.nodeId,
      clusterId: this.#options.clusterId,
      config: this.config,
      clock,
      events,
      voters: this.#plan.voters,
      image: () => this.#publisher.image,
      replicas: this.#replicas,
      groups: this.#groups,
      raft: this.#raft,
      controller: this.#controller,
      controllerChannel: channel,
      producerIds: new ProducerIds({
        brokerId: this.nodeId,
        brokerEpoch: () => this.#lifecycle.brokerEpoch,
        channel,
        timeoutMs: this.config.int('request.timeout.ms'),
      }),
      topicCreation: new AutoTopicCreation({
        config: this.config,
        channel,
        events,
        liveBrokers: () =>
          [...this.#publisher.image.brokers.values()].filter(({ isFenced }) => !isFenced).length,
      }),
      apiVersions: (listener) => servedApis(API_HANDLERS, listener),
      handleForwarded: (frame, origin, done) => {
        forwarded ??= new Router(API_HANDLERS, 'controller', services)
        forwarded.route(frame, origin, (outcome) => {
          const isAnswer = outcome !== 'none' && outcome !== 'close'
          done(isAnswer ? Buffer.concat(outcome).subarray(SIZE_PREFIX_BYTES) : null)
        })
      },
    }
    return services
  }

  #onCommit(batches: readonly CommittedBatch[]): void {
    for (const batch of batches) this.#publisher.publish(batch)
    const last = batches.at(-1)
    if (last === undefined) return
    this.#controller.onCommitted(last.lastOffset)
    this.#serveWhenCaughtUp()
  }

  /** Partitions are taken up once the metadata holds this incarnation's registration; older states are stale. */
  #serveWhenCaughtUp(): void {
    const epoch = this.#lifecycle.brokerEpoch
    if (this.#isServing || epoch === -1) return
    if (this.#publisher.image.brokers.get(this.nodeId)?.epoch !== epoch) return
    this.#isServing = true
    this.#publisher.subscribe((delta, image) => {
      this.#replicas.applyDelta(delta, image)
    })
    this.#replicas.start(this.#publisher.image)
    this.#lifecycle.ready()
  }
}
