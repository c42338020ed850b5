import { describe, expect, it } from 'vitest'
import { FollowerFetcher } from '../../../../broker/replica/follower-fetcher.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { Connection } from '../../../../src/ports/network.ts'
import { FrameCutter } from '../../../../src/wire/frame.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../../../src/wire/messages/01-fetch.ts'
import { decodeRequestHeader, encodeResponse } from '../../../../src/wire/request.ts'
import { decodeMessage, type Input } from '../../../../src/wire/schema.ts'
import { batchOf } from '../../../support/replica-cluster.ts'
import { PartitionBench } from '../../../support/replica-partition.ts'

const BACKOFF_MS = 40
type PartitionAnswer = Input<FetchResponse['responses'][number]['partitions'][number]>

/** The leader, broker 2, as a script: it keeps requests and answers when it is told to. */
class ScriptedLeader {
  readonly requests: FetchRequest[] = []
  connections = 0
  readonly #bench: PartitionBench
  readonly #open: { connection: Connection; correlationId: number }[] = []

  constructor(bench: PartitionBench) {
    this.#bench = bench
    const { network } = bench.world.node('leader').ports
    const accept = (connection: Connection) => {
      this.connections += 1
      const cutter = new FrameCutter(1_000_000, (frame) => {
        const { apiVersion, correlationId, reader } = decodeRequestHeader(frame)
        this.requests.push(decodeMessage(fetchApi.request, apiVersion, reader))
        this.#open.push({ connection, correlationId })
      })
      return { onData: (bytes: Buffer) => cutter.push(bytes), onClose: () => {} }
    }
    network.listen({ host: 'leader', port: 9092 }, accept, () => {})
  }

  get last(): FetchRequest {
    return this.requests.at(-1)!
  }

  answer(partition: PartitionAnswer, errorCode: number = ErrorCode.NONE, sessionId = 0): void {
    const { topicId } = this.#bench.partition
    const partitions = [{ partitionIndex: 0, highWatermark: 0, logStartOffset: 0, ...partition }]
    this.reply({ errorCode, sessionId, responses: [{ topicId, partitions }] })
  }

  reply(response: Input<FetchResponse>): void {
    const { connection, correlationId } = this.#open.shift()!
    connection.write(encodeResponse(fetchApi, 17, correlationId, response))
    this.#bench.world.runFor(5)
  }

  hangUp(): void {
    this.#open.shift()!.connection.destroy()
    this.#bench.world.runFor(5)
  }
}

function setUp(address: () => { host: string; port: number } | null = () => ADDRESS) {
  const bench = new PartitionBench()
  const leader = new ScriptedLeader(bench)
  const { clock, network } = bench.world.node('broker-1').ports
  const truncated: number[] = []
  const fetcher = new FollowerFetcher({
    brokerId: 1,
    brokerEpoch: () => 101,
    leaderId: 2,
    leaderAddress: address,
    clock,
    network,
    settings: {
      waitMaxMs: 500,
      minBytes: 1,
      responseMaxBytes: 5000,
      partitionMaxBytes: 1000,
      backoffMs: BACKOFF_MS,
      requestTimeoutMs: 3000,
    },
    step: (fn) => fn(),
    onStorageFailure: (_partition, error) => {
      throw error
    },
    afterTruncation: (partition, done) => {
      truncated.push(partition.log.logEndOffset)
      done(true)
    },
  })
  bench.follow({ leaderEpoch: 3 })
  fetcher.add(bench.partition)
  fetcher.pump()
  bench.world.runFor(5)
  return { bench, leader, fetcher, truncated }
}

const ADDRESS = { host: 'leader', port: 9092 }

/** A batch as the leader of this epoch has it at this offset. */
function batchAt(offset: number, epoch: number): Buffer {
  const batch = batchOf(`v${offset}`)
  batch.writeBigInt64BE(BigInt(offset), 0)
  batch.writeInt32BE(epoch, 12)
  return batch
}

const SESSION = 77

