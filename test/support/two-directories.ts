import { parseBrokerConfig } from '../../broker/config.ts'
import { MetadataImage } from '../../broker/metadata/image.ts'
import { LogDirectories } from '../../broker/replica/log-directories.ts'
import { ReplicaManager } from '../../broker/replica/replica-manager.ts'
import { present } from '../../src/base/assert.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import { FolderDisk } from '../../src/sim/folder-disk.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import { readRecords } from '../../src/wire/record-batch.ts'
import { batchOf } from './replica-cluster.ts'

export const TOPIC_ID = 'TopicAAAAAAAAAAAAAAAAA'
export const A = 'DirectoryAAAAAAAAAAAAA'
export const B = 'DirectoryBAAAAAAAAAAAA'
const IDS: Readonly<Record<string, Uuid>> = { a: A, b: B }

export interface TwoDirectoriesOptions {
  readonly seed?: number
  readonly partitions?: number
  readonly properties?: Readonly<Record<string, string>>
}

/** Broker 1 alone with the log directories `a` and `b` on one simulated disk; the test is its controller. */
export class TwoDirectories {
  readonly world: SimWorld
  readonly node: SimNode
  readonly image = new MetadataImage()
  readonly failed: string[] = []
  readonly offline = new Set<string>()
  manager: ReplicaManager
  readonly #options: TwoDirectoriesOptions

  constructor(options: TwoDirectoriesOptions = {}) {
    this.#options = options
    this.world = new SimWorld({ seed: options.seed ?? 1 })
    this.node = this.world.node('n')
    this.image.apply(metadataRecord('TopicRecord', { name: 't', topicId: TOPIC_ID }))
    for (let partitionId = 0; partitionId < (options.partitions ?? 1); partitionId += 1) {
      const assigned = { replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
      const record = { topicId: TOPIC_ID, partitionId, directories: [IDS['a'] ?? ''], ...assigned }
      this.image.apply(metadataRecord('PartitionRecord', record, 2))
    }
    this.manager = this.#start()
  }

  /** A restart after a crash; directories in `offline` cannot be read. */
  restart(): void {
    if (this.node.isUp) this.node.crash()
    this.node.restart()
    this.manager = this.#start()
  }

  append(value: string, partition = 0): void {
    this.manager.append({
      requiredAcks: 1,
      timeoutMs: 1000,
      origin: 'client',
      entries: [{ topic: 't', topicId: TOPIC_ID, partition, records: batchOf(value) }],
      respond: () => undefined,
    })
  }

  move(path: string, partition = 0): ErrorCode {
    return this.manager.alterLogDirectory('t', partition, path)
  }

  /** Makes all durable that the partition has. */
  flush(): void {
    let isFlushed = false
    present(this.manager.partition('t', 0), 't-0').log.flush(() => (isFlushed = true))
    this.world.runUntil(() => isFlushed, 1000)
    // The recovery point is stored, too.
    this.world.runFor(6000)
  }

  /** The directory of the partition, and with a slash that to which it moves; null when it is offline. */
  whereIs(partition = 0): string | null {
    const { manager } = this
    const found = manager.directories.all.filter((directory) =>
      manager.partitionsIn(directory).some((each) => each.partition === partition),
    )
    const moving = manager.directories.all.filter((directory) =>
      manager.futuresIn(directory).some((future) => future.partition.partition === partition),
    )
    if (found.length === 0) return null
    return [...found, ...moving].map(({ path }) => path).join('/')
  }

  /** Every record of the log in its order. */
  values(partition = 0): readonly string[] {
    const { log } = present(this.manager.partition('t', partition), 'the partition')
    const values: string[] = []
    let offset = log.logStartOffset
    while (offset < log.logEndOffset) {
      const request = { offset, maxBytes: 1, minOneBatch: true, endOffset: log.logEndOffset }
      const { records, error } = log.read(request)
      if (error !== ErrorCode.NONE || records.length === 0)
        throw new Error(`no record at ${offset}`)
      for (const { value } of readRecords(records, 0)) {
        values.push(String(value))
        offset += 1
      }
    }
    return values
  }

  /** Names in a directory that belong to logs. */
  folders(path: string): readonly string[] {
    return this.node.disk.tree.list(path).filter((name) => name.startsWith('t-'))
  }

  #start(): ReplicaManager {
    const { ports } = this.node
    const directories = new LogDirectories(
      Object.entries(IDS).map(([path, id]) => {
        const disk = new FolderDisk(ports.disk, path)
        const opened = this.offline.has(path) ? null : { id, disk, isCleanStart: false }
        return { path, opened }
      }),
      ports.events,
    )
    const manager = new ReplicaManager({
      brokerId: 1,
      brokerEpoch: () => 1,
      config: parseBrokerConfig({
        'process.roles': 'broker',
        'node.id': '1',
        'controller.listener.names': 'CONTROLLER',
        ...this.#options.properties,
      }),
      clock: ports.clock,
      network: ports.network,
      store: ports.store,
      events: ports.events,
      random: ports.random.fork('replicas'),
      directories,
      image: () => this.image,
      interBrokerListenerName: 'PLAINTEXT',
      alterPartition: () => undefined,
      onDirectoryFailure: ({ path }) => this.failed.push(path),
      assignDirectory: ({ topicId, partition: partitionId }, directoryId) => {
        const change = { topicId, partitionId, directories: [directoryId] }
        this.image.apply(metadataRecord('PartitionChangeRecord', change, 2))
      },
    })
    manager.start(this.image)
    return manager
  }
}
