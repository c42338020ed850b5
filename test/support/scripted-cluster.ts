import { randomUuid, ZERO_UUID } from '../../src/base/uuid.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  produceApi,
  type PartitionProduceResponse,
  type ProduceRequest,
  type TopicProduceResponse,
} from '../../src/wire/messages/00-produce.ts'
import {
  fetchApi,
  type FetchableTopicResponse,
  type FetchRequest,
} from '../../src/wire/messages/01-fetch.ts'
import { listOffsetsApi } from '../../src/wire/messages/02-list-offsets.ts'
import {
  metadataApi,
  type MetadataRequest,
  type MetadataResponse,
} from '../../src/wire/messages/03-metadata.ts'
import { findCoordinatorApi } from '../../src/wire/messages/10-find-coordinator.ts'
import { initProducerIdApi } from '../../src/wire/messages/22-init-producer-id.ts'
import {
  batchLastOffset,
  patchBatch,
  readBatchHeader,
  readRecords,
  writeBatch,
  type BatchHeader,
  type BatchInput,
} from '../../src/wire/record-batch.ts'
import type { Input } from '../../src/wire/schema.ts'
import { ScriptedBroker, type SeenRequest } from './scripted-broker.ts'

export interface ScriptedPartition {
  leader: number
  leaderEpoch: number
  startOffset: number
  readonly batches: Buffer[]
  readonly aborted: { producerId: number; firstOffset: number }[]
}

interface ScriptedTopic {
  readonly id: string
  readonly partitions: ScriptedPartition[]
}

const PORT = 9092
/** A Fetch that waits looks so often for what was appended. */
const FETCH_LOOK_MS = 5

/**
 * Some scripted brokers that know one cluster: Metadata, Produce, Fetch, ListOffsets, FindCoordinator and
 * InitProducerId do the plain thing on logs in memory; everything can be overridden per broker. Broker n is `bn`.
 */
export class ScriptedCluster {
  readonly world: SimWorld
  readonly brokers = new Map<number, ScriptedBroker>()
  readonly topics = new Map<string, ScriptedTopic>()
  /** The broker that all groups are coordinated by. */
  coordinator = 1
  #nextProducerId = 1000
  #checksSequences = false

  constructor(options: { readonly brokers: number; readonly seed?: number }) {
    this.world = new SimWorld({ seed: options.seed ?? 1 })
    for (let id = 1; id <= options.brokers; id += 1) {
      const { ports } = this.node(id)
      const broker = new ScriptedBroker(ports, { host: `b${id}`, port: PORT })
      this.#script(broker, id)
      broker.listen()
      this.brokers.set(id, broker)
    }
  }

  /** For `bootstrap.servers`. */
  get bootstrap(): string {
    return [...this.brokers.keys()].map((id) => `b${id}:${PORT}`).join()
  }

  /** Ports of the machine that clients run on. */
  get clientNode(): SimNode {
    return this.world.node('client')
  }

  node(id: number): SimNode {
    return this.world.node(`b${id}`)
  }

  broker(id: number): ScriptedBroker {
    return this.brokers.get(id)!
  }

  /** Leaders are given to the brokers in turn. */
  createTopic(name: string, partitionCount: number): void {
    const ids = [...this.brokers.keys()]
    const random = this.world.random(`topic ${name}`)
    this.topics.set(name, {
      id: randomUuid((count) => random.bytes(count)),
      partitions: Array.from({ length: partitionCount }, (_, index) => ({
        leader: ids[index % ids.length]!,
        leaderEpoch: 0,
        startOffset: 0,
        batches: [],
        aborted: [],
      })),
    })
  }

  partition(topic: string, partition: number): ScriptedPartition {
    return this.topics.get(topic)!.partitions[partition]!
  }

  moveLeader(topic: string, partition: number, leader: number): void {
    const state = this.partition(topic, partition)
    state.leader = leader
    state.leaderEpoch += 1
  }

