import { assert, present } from '../../src/base/assert.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import { parseBrokerConfig } from '../../broker/config.ts'
import { MetadataPublisher } from '../../broker/metadata/publisher.ts'
import type { AppendPartitionResult } from '../../broker/replica/delayed-produce.ts'
import type {
  FetchEntry,
  FetchInput,
  FetchPartitionResult,
} from '../../broker/replica/fetch-result.ts'
import { LogDirectories } from '../../broker/replica/log-directories.ts'
import type { Partition } from '../../broker/replica/partition.ts'
import { ReplicaManager } from '../../broker/replica/replica-manager.ts'
import type { ReplicaManagerOptions } from '../../broker/replica/replica-manager-options.ts'
import { startFetchServer } from './fetch-server.ts'
import { ScriptedController } from './scripted-controller.ts'

const DIRECTORY_ID = 'DirectoryAAAAAAAAAAAAA'
const DEFAULTS: Readonly<Record<string, string>> = {
  'controller.listener.names': 'CONTROLLER',
  'node.id': '1',
  'process.roles': 'broker',
  'replica.lag.time.max.ms': '2000',
  'replica.fetch.backoff.ms': '50',
  'replica.fetch.wait.max.ms': '200',
}

export interface ReplicaClusterOptions {
  readonly seed: number
  /** Ids are 1, 2, ...; 3 brokers. */
  readonly brokers?: number
  readonly properties?: Readonly<Record<string, string>>
  /** Of a thousand AlterPartition requests, so many get an error instead of an answer, applied or not. */
  readonly alterPartitionLossPermille?: number
}

/** One broker of the cluster: its machine, and the replica manager of its present life. */
export interface ReplicaBroker {
  readonly id: BrokerId
  readonly node: SimNode
  manager: ReplicaManager
  publisher: MetadataPublisher
}

/** What a producer knows of one Produce. */
export interface Send {
  readonly value: string
  readonly acks: number
  readonly broker: BrokerId
  result: AppendPartitionResult | null
  /** Called when the result is in. */
  onResult: () => void
}

/** Brokers that replicate over a simulated network, under a controller that a test drives. */
export class ReplicaCluster {
  readonly world: SimWorld
  readonly controller: ScriptedController
  readonly brokers = new Map<BrokerId, ReplicaBroker>()
  /** Called when a manager is made, before it starts. */
  onManager: (broker: ReplicaBroker) => void = () => {}
  readonly #options: ReplicaClusterOptions

  constructor(options: ReplicaClusterOptions) {
    this.#options = options
    this.world = new SimWorld({ seed: options.seed })
    const ports = this.world.node('controller').ports
    this.controller = new ScriptedController(ports.clock, ports.random.fork('controller'))
  }

