import { assert, present } from '../../src/base/assert.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  AlterPartitionRequest,
  AlterPartitionResponse,
} from '../../src/wire/messages/56-alter-partition.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import type { Input } from '../../src/wire/schema.ts'
import { MetadataImage, type PartitionState } from '../../broker/metadata/image.ts'
import type { PublishedBatch } from '../../broker/metadata/publisher.ts'

/** Where committed batches go; in order, late, never lost. */
export type BatchSink = (batch: PublishedBatch) => void

type AlteredPartition = Input<AlterPartitionRequest['topics'][number]['partitions'][number]>

/**
 * A controller that never fails and writes its metadata log at once: the other half of replication,
 * for tests of the brokers' half. Rules of AlterPartition and elections as Kafka's controller has them.
 */
export class ScriptedController {
  readonly image = new MetadataImage()
  readonly log: PublishedBatch[] = []
  readonly #clock: Clock
  readonly #random: Random
  readonly #sinks = new Map<BrokerId, { sink: BatchSink; lastAtMs: number }>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** Delivers all later batches to `sink` with a delay of their own; gives those before. */
  attach(id: BrokerId, sink: BatchSink): readonly PublishedBatch[] {
    this.#sinks.set(id, { sink, lastAtMs: 0 })
    return [...this.log]
  }

  detach(id: BrokerId): void {
    this.#sinks.delete(id)
  }