  endOffset(topic: string, partition: number): number {
    const { batches, startOffset } = this.partition(topic, partition)
    const last = batches.at(-1)
    return last === undefined ? startOffset : batchLastOffset(last, 0) + 1
  }

  /** Appends as a leader does, without asking who the leader is. Returns the first offset. */
  append(topic: string, partition: number, batch: Buffer): number {
    const state = this.partition(topic, partition)
    const baseOffset = this.endOffset(topic, partition)
    const copy = Buffer.from(batch)
    patchBatch(copy, 0, baseOffset, state.leaderEpoch)
    state.batches.push(copy)
    return baseOffset
  }

  /** Appends values, one batch, a record each. */
  fill(
    topic: string,
    partition: number,
    values: readonly string[],
    options: Partial<BatchInput> = {},
  ): number {
    const records = values.map((value) => ({ key: null, value: Buffer.from(value) }))
    return this.append(topic, partition, writeBatch({ records, timestampMs: 1000, ...options }))
  }

  values(topic: string, partition: number): readonly string[] {
    return this.partition(topic, partition).batches.flatMap((batch) =>
      readRecords(batch, 0).map((record) => String(record.value)),
    )
  }

  headers(topic: string, partition: number): readonly BatchHeader[] {
    return this.partition(topic, partition).batches.map((batch) => readBatchHeader(batch, 0))
  }

  topicNamed(given: { readonly topicId: string }, name: string): string {
    for (const [known, topic] of this.topics) if (topic.id === given.topicId) return known
    return name
  }

  /** From now on batches with a producer id are checked as a broker does: duplicates, order, epochs. */
  dropDuplicates(): void {
    this.#checksSequences = true
  }

