import { describe, expect, it } from 'vitest'
import { writeTxnMarkersHandler } from '../../../../broker/api/27-write-txn-markers.ts'
import { describeProducersHandler } from '../../../../broker/api/61-describe-producers.ts'
import type { TransactionEnd } from '../../../../broker/coordinator/outcome.ts'
import type { GroupCoordinator } from '../../../../broker/group/group-coordinator.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import { ApiWorld } from '../../../support/api-world.ts'
import { ReplicaCluster } from '../../../support/replica-cluster.ts'

const OFFSETS = '__consumer_offsets'

/** One broker with `orders` (two partitions) and a partition of the offsets topic, and a group coordinator by script. */
class World {
  readonly cluster = new ReplicaCluster({
    seed: 4,
    brokers: 1,
    properties: { 'transaction.partition.verification.enable': 'false' },
  })
  readonly ended: [number, TransactionEnd][] = []
  groupError: ErrorCode = ErrorCode.NONE
  readonly #api: ApiWorld

  constructor() {
    this.cluster.start()
    this.cluster.controller.createTopic('orders', [[1], [1]])
    this.cluster.controller.createTopic(OFFSETS, [[1]])
    this.cluster.world.runFor(50)
    const groups: Pick<GroupCoordinator, 'endTransaction'> = {
      endTransaction: (partition, end, done) => {
        this.ended.push([partition, end])
        done(this.groupError)
      },
    }
    const { clock } = this.cluster.world.node('broker-1').ports
    const replicas = this.cluster.broker(1).manager
    const { image } = this.cluster.broker(1).publisher
    const services = { replicas, clock, groups: groups as never, image: () => image }
    this.#api = new ApiWorld({ services })
  }

  log(partition = 0) {
    return this.cluster.partition(1, 'orders', partition).log
  }

  produce(producerId: number, producerEpoch = 0, partition = 0): void {
    const records = writeBatch({
      records: [{ key: null, value: Buffer.from('v') }],
      timestampMs: 1_700_000_000_000,
      producerId,
      producerEpoch,
      baseSequence: 0,
      isTransactional: true,
    })
    this.cluster.broker(1).manager.append({
      requiredAcks: -1,
      timeoutMs: 1000,
      origin: 'client',
      entries: [{ topic: 'orders', topicId: ZERO_UUID, partition, records }],
      respond: ([result]) => expect(result!.error).toBe(ErrorCode.NONE),
    })
  }

  /** Errors by partition of the topics that one marker is for. */
  end(
    marker: {
      readonly producerId?: number
      readonly epoch?: number
      readonly isCommit?: boolean
      readonly coordinatorEpoch?: number
      readonly transactionVersion?: number
    } = {},
    topics: readonly { name: string; partitionIndexes: number[] }[] = [
      { name: 'orders', partitionIndexes: [0] },
    ],
    version = 2,
  ) {
    const { producerId = 7, epoch = 0, isCommit = true, coordinatorEpoch = 0 } = marker
    const own = {
      producerId,
      producerEpoch: epoch,
      transactionResult: isCommit,
      coordinatorEpoch,
      topics,
      ...(version >= 2 && { transactionVersion: marker.transactionVersion ?? 0 }),
    }
    const { markers } = this.#api.ask(writeTxnMarkersHandler, version, { markers: [own] })
    expect(markers.map((each) => each.producerId)).toEqual([producerId])
    return markers[0]!.topics.map(({ name, partitions }) => [
      name,
      ...partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
    ])
  }

  producers(topic: string, partitionIndexes: number[]) {
    const { topics } = this.#api.ask(describeProducersHandler, 0, {
      topics: [{ name: topic, partitionIndexes }],
    })
    return topics[0]!.partitions
  }
}