  /** Starts all brokers and waits until they are registered and unfenced. */
  start(): void {
    for (let id = 1; id <= (this.#options.brokers ?? 3); id += 1) {
      this.#boot(id, this.world.node(`broker-${id}`).ports)
    }
    this.world.runFor(50)
  }

  broker(id: BrokerId): ReplicaBroker {
    return present(this.brokers.get(id), `broker ${id}`)
  }

  partition(id: BrokerId, topic: string, index = 0): Partition {
    const found = this.broker(id).manager.partition(topic, index)
    return present(found, `${topic}-${index} on broker ${id}`)
  }

  /** Kills the process; the controller learns of it after `noticedAfterMs`. */
  crash(id: BrokerId, noticedAfterMs = 100): void {
    const { node } = this.broker(id)
    assert(node.isUp, `broker ${id} is down`)
    const epoch = this.controller.image.brokers.get(id)?.epoch
    node.crash()
    this.controller.detach(id)
    const { clock } = this.world.node('controller').ports
    clock.after(noticedAfterMs, 'controller.session', () => {
      const isSameLife = this.controller.image.brokers.get(id)?.epoch === epoch
      if (!node.isUp && isSameLife) this.controller.fence(id)
    })
  }

  restart(id: BrokerId): void {
    this.#boot(id, this.broker(id).node.restart())
  }

  /** Ends the broker in order, then starts it again as after a clean shutdown. */
  restartCleanly(id: BrokerId): void {
    const broker = this.broker(id)
    let isClosed = false
    broker.manager.close((error) => {
      assert(error === null, String(error))
      isClosed = true
    })
    assert(
      this.world.runUntil(() => isClosed, 10_000),
      'the manager closes',
    )
    broker.node.crash()
    this.controller.detach(id)
    this.#boot(id, broker.node.restart(), true)
  }

  /** Sends one record to broker `id`, by default to the leader the controller knows. */
  produce(
    topic: string,
    value: string,
    options: { acks?: number; index?: number; to?: BrokerId; timeoutMs?: number } = {},
  ): Send {
    const { acks = -1, index = 0, timeoutMs = 5000 } = options
    const broker = options.to ?? this.controller.state(topic, index).leader
    const send: Send = { value, acks, broker, result: null, onResult: () => {} }
    this.broker(broker).manager.append({
      requiredAcks: acks,
      timeoutMs,
      origin: 'client',
      entries: [{ topic, topicId: ZERO_UUID, partition: index, records: batchOf(value) }],
      respond: (results) => {
        assert(send.result === null, 'a Produce is answered once')
        send.result = present(results[0], 'the result')
        send.onResult()
      },
    })
    return send
  }

  /** Fetches as a consumer; the holder gets the result when it comes. */
  consume(
    id: BrokerId,
    entry: Partial<FetchEntry> & Pick<FetchEntry, 'topic' | 'fetchOffset'>,
    options: Partial<FetchInput> = {},
  ): { result: FetchPartitionResult | null } {
    const holder: { result: FetchPartitionResult | null } = { result: null }
    const input = fetchInputOf([fetchEntryOf(entry)], options)
    this.broker(id).manager.fetch(input, (results) => {
      assert(holder.result === null, 'a Fetch is answered once')
      holder.result = present(results[0], 'the result')
    })
    return holder
  }

  /** Runs until `predicate` holds; fails with `what` otherwise. */
  until(predicate: () => boolean, what: string, limitMs = 20_000): void {
    assert(this.world.runUntil(predicate, limitMs), `${what} within ${limitMs} ms`)
  }

  /** All replicas live, in sync, and equal in log end and high watermark. */
  isQuiet(): boolean {
    return this.controller.states().every((state) => {
      const parts = state.replicas.map((id) =>
        this.broker(id).node.isUp
          ? this.broker(id).manager.partition(state.topic, state.partition)
          : null,
      )
      const first = parts[0] ?? null
      if (first === null || state.isr.length !== state.replicas.length) return false
      const end = first.log.logEndOffset
      return parts.every(
        (part) => part !== null && part.log.logEndOffset === end && part.log.highWatermark === end,
      )
    })
  }

  #boot(id: BrokerId, ports: NodePorts, isCleanStart = false): void {
    const { controller } = this
    const publisher = new MetadataPublisher()
    const epoch = controller.register(id)
    const manager = new ReplicaManager(
      this.#managerOptions(id, epoch, ports, publisher, isCleanStart),
    )
    const known = this.brokers.get(id)
    const node = this.world.node(`broker-${id}`)
    const broker = known ?? { id, node, manager, publisher }
    Object.assign(broker, { manager, publisher })
    this.brokers.set(id, broker)
    this.onManager(broker)
    for (const batch of controller.attach(id, (batch) => {
      if (ports === node.ports && node.isUp) publisher.publish(batch)
    })) {
      publisher.publish(batch)
    }
    publisher.subscribe((delta, image) => manager.applyDelta(delta, image))
    manager.start(publisher.image)
    startFetchServer({
      network: ports.network,
      host: `broker-${id}`,
      replicas: () => manager,
      topicName: (topicId) => publisher.image.topicsById.get(topicId)?.name ?? '',
    })
    ports.clock.after(10, 'broker.unfence', () => controller.unfence(id))
  }

  #managerOptions(
    id: BrokerId,
    epoch: number,
    ports: NodePorts,
    publisher: MetadataPublisher,
    isCleanStart: boolean,
  ): ReplicaManagerOptions {
    const random = ports.random.fork('alter-partition')
    return {
      brokerId: id,
      brokerEpoch: () => epoch,
      config: parseBrokerConfig({ ...DEFAULTS, ...this.#options.properties }),
      clock: ports.clock,
      network: ports.network,
      directories: new LogDirectories(
        [{ path: 'data', opened: { id: DIRECTORY_ID, disk: ports.disk, isCleanStart } }],
        ports.events,
      ),
      store: ports.store,
      events: ports.events,
      random: ports.random.fork('replicas'),
      image: () => publisher.image,
      interBrokerListenerName: 'PLAINTEXT',
      alterPartition: (request, done) => {
        const fate = random.below(1000)
        const lossPermille = this.#options.alterPartitionLossPermille ?? 0
        const isLost = fate < lossPermille
        ports.clock.after(1 + random.below(5), 'alter-partition.request', () => {
          const isApplied = !isLost || fate % 2 === 0
          const response = isApplied ? this.controller.alterPartition(request) : null
          ports.clock.after(1 + random.below(5), 'alter-partition.response', () => {
            if (isLost) done(new Error('lost'), null)
            else done(null, response)
          })
        })
      },
    }
  }
}

/** One batch with one record. */
export function batchOf(value: string): Buffer {
  return writeBatch({
    records: [{ key: null, value: Buffer.from(value) }],
    timestampMs: 1_700_000_000_000,
  })
}

export function fetchEntryOf(
  entry: Partial<FetchEntry> & Pick<FetchEntry, 'topic' | 'fetchOffset'>,
): FetchEntry {
  return {
    topicId: ZERO_UUID,
    partition: 0,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    maxBytes: 1_000_000,
    ...entry,
  }
}

export function fetchInputOf(
  entries: readonly FetchEntry[],
  options: Partial<FetchInput> = {},
): FetchInput {
  return {
    replicaId: -1,
    replicaEpoch: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 10_000_000,
    isolationLevel: 0,
    version: 17,
    clientId: 'test',
    rackId: '',
    listenerName: 'PLAINTEXT',
    entries,
    ...options,
  }
}