  /** What `produceApi` does: one partition of one request, stored. */
  produce(topic: string, index: number, records: Buffer): Input<PartitionProduceResponse> {
    const header = readBatchHeader(records, 0)
    if (this.#checksSequences && header.producerId >= 0) {
      const own = this.headers(topic, index).filter((each) => each.producerId === header.producerId)
      const same = own.find(
        (each) =>
          each.producerEpoch === header.producerEpoch && each.baseSequence === header.baseSequence,
      )
      if (same !== undefined) return { index, baseOffset: same.baseOffset }
      const last = own.at(-1)
      const isNewEpoch = last === undefined || header.producerEpoch > last.producerEpoch
      const expected = isNewEpoch ? 0 : last.lastSequence + 1
      if (header.baseSequence !== expected) {
        return { index, errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
      }
    }
    return { index, errorCode: ErrorCode.NONE, baseOffset: this.append(topic, index, records) }
  }

  metadataFor(request: MetadataRequest): Input<MetadataResponse> {
    const names = request.topics?.map((topic) => topic.name ?? '') ?? [...this.topics.keys()]
    return {
      brokers: [...this.brokers.keys()].map((id) => ({ nodeId: id, host: `b${id}`, port: PORT })),
      clusterId: 'scripted',
      controllerId: 1,
      topics: names.map((name) => this.#topicMetadata(name)),
    }
  }

  #topicMetadata(name: string): Input<MetadataResponse['topics'][number]> {
    const topic = this.topics.get(name)
    if (topic === undefined) {
      const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      return { name, errorCode, topicId: ZERO_UUID, partitions: [] }
    }
    const partitions = topic.partitions.map((each, partitionIndex) => ({
      partitionIndex,
      leaderId: each.leader,
      leaderEpoch: each.leaderEpoch,
      replicaNodes: [...this.brokers.keys()],
      isrNodes: [...this.brokers.keys()],
    }))
    return { name, topicId: topic.id, partitions }
  }

  #script(broker: ScriptedBroker, id: number): void {
    broker.on(metadataApi, (request, reply) => reply(this.metadataFor(request.body)))
    broker.on(produceApi, (request, reply) => {
      const responses = this.#onProduce(id, request)
      if (request.body.acks === 0) reply.skip()
      else reply({ responses })
    })
    broker.on(fetchApi, (request, reply) => {
      const { clock } = this.node(id).ports
      const deadlineMs = clock.monoMs() + request.body.maxWaitMs
      const look = (): void => {
        const { hasData, responses } = this.#onFetch(id, request)
        if (hasData || clock.monoMs() >= deadlineMs) reply({ responses })
        else clock.after(FETCH_LOOK_MS, 'scripted.fetch', look)
      }
      look()
    })
    broker.on(listOffsetsApi, (request, reply) =>
      reply({
        topics: request.body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, timestamp }) => ({
            partitionIndex,
            ...this.#offsetFor(id, name, partitionIndex, timestamp),
          })),
        })),
      }),
    )
    broker.on(findCoordinatorApi, (request, reply) => {
      const nodeId = this.coordinator
      const found = { nodeId, host: `b${nodeId}`, port: PORT }
      if (request.version < 4) reply(found)
      else {
        reply({ coordinators: request.body.coordinatorKeys.map((key) => ({ key, ...found })) })
      }
    })
    broker.on(initProducerIdApi, (_request, reply) => {
      reply({ producerId: this.#nextProducerId++, producerEpoch: 0 })
    })
  }

  #onProduce(id: number, request: SeenRequest<ProduceRequest>): Input<TopicProduceResponse>[] {
    return request.body.topicData.map((topic) => {
      const name = this.topicNamed(topic, topic.name)
      return {
        name: topic.name,
        topicId: topic.topicId,
        partitionResponses: topic.partitionData.map(({ index, records }) => {
          const state = this.topics.get(name)?.partitions[index]
          if (state?.leader !== id) {
            return { index, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1 }
          }
          return this.produce(name, index, records!)
        }),
      }
    })
  }

  #onFetch(
    id: number,
    request: SeenRequest<FetchRequest>,
  ): { readonly hasData: boolean; readonly responses: Input<FetchableTopicResponse>[] } {
    let hasData = false
    const responses = request.body.topics.map((topic) => {
      const name = this.topicNamed(topic, topic.topic)
      const partitions = topic.partitions.map(({ partition, fetchOffset }) => {
        const answer = this.#fetchPartition(id, name, partition, fetchOffset)
        hasData ||= answer.errorCode !== ErrorCode.NONE || (answer.records?.length ?? 0) > 0
        return answer
      })
      return { topic: topic.topic, topicId: topic.topicId, partitions }
    })
    return { hasData, responses }
  }

  #fetchPartition(
    id: number,
    topic: string,
    partitionIndex: number,
    offset: number,
  ): Input<FetchableTopicResponse['partitions'][number]> {
    const state = this.topics.get(topic)?.partitions[partitionIndex]
    const records = Buffer.alloc(0)
    if (state === undefined) {
      return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, records }
    }
    if (state.leader !== id) {
      return { partitionIndex, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, records }
    }
    const end = this.endOffset(topic, partitionIndex)
    if (offset < state.startOffset || offset > end) {
      return { partitionIndex, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, records }
    }
    return {
      partitionIndex,
      errorCode: ErrorCode.NONE,
      highWatermark: end,
      lastStableOffset: end,
      logStartOffset: state.startOffset,
      abortedTransactions: state.aborted,
      records: Buffer.concat(state.batches.filter((batch) => batchLastOffset(batch, 0) >= offset)),
    }
  }

  #offsetFor(
    id: number,
    topic: string,
    partition: number,
    timestamp: number,
  ): { readonly errorCode: number; readonly offset: number } {
    const state = this.topics.get(topic)?.partitions[partition]
    if (state?.leader !== id) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, offset: -1 }
    const offset = timestamp === -2 ? state.startOffset : this.endOffset(topic, partition)
    return { errorCode: ErrorCode.NONE, offset }
  }
}