describe('WriteTxnMarkers', () => {
  it.each([1, 2])('v%i ends transactions, partition by partition', (version) => {
    const world = new World()
    world.produce(7)
    world.produce(7, 0, 1)
    const topics = [
      { name: 'orders', partitionIndexes: [0, 1, 9] },
      { name: 'gone', partitionIndexes: [0] },
    ]
    expect(world.end({}, topics, version)).toEqual([
      ['orders', [0, ErrorCode.NONE], [1, ErrorCode.NONE], [9, 3]],
      ['gone', [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]],
    ])
    expect([world.log(0).lastStableOffset, world.log(1).lastStableOffset]).toEqual([2, 2])
  })

  it('notes what was aborted', () => {
    const world = new World()
    world.produce(7)
    world.end({ isCommit: false })
    expect(world.log().abortedTransactions(0, 1)).toMatchObject([{ producerId: 7, lastOffset: 1 }])
  })

  it('fences old coordinators and old epochs', () => {
    const world = new World()
    world.produce(7, 3)
    const of = (marker: Parameters<World['end']>[0]) => world.end(marker)[0]![1]
    expect(of({ epoch: 2 })).toEqual([0, ErrorCode.INVALID_PRODUCER_EPOCH])
    expect(of({ epoch: 3, transactionVersion: 2 })).toEqual([0, ErrorCode.INVALID_PRODUCER_EPOCH])
    expect(of({ epoch: 4, transactionVersion: 2, coordinatorEpoch: 5 })).toEqual([0, 0])
    expect(of({ epoch: 4, coordinatorEpoch: 4 })).toEqual([
      0,
      ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    ])
  })

  it('has the group coordinator end what concerns offsets', () => {
    const world = new World()
    const topics = [{ name: OFFSETS, partitionIndexes: [0] }]
    const marker = { epoch: 4, isCommit: false, coordinatorEpoch: 2, transactionVersion: 2 }
    expect(world.end(marker, topics)).toEqual([[OFFSETS, [0, ErrorCode.NONE]]])
    const end = { producerId: 7, producerEpoch: 4, isCommit: false, coordinatorEpoch: 2 }
    expect(world.ended).toEqual([[0, { ...end, transactionVersion: 2 }]])
  })

  it.each([
    [ErrorCode.NOT_COORDINATOR, ErrorCode.NOT_LEADER_OR_FOLLOWER],
    [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_LEADER_OR_FOLLOWER],
    [ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.INVALID_PRODUCER_EPOCH],
  ])('tells error %i of the group coordinator as %i', (error, shown) => {
    const world = new World()
    world.groupError = error
    const topics = [{ name: OFFSETS, partitionIndexes: [0] }]
    expect(world.end({}, topics)).toEqual([[OFFSETS, [0, shown]]])
  })

  it('answers a request without markers', () => {
    const { cluster } = new World()
    const replicas = cluster.broker(1).manager
    const api = new ApiWorld({ services: { replicas } })
    expect(api.ask(writeTxnMarkersHandler, 1, { markers: [] }).markers).toEqual([])
  })
})

describe('DescribeProducers', () => {
  it('shows what a partition knows, and where an open transaction began', () => {
    const world = new World()
    world.produce(6)
    world.end({ producerId: 6, coordinatorEpoch: 3 })
    world.produce(7)
    const [described, missing] = world.producers('orders', [0, 9])
    expect(described!.activeProducers).toEqual([
      {
        producerId: 6,
        producerEpoch: 0,
        lastSequence: 0,
        lastTimestamp: expect.any(Number),
        coordinatorEpoch: 3,
        currentTxnStartOffset: -1,
      },
      {
        producerId: 7,
        producerEpoch: 0,
        lastSequence: 0,
        lastTimestamp: 1_700_000_000_000,
        coordinatorEpoch: -1,
        currentTxnStartOffset: 2,
      },
    ])
    expect(missing!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(missing!.errorMessage).toBeNull()
    expect(world.producers('gone', [0])[0]).toMatchObject({
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: 'This server does not host this topic-partition.',
    })
  })
})
