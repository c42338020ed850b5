import { present } from '../../src/base/assert.ts'
import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { parseBrokerConfig } from '../../broker/config.ts'
import { PartitionLog } from '../../broker/log/partition-log.ts'
import type { BrokerRegistration, PartitionState } from '../../broker/metadata/image.ts'
import type { FetchPartitionResult } from '../../broker/replica/fetch-result.ts'
import type { IsrProposal } from '../../broker/replica/in-sync-set.ts'
import { readPartition, type PartitionRead } from '../../broker/replica/partition-read.ts'
import { Partition } from '../../broker/replica/partition.ts'
import { topicConfigOf } from '../../broker/replica/topic-config.ts'
import { batchOf, fetchEntryOf } from './replica-cluster.ts'

export const TOPIC = 'orders'
const TOPIC_ID = 'AbcdefghijklmnopqrstuA'

export interface BenchOptions {
  readonly minIsr?: number
  readonly lagMs?: number
}

/** Broker 1 with one partition on a simulated disk; the other brokers and the controller are the test. */
export class PartitionBench {
  readonly world = new SimWorld({ seed: 7 })
  readonly partition: Partition
  readonly proposals: IsrProposal[] = []
  readonly registrations = new Map<BrokerId, BrokerRegistration>()
  readonly events: { kind: string; fields: Readonly<Record<string, unknown>> }[] = []
  changes = 0

  constructor(options: BenchOptions = {}) {
    const { clock, disk, events } = this.world.node('broker-1').ports
    this.world.onEvent(({ kind, fields }) => this.events.push({ kind, fields }))
    for (const id of [1, 2, 3]) this.register(id, 100 + id)
    const config = this.config(options.minIsr ?? 1)
    const log = PartitionLog.open({
      disk,
      directory: `${TOPIC}-0`,
      topic: TOPIC,
      partition: 0,
      topicId: TOPIC_ID,
      config: config.log,
      recoveryPoint: 0,
      isCleanShutdown: false,
      nowMs: clock.wallMs(),
      events,
    })
    this.partition = new Partition({
      topic: TOPIC,
      partition: 0,
      log,
      config,
      surroundings: {
        brokerId: 1,
        brokerEpoch: () => 101,
        clock,
        events,
        replicaLagTimeMaxMs: options.lagMs ?? 1000,
        broker: (id) => this.registrations.get(id),
        proposeIsr: (_partition, proposal) => this.proposals.push(proposal),
        changed: () => {
          this.changes += 1
        },
      },
    })
  }

  config(minIsr: number): ReturnType<typeof topicConfigOf> {
    const config = parseBrokerConfig({
      'controller.listener.names': 'CONTROLLER',
      'node.id': '1',
      'process.roles': 'broker',
    })
    return topicConfigOf(config, new Map([['min.insync.replicas', String(minIsr)]]))
  }

  register(id: BrokerId, epoch: number, change: Partial<BrokerRegistration> = {}): void {
    this.registrations.set(id, {
      id,
      epoch,
      incarnationId: ZERO_UUID,
      isFenced: false,
      isInControlledShutdown: false,
      rack: null,
      listeners: [],
      features: [],
      logDirs: [],
      registrationOffset: epoch,
      ...change,
    })
  }

  state(change: Partial<PartitionState> = {}): PartitionState {
    return {
      topic: TOPIC,
      topicId: TOPIC_ID,
      partition: 0,
      replicas: [1, 2, 3],
      isr: [1, 2, 3],
      leader: 1,
      leaderEpoch: 1,
      partitionEpoch: 1,
      leaderRecoveryState: 0,
      addingReplicas: [],
      removingReplicas: [],
      directories: [],
      ...change,
    }
  }

  lead(change: Partial<PartitionState> = {}): void {
    this.partition.makeLeader(this.state(change))
  }

  follow(change: Partial<PartitionState> = {}): void {
    this.partition.makeFollower(this.state({ leader: 2, ...change }))
  }

  append(value: string, requiredAcks = 1): ReturnType<Partition['appendAsLeader']> {
    return this.partition.appendAsLeader(batchOf(value), requiredAcks, 'client')
  }

  /** A follower fetch of this offset, as far as the partition is concerned. */
  fetched(brokerId: BrokerId, offset: Offset, brokerEpoch = 100 + brokerId): void {
    const { leaderEpoch } = this.partition
    this.partition.onFollowerFetch({
      brokerId,
      brokerEpoch,
      leaderEpoch,
      offset,
      logStartOffset: 0,
    })
  }

  read(
    change: Partial<PartitionRead> & { readonly offset: Offset },
    entry: Partial<PartitionRead['entry']> = {},
  ): FetchPartitionResult {
    const { offset, ...rest } = change
    return readPartition(this.partition, {
      reader: { kind: 'consumer', isCommittedOnly: false, needsLeader: true, preferred: null },
      entry: fetchEntryOf({ topic: TOPIC, fetchOffset: offset, ...entry }),
      maxBytes: 1_000_000,
      minOneBatch: true,
      updatesFollower: true,
      ...rest,
    })
  }

  get highWatermark(): Offset {
    return this.partition.log.highWatermark
  }

  get lastProposal(): IsrProposal {
    return present(this.proposals.at(-1), 'a proposal')
  }

  eventsOf(kind: string): readonly Readonly<Record<string, unknown>>[] {
    return this.events.filter((event) => event.kind === kind).map(({ fields }) => fields)
  }
}
