import type { Config } from '../src/base/config-def.ts'
import { present } from '../src/base/assert.ts'
import type { DiskError } from '../src/base/errors.ts'
import { randomUuid } from '../src/base/uuid.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { alterPartitionApi } from '../src/wire/messages/56-alter-partition.ts'
import { groupConfigFrom } from './group/group-config.ts'
import { GroupCoordinator } from './group/group-coordinator.ts'
import type { ListenerPlan } from './listener-config.ts'
import { SUPPORTED_FEATURES, TRANSACTION_VERSION } from './metadata/features.ts'
import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from './metadata/topic-name.ts'
import { logPathsOf, type NodeDirectories } from './node-directories.ts'
import type { QuorumPart } from './quorum-part.ts'
import { partitionLogAccess } from './replica/partition-log-access.ts'
import { FetchSessions } from './replica/fetch-sessions.ts'
import { LogDirectories, type LogDirectory } from './replica/log-directories.ts'
import { ReplicaManager } from './replica/replica-manager.ts'
import { BrokerLifecycle } from './server/broker-lifecycle.ts'
import { ControllerChannel } from './server/controller-channel.ts'
import { DirectoryAssignments } from './server/directory-assignments.ts'
import { ProducerIds } from './server/producer-ids.ts'
import { AutoTopicCreation } from './server/topic-creation.ts'
import { MarkerSender } from './transaction/marker-sender.ts'
import { transactionConfigFrom } from './transaction/transaction-config.ts'
import { TransactionCoordinator } from './transaction/transaction-coordinator.ts'

export interface BrokerPartOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly directories: NodeDirectories
  readonly config: Config
  readonly plan: ListenerPlan
  readonly ports: NodePorts
  readonly quorum: QuorumPart
  /** Registered, unfenced, serving. Called after every time it was fenced. */
  readonly onUnfenced: () => void
  readonly onFatal: (error: Error) => void
}

const ALTER_PARTITION_VERSION = 3
const CHANNEL_RETRY_MS = 20

/**
 * What `process.roles=broker` adds to a node: its life as the controller knows it, replicas, groups, transactions, and
 * the way to the active controller.
 */
export class BrokerPart {
  readonly channel: ControllerChannel
  readonly lifecycle: BrokerLifecycle
  readonly directories: LogDirectories
  readonly replicas: ReplicaManager
  readonly fetchSessions: FetchSessions
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  readonly transactions: TransactionCoordinator
  readonly topicCreation: AutoTopicCreation
  readonly #options: BrokerPartOptions
  readonly #assignments: DirectoryAssignments
  #isServing = false
  #onShutdownAllowed: () => void = () => undefined