  /** Registers a broker, fenced; it gives way as leader and in-sync replica first. Returns its epoch. */
  register(id: BrokerId): number {
    if (this.image.brokers.has(id)) this.fence(id)
    const epoch = this.image.lastOffset + 1
    this.#commit([
      metadataRecord('RegisterBrokerRecord', {
        brokerId: id,
        incarnationId: this.#uuid(),
        brokerEpoch: epoch,
        endPoints: [{ name: 'PLAINTEXT', host: `broker-${id}`, port: 9092, securityProtocol: 0 }],
        fenced: true,
      }),
    ])
    return epoch
  }

  /** The broker may lead and be in sync again; partitions without a leader get one. */
  unfence(id: BrokerId): void {
    const broker = present(this.image.brokers.get(id), `broker ${id}`)
    this.#commit([metadataRecord('UnfenceBrokerRecord', { id, epoch: broker.epoch })])
    for (const state of this.states()) {
      if (state.leader === -1 && state.isr.includes(id)) this.#change(state, { leader: id })
    }
  }

  /** The broker is dead to the controller: out of every ISR but for a last member, its leaderships move. */
  fence(id: BrokerId): void {
    const broker = present(this.image.brokers.get(id), `broker ${id}`)
    if (broker.isFenced) return
    this.#commit([metadataRecord('FenceBrokerRecord', { id, epoch: broker.epoch })])
    for (const state of this.states()) {
      if (!state.isr.includes(id)) continue
      const left = state.isr.filter((member) => member !== id)
      const leader = state.leader === id ? this.#firstAlive(state, left) : state.leader
      const isr = left.length === 0 ? state.isr : left
      this.#change(state, leader === state.leader ? { isr } : { isr, leader })
    }
  }

  createTopic(
    name: string,
    partitions: readonly (readonly BrokerId[])[],
    configs: Readonly<Record<string, string>> = {},
  ): void {
    const topicId = this.#uuid()
    const records: MetadataRecord[] = [metadataRecord('TopicRecord', { name, topicId })]
    for (const [key, value] of Object.entries(configs)) {
      records.push(
        metadataRecord('ConfigRecord', { resourceType: 2, resourceName: name, name: key, value }),
      )
    }
    partitions.forEach((replicas, partitionId) => {
      records.push(
        metadataRecord('PartitionRecord', {
          topicId,
          partitionId,
          replicas: [...replicas],
          isr: [...replicas],
          leader: replicas[0] ?? -1,
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: replicas.map(() => this.#uuid()),
        }),
      )
    })
    this.#commit(records)
  }

  deleteTopic(name: string): void {
    const topicId = present(this.image.topicsByName.get(name), name).id
    this.#commit([metadataRecord('RemoveTopicRecord', { topicId })])
  }

  setTopicConfig(topic: string, name: string, value: string): void {
    this.#commit([
      metadataRecord('ConfigRecord', { resourceType: 2, resourceName: topic, name, value }),
    ])
  }

  /** Makes an in-sync replica the leader. */
  moveLeader(topic: string, partition: number, leader: BrokerId): void {
    const state = this.state(topic, partition)
    assert(state.isr.includes(leader), `broker ${leader} is not in sync for ${topic}-${partition}`)
    this.#change(state, { leader })
  }

  /** Gives the partition other replicas; the ISR keeps those of them that are in it. */
  reassign(topic: string, partition: number, replicas: readonly BrokerId[]): void {
    const state = this.state(topic, partition)
    const isr = state.isr.filter((id) => replicas.includes(id))
    const leader = isr.includes(state.leader) ? state.leader : this.#firstAlive(state, isr)
    this.#change(state, {
      replicas: [...replicas],
      isr,
      directories: replicas.map(() => this.#uuid()),
      ...(leader === state.leader ? {} : { leader }),
    })
  }

  state(topic: string, partition: number): PartitionState {
    return present(this.image.partition(topic, partition), `${topic}-${partition}`)
  }

  states(): readonly PartitionState[] {
    return [...this.image.topicsByName.values()].flatMap((topic) => [...topic.partitions.values()])
  }

  alterPartition(request: Input<AlterPartitionRequest>): AlterPartitionResponse {
    const sender = this.image.brokers.get(request.brokerId ?? -1)
    if (sender?.epoch !== request.brokerEpoch) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] }
    }
    const topics = (request.topics ?? []).map((topic) => ({
      topicId: topic.topicId ?? '',
      partitions: (topic.partitions ?? []).map((given) =>
        this.#alterOne(request.brokerId ?? -1, topic.topicId ?? '', given),
      ),
    }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics }
  }

  #alterOne(
    sender: BrokerId,
    topicId: string,
    given: AlteredPartition,
  ): AlterPartitionResponse['topics'][number]['partitions'][number] {
    const index = given.partitionIndex ?? -1
    const state = this.image.topicsById.get(topicId)?.partitions.get(index)
    if (state === undefined) return refusal(index, ErrorCode.UNKNOWN_TOPIC_ID)
    const error = this.#refusalOf(sender, state, given)
    if (error !== ErrorCode.NONE) return refusal(index, error)
    const isr = (given.newIsrWithEpochs ?? []).map(({ brokerId }) => brokerId ?? -1)
    this.#change(state, { isr })
    const now = this.state(state.topic, index)
    return {
      partitionIndex: index,
      errorCode: ErrorCode.NONE,
      leaderId: now.leader,
      leaderEpoch: now.leaderEpoch,
      isr: [...now.isr],
      leaderRecoveryState: 0,
      partitionEpoch: now.partitionEpoch,
    }
  }

  #refusalOf(sender: BrokerId, state: PartitionState, given: AlteredPartition): ErrorCode {
    const leaderEpoch = given.leaderEpoch ?? -1
    const partitionEpoch = given.partitionEpoch ?? -1
    if (leaderEpoch > state.leaderEpoch || partitionEpoch > state.partitionEpoch) {
      return ErrorCode.NOT_CONTROLLER
    }
    if (leaderEpoch < state.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (sender !== state.leader) return ErrorCode.INVALID_REQUEST
    if (partitionEpoch < state.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
    const members = given.newIsrWithEpochs ?? []
    const ids = members.map(({ brokerId }) => brokerId ?? -1)
    if (!ids.includes(sender) || !ids.every((id) => state.replicas.includes(id))) {
      return ErrorCode.INVALID_REQUEST
    }
    const isEligible = members.every(({ brokerId = -1, brokerEpoch = -1 }) => {
      const broker = this.image.brokers.get(brokerId)
      if (broker === undefined || broker.isFenced) return false
      return brokerEpoch === -1 || brokerEpoch === broker.epoch
    })
    return isEligible ? ErrorCode.NONE : ErrorCode.INELIGIBLE_REPLICA
  }

  #firstAlive(state: PartitionState, candidates: readonly BrokerId[]): BrokerId {
    const isAlive = (id: BrokerId): boolean => this.image.brokers.get(id)?.isFenced === false
    return state.replicas.find((id) => candidates.includes(id) && isAlive(id)) ?? -1
  }

  #change(
    state: PartitionState,
    change: {
      readonly isr?: readonly BrokerId[]
      readonly leader?: BrokerId
      readonly replicas?: BrokerId[]
      readonly directories?: string[]
    },
  ): void {
    const { topicId, partition: partitionId } = state
    const isr = change.isr === undefined ? null : [...change.isr]
    this.#commit([
      metadataRecord('PartitionChangeRecord', { ...change, isr, topicId, partitionId }),
    ])
  }

  #commit(records: readonly MetadataRecord[]): void {
    const baseOffset = this.image.lastOffset + 1
    for (const record of records) this.image.apply(record)
    const batch = { baseOffset, lastOffset: this.image.lastOffset, epoch: 1, records }
    this.log.push(batch)
    for (const target of this.#sinks.values()) {
      const atMs = Math.max(target.lastAtMs, this.#clock.monoMs() + this.#random.below(8))
      target.lastAtMs = atMs
      this.#clock.after(atMs - this.#clock.monoMs(), 'controller.publish', () => target.sink(batch))
    }
  }

  #uuid(): string {
    return `A${this.#random.bytes(16).toString('base64url').slice(1)}`
  }
}

function refusal(
  partitionIndex: number,
  errorCode: ErrorCode,
): AlterPartitionResponse['topics'][number]['partitions'][number] {
  return {
    partitionIndex,
    errorCode,
    leaderId: -1,
    leaderEpoch: -1,
    isr: [],
    leaderRecoveryState: 0,
    partitionEpoch: -1,
  }
}