describe('FollowerFetcher in a session', () => {
  it('tells only what has changed, and takes silence for the same again', () => {
    const { bench, leader } = setUp()
    leader.answer({ records: batchAt(0, 3), highWatermark: 1 }, ErrorCode.NONE, SESSION)
    expect(leader.last).toMatchObject({ sessionId: SESSION, sessionEpoch: 1 })
    expect(leader.last.topics[0]!.partitions[0]!.fetchOffset).toBe(1)
    expect(bench.eventsOf('replica.caught-up')).toHaveLength(0)
    leader.reply({ sessionId: SESSION, responses: [] })
    expect(leader.last).toMatchObject({ sessionId: SESSION, sessionEpoch: 2, topics: [] })
    expect(bench.eventsOf('replica.caught-up')).toHaveLength(1)
  })

  it('is not caught up by silence while the leader has more', () => {
    const { bench, leader } = setUp()
    leader.answer({ records: batchAt(0, 3), highWatermark: 2 }, ErrorCode.NONE, SESSION)
    leader.reply({ sessionId: SESSION, responses: [] })
    expect(bench.eventsOf('replica.caught-up')).toHaveLength(0)
  })

  it('asks for all at once when the leader has lost the session', () => {
    const { leader } = setUp()
    leader.answer({ highWatermark: 0 }, ErrorCode.NONE, SESSION)
    leader.reply({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
    expect(leader.last).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
    expect(leader.last.topics[0]!.partitions).toHaveLength(1)
    expect(leader.connections).toBe(1)
  })

  it('begins anew when an answer is lost', () => {
    const { bench, leader } = setUp()
    leader.answer({ highWatermark: 0 }, ErrorCode.NONE, SESSION)
    leader.hangUp()
    bench.world.runFor(BACKOFF_MS + 10)
    expect(leader.last).toMatchObject({ sessionId: SESSION, sessionEpoch: 0 })
  })

  it('asks for all again when it did not heed what is not told twice', () => {
    const { bench, leader, fetcher } = setUp()
    leader.answer({ highWatermark: 0 }, ErrorCode.NONE, SESSION)
    bench.follow({ leaderEpoch: 4, partitionEpoch: 4 })
    fetcher.add(bench.partition)
    leader.answer({ highWatermark: 5 }, ErrorCode.NONE, SESSION)
    expect(leader.last).toMatchObject({ sessionId: SESSION, sessionEpoch: 2 })
    leader.reply({ sessionId: SESSION, responses: [] })
    expect(leader.last).toMatchObject({ sessionId: SESSION, sessionEpoch: 0 })
  })

  it('lets the leader forget a partition that it does not ask for', () => {
    const { bench, leader } = setUp()
    leader.answer({ highWatermark: 0 }, ErrorCode.NONE, SESSION)
    leader.answer({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }, ErrorCode.NONE, SESSION)
    bench.world.runFor(BACKOFF_MS + 10)
    expect(leader.last.sessionEpoch).toBe(2)
  })
})

describe('FollowerFetcher', () => {
  it('asks as a follower of one leader epoch', () => {
    const { bench, leader } = setUp()
    expect(leader.requests).toHaveLength(1)
    expect(leader.last).toMatchObject({
      replicaState: { replicaId: 1, replicaEpoch: 101 },
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 5000,
      sessionId: 0,
      sessionEpoch: 0,
    })
    expect(leader.last.topics).toMatchObject([
      {
        topicId: bench.partition.topicId,
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: 3,
            fetchOffset: 0,
            lastFetchedEpoch: -1,
            logStartOffset: 0,
            partitionMaxBytes: 1000,
          },
        ],
      },
    ])
  })

  it('appends what it gets and asks for what follows at once', () => {
    const { bench, leader } = setUp()
    const records = Buffer.concat([batchAt(0, 2), batchAt(1, 3)])
    leader.answer({ records, highWatermark: 1 })
    expect(bench.partition.log.logEndOffset).toBe(2)
    expect(bench.highWatermark).toBe(1)
    expect(leader.last.topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 2,
      lastFetchedEpoch: 3,
    })
  })

  it('leaves out a batch that is cut at the end of an answer', () => {
    const { bench, leader } = setUp()
    const records = Buffer.concat([batchAt(0, 3), batchAt(1, 3).subarray(0, 40)])
    leader.answer({ records, highWatermark: 1 })
    expect(bench.partition.log.logEndOffset).toBe(1)
  })

  it('truncates where the logs part, then goes on', () => {
    const { bench, leader, truncated } = setUp()
    leader.answer({ records: Buffer.concat([batchAt(0, 2), batchAt(1, 3)]) })
    leader.answer({ divergingEpoch: { epoch: 2, endOffset: 1 } })
    expect(truncated).toEqual([1])
    expect(bench.partition.log.logEndOffset).toBe(1)
    expect(leader.last.topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 1,
      lastFetchedEpoch: 2,
    })
  })

  it.each([
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.UNKNOWN_LEADER_EPOCH,
    ErrorCode.FENCED_LEADER_EPOCH,
    ErrorCode.UNKNOWN_TOPIC_ID,
    ErrorCode.KAFKA_STORAGE_ERROR,
  ])('leaves a partition alone for a while after error %i', (errorCode) => {
    const { bench, leader } = setUp()
    leader.answer({ errorCode })
    bench.world.runFor(BACKOFF_MS - 10)
    expect(leader.requests).toHaveLength(1)
    bench.world.runFor(20)
    expect(leader.requests).toHaveLength(2)
  })

  it('asks at once in a new leader epoch, whatever it waited for', () => {
    const { bench, leader, fetcher } = setUp()
    leader.answer({ errorCode: ErrorCode.FENCED_LEADER_EPOCH })
    bench.follow({ leaderEpoch: 4, partitionEpoch: 4 })
    fetcher.add(bench.partition)
    fetcher.pump()
    bench.world.runFor(5)
    expect(leader.last.topics[0]!.partitions[0]!.currentLeaderEpoch).toBe(4)
  })

  it('takes nothing from an answer that was asked for in an older epoch', () => {
    const { bench, leader } = setUp()
    bench.follow({ leaderEpoch: 4, partitionEpoch: 4 })
    leader.answer({ records: batchAt(0, 3), highWatermark: 1 })
    expect(bench.partition.log.logEndOffset).toBe(0)
  })

  it('delays a partition whose records it cannot append', () => {
    const { bench, leader } = setUp()
    const broken = batchAt(0, 3)
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1)
    leader.answer({ records: broken, highWatermark: 1 })
    expect(bench.partition.log.logEndOffset).toBe(0)
    expect(leader.requests).toHaveLength(1)
    bench.world.runFor(BACKOFF_MS + 10)
    expect(leader.requests).toHaveLength(2)
  })

  it('connects anew after a while when the connection ends', () => {
    const { bench, leader } = setUp()
    leader.hangUp()
    bench.world.runFor(BACKOFF_MS - 10)
    expect(leader.requests).toHaveLength(1)
    bench.world.runFor(20)
    expect(leader.requests).toHaveLength(2)
    expect(leader.connections).toBe(2)
  })

  it('backs off after an error of the whole answer', () => {
    const { bench, leader } = setUp()
    leader.answer({}, ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(leader.requests).toHaveLength(1)
    bench.world.runFor(BACKOFF_MS + 10)
    expect(leader.requests).toHaveLength(2)
  })

  it('waits for an address, and looks at once when the brokers change', () => {
    let address: typeof ADDRESS | null = null
    const { bench, leader, fetcher } = setUp(() => address)
    expect(leader.requests).toHaveLength(0)
    address = ADDRESS
    fetcher.onLeaderChanged()
    bench.world.runFor(5)
    expect(leader.requests).toHaveLength(1)
  })

  it('gives up a long poll for a partition that is not in it', () => {
    const { bench, leader, fetcher } = setUp()
    bench.follow({ leaderEpoch: 4, partitionEpoch: 4 })
    fetcher.add(bench.partition)
    fetcher.pump()
    expect(leader.requests).toHaveLength(1)
    bench.world.runFor(30)
    expect(leader.requests).toHaveLength(2)
    expect(leader.connections).toBe(2)
    expect(leader.last.topics[0]!.partitions[0]!.currentLeaderEpoch).toBe(4)
  })

  it('asks for nothing more once a partition is removed or it is closed', () => {
    const { bench, leader, fetcher } = setUp()
    fetcher.remove(bench.partition.key)
    leader.answer({ records: batchAt(0, 3), highWatermark: 1 })
    bench.world.runFor(2000)
    expect(bench.partition.log.logEndOffset).toBe(0)
    expect(leader.requests).toHaveLength(1)
    fetcher.add(bench.partition)
    fetcher.close()
    fetcher.pump()
    bench.world.runFor(2000)
    expect(leader.requests).toHaveLength(1)
  })
})