  constructor(options: BrokerPartOptions) {
    this.#options = options
    const { config, ports, quorum } = options
    this.channel = this.#createChannel()
    this.directories = new LogDirectories(options.directories.logs, ports.events)
    this.lifecycle = this.#createLifecycle()
    this.#assignments = new DirectoryAssignments({
      brokerId: options.nodeId,
      brokerEpoch: () => this.lifecycle.brokerEpoch,
      channel: this.channel,
      clock: ports.clock,
      timeoutMs: config.int('request.timeout.ms'),
    })
    this.replicas = this.#createReplicas()
    this.fetchSessions = new FetchSessions({
      clock: ports.clock,
      random: ports.random.fork('fetch-sessions'),
      maxSessions: () => config.int('max.incremental.fetch.session.cache.slots'),
    })
    this.groups = this.#createGroups()
    this.producerIds = new ProducerIds({
      brokerId: options.nodeId,
      brokerEpoch: () => this.lifecycle.brokerEpoch,
      channel: this.channel,
      timeoutMs: config.int('request.timeout.ms'),
    })
    this.transactions = this.#createTransactions()
    this.topicCreation = new AutoTopicCreation({
      config,
      channel: this.channel,
      events: ports.events,
      liveBrokers: () =>
        [...quorum.publisher.image.brokers.values()].filter(({ isFenced }) => !isFenced).length,
    })
  }

  start(): void {
    this.lifecycle.start()
  }

  onLeaderChange(): void {
    this.channel.leaderChanged()
  }

  onPublished(): void {
    this.#serveWhenCaughtUp()
  }

  /** The broker's own settings have changed: topics without their own go by them. */
  onConfigsChanged(): void {
    this.replicas.onConfigsChanged()
  }

  /** Moves all leaderships away; `done` when that is allowed, which the caller need not wait for. */
  beginControlledShutdown(done: () => void): void {
    this.#onShutdownAllowed = done
    this.lifecycle.beginControlledShutdown()
  }

  /** One of the directories, by its path in `log.dirs`, has refused a sync before it was used. */
  failDirectory(path: string, error: DiskError): void {
    const directory = this.directories.byPath(path)
    if (directory !== null) this.replicas.failDirectory(directory, error)
  }

  /** Leaves the cluster; its logs are flushed and closed when `done` is called, unless with an error. */
  close(done: (error: Error | null) => void): void {
    this.channel.close()
    this.#assignments.close()
    this.groups.close()
    this.transactions.close()
    this.replicas.close(done)
  }

  #createChannel(): ControllerChannel {
    const { nodeId, ports, quorum } = this.#options
    return new ControllerChannel({
      network: ports.network,
      clock: ports.clock,
      clientId: `broker-${nodeId}-to-controller`,
      controllerAddress: () => quorum.leaderAddress(),
      retryBackoffMs: CHANNEL_RETRY_MS,
    })
  }

  #createLifecycle(): BrokerLifecycle {
    const { nodeId, clusterId, directories, config, plan, ports, quorum } = this.#options
    const { clock, events, random } = ports
    return new BrokerLifecycle({
      brokerId: nodeId,
      incarnationId: randomUuid((count) => random.bytes(count)),
      channel: this.channel,
      clock,
      events,
      registration: {
        clusterId,
        previousBrokerEpoch: directories.previousBrokerEpoch ?? -1,
        rack: config.nullableString('broker.rack'),
        logDirs: this.directories.online.flatMap(({ id }) => id ?? []),
        features: [...SUPPORTED_FEATURES],
        listeners: plan.brokers.map(({ name }) => ({
          name,
          host: plan.advertised.get(name)?.host ?? '',
          port: plan.advertised.get(name)?.port ?? 0,
          securityProtocol: 0,
        })),
      },
      heartbeatIntervalMs: config.int('broker.heartbeat.interval.ms'),
      sessionTimeoutMs: config.int('broker.session.timeout.ms'),
      directoryTimeoutMs: config.long('log.dir.failure.timeout.ms'),
      metadataOffset: () => quorum.publisher.image.lastOffset,
      onRegistered: () => this.#serveWhenCaughtUp(),
      onUnfenced: () => {
        events.emit('broker.unfenced', { broker: nodeId })
        this.#options.onUnfenced()
      },
      onShutdownAllowed: () => this.#onShutdownAllowed(),
      onFatal: this.#options.onFatal,
    })
  }

  #createReplicas(): ReplicaManager {
    const { nodeId, config, plan, ports, quorum } = this.#options
    const { clock, network, store, events, random } = ports
    const timeoutMs = config.int('request.timeout.ms')
    return new ReplicaManager({
      brokerId: nodeId,
      brokerEpoch: () => this.lifecycle.brokerEpoch,
      config,
      clock,
      network,
      directories: this.directories,
      store,
      events,
      random: random.fork('replicas'),
      image: () => quorum.publisher.image,
      alterPartition: (request, done) => {
        this.channel.send(alterPartitionApi, ALTER_PARTITION_VERSION, request, timeoutMs, done)
      },
      interBrokerListenerName: present(plan.interBrokerName, 'the listener between brokers'),
      onDirectoryFailure: (directory, error) => this.#onDirectoryFailure(directory, error),
      assignDirectory: ({ topicId, partition }, directoryId) => {
        this.#assignments.assign(topicId, partition, directoryId)
      },
    })
  }

  /** Kafka halts a broker whose last log directory fails, or the one with its metadata log. */
  #onDirectoryFailure({ path, id }: LogDirectory, error: Error): void {
    const { config, onFatal } = this.#options
    const isLast = this.directories.online.length === 0
    if (isLast || path === logPathsOf(config).metadata || id === null) onFatal(error)
    else this.lifecycle.directoryFailed(id)
  }

  #createGroups(): GroupCoordinator {
    const { config, ports, quorum } = this.#options
    const { clock, random, events } = ports
    const { image } = quorum.publisher
    const groups = new GroupCoordinator({
      log: partitionLogAccess(this.replicas, OFFSETS_TOPIC, config.int('message.max.bytes')),
      clock,
      random: random.fork('groups'),
      events,
      config: groupConfigFrom(config),
      partitionCount: () => image.topicsByName.get(OFFSETS_TOPIC)?.partitions.size ?? 0,
      verifyTransaction: (partition, producer, done) => {
        this.replicas.verifyTransaction(OFFSETS_TOPIC, partition, producer, done)
      },
      topics: {
        hasTopic: (name) => image.topicsByName.has(name),
        hasPartition: (name, partition) =>
          image.topicsByName.get(name)?.partitions.has(partition) ?? false,
        topicId: (name) => image.topicsByName.get(name)?.id ?? null,
        topicName: (id) => image.topicsById.get(id)?.name ?? null,
      },
    })
    this.replicas.onLeadership((partition, kind, leaderEpoch) => {
      if (partition.topic !== OFFSETS_TOPIC) return
      if (kind === 'leader') groups.onElected(partition.partition, leaderEpoch)
      else groups.onResigned(partition.partition)
    })
    return groups
  }

  #createTransactions(): TransactionCoordinator {
    const { nodeId, config, plan, ports, quorum } = this.#options
    const { clock, network, random, events } = ports
    const { image } = quorum.publisher
    const topic = TRANSACTION_STATE_TOPIC
    const transactions = new TransactionCoordinator({
      log: partitionLogAccess(this.replicas, topic, config.int('message.max.bytes')),
      clock,
      random: random.fork('transactions'),
      events,
      config: transactionConfigFrom(config),
      markers: new MarkerSender({
        network,
        clock,
        events,
        clientId: `broker-${nodeId}-txn-marker-sender`,
        requestTimeoutMs: config.int('request.timeout.ms'),
        interBrokerListenerName: present(plan.interBrokerName, 'the listener between brokers'),
        image: () => quorum.publisher.image,
      }),
      producerIds: this.producerIds,
      level: () => image.features.get(TRANSACTION_VERSION) ?? 0,
      partitionCount: () => image.topicsByName.get(topic)?.partitions.size ?? 0,
    })
    this.replicas.onLeadership((partition, kind, leaderEpoch) => {
      if (partition.topic !== topic) return
      if (kind === 'leader') transactions.onElected(partition.partition, leaderEpoch)
      else transactions.onResigned(partition.partition)
    })
    return transactions
  }

  /** Partitions are taken up once the metadata holds this incarnation's registration; older states are stale. */
  #serveWhenCaughtUp(): void {
    const epoch = this.lifecycle.brokerEpoch
    if (this.#isServing || epoch === -1) return
    const { nodeId, quorum } = this.#options
    const { publisher } = quorum
    if (publisher.image.brokers.get(nodeId)?.epoch !== epoch) return
    this.#isServing = true
    publisher.subscribe((delta, image) => {
      this.replicas.applyDelta(delta, image)
      this.transactions.onMetadataChanged()
    })
    this.replicas.start(publisher.image)
    this.lifecycle.ready()
  }
}
