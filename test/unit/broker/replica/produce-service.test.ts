import { describe, expect, it } from 'vitest'
import type { AppendPartitionResult } from '../../../../broker/replica/delayed-produce.ts'
import { ProduceService } from '../../../../broker/replica/produce-service.ts'
import { DiskError } from '../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { batchOf } from '../../../support/replica-cluster.ts'
import { PartitionBench, TOPIC } from '../../../support/replica-partition.ts'

interface SetUp {
  readonly bench: PartitionBench
  readonly service: ProduceService
  readonly failures: Error[]
  readonly send: (acks: number, topics?: readonly string[], records?: Buffer) => Answer
}

interface Answer {
  results: readonly AppendPartitionResult[] | null
  count: number
}

function setUp(minIsr = 1): SetUp {
  const bench = new PartitionBench({ minIsr })
  const failures: Error[] = []
  const service = new ProduceService({
    clock: bench.world.node('broker-1').ports.clock,
    find: (topic) =>
      topic === TOPIC
        ? { partition: bench.partition, error: ErrorCode.NONE }
        : { partition: null, error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    onStorageFailure: (_partition, error) => failures.push(error),
  })
  return {
    bench,
    service,
    failures,
    send(acks, topics = [TOPIC], records = batchOf('v')) {
      const holder: Answer = { results: null, count: 0 }
      service.append({
        requiredAcks: acks,
        timeoutMs: 1000,
        origin: 'client',
        entries: topics.map((topic) => ({ topic, topicId: ZERO_UUID, partition: 0, records })),
        respond: (results) => {
          holder.results = results
          holder.count += 1
        },
      })
      return holder
    },
  }
}

describe('ProduceService', () => {
  it('answers acks 0 and 1 after the local append', () => {
    const { bench, send } = setUp()
    bench.lead()
    expect(send(1).results).toMatchObject([
      { topic: TOPIC, error: 0, baseOffset: 0, logAppendTimeMs: -1, logStartOffset: 0 },
    ])
    expect(send(0).results).toMatchObject([{ error: 0, baseOffset: 1 }])
  })

  it('answers acks=all when the high watermark has passed the records', () => {
    const { bench, service, send } = setUp()
    bench.lead()
    const answer = send(-1)
    bench.fetched(2, 1)
    service.check(bench.partition.key)
    expect(answer.count).toBe(0)
    bench.fetched(3, 1)
    service.check(bench.partition.key)
    expect(answer.results).toMatchObject([{ error: 0, baseOffset: 0 }])
    bench.world.runFor(5000)
    expect(answer.count).toBe(1)
    expect(service.waitingCount).toBe(0)
  })

  it('answers with a time-out and leaves the record where it is', () => {
    const { bench, send } = setUp()
    bench.lead()
    const answer = send(-1)
    bench.world.runFor(999)
    expect(answer.count).toBe(0)
    bench.world.runFor(2)
    expect(answer.results).toMatchObject([{ error: ErrorCode.REQUEST_TIMED_OUT, baseOffset: 0 }])
    expect(bench.partition.log.logEndOffset).toBe(1)
  })

  it('answers that it leads no longer as soon as it does not', () => {
    const { bench, service, send } = setUp()
    bench.lead()
    const answer = send(-1)
    bench.follow({ leaderEpoch: 2, partitionEpoch: 2 })
    service.check(bench.partition.key)
    expect(answer.results).toMatchObject([
      {
        error: ErrorCode.NOT_LEADER_OR_FOLLOWER,
        currentLeader: { leaderId: 2, leaderEpoch: 2 },
      },
    ])
  })

  it('refuses with 19 and appends nothing, or answers 20, when too few are in sync', () => {
    const { bench, service, send } = setUp(2)
    bench.lead({ isr: [1, 2] })
    const answer = send(-1)
    bench.fetched(2, 1)
    bench.lead({ isr: [1], partitionEpoch: 2 })
    service.check(bench.partition.key)
    expect(answer.results).toMatchObject([{ error: ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND }])
    expect(send(-1).results).toMatchObject([
      { error: ErrorCode.NOT_ENOUGH_REPLICAS, baseOffset: -1 },
    ])
    expect(bench.partition.log.logEndOffset).toBe(1)
  })

  it('waits for the good partitions of a request and tells the errors of the others', () => {
    const { bench, service, send } = setUp()
    bench.lead()
    const answer = send(-1, ['nothing', TOPIC])
    expect(answer.count).toBe(0)
    bench.fetched(2, 1)
    bench.fetched(3, 1)
    service.check(bench.partition.key)
    expect(answer.results).toMatchObject([
      { topic: 'nothing', error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, baseOffset: -1 },
      { topic: TOPIC, error: ErrorCode.NONE },
    ])
    expect(send(-1, ['nothing']).count).toBe(1)
  })

  it.each([2, -2, 5])('refuses acks %i', (acks) => {
    const { bench, send } = setUp()
    bench.lead()
    expect(send(acks).results).toMatchObject([{ error: ErrorCode.INVALID_REQUIRED_ACKS }])
    expect(bench.partition.log.logEndOffset).toBe(0)
  })

  it('passes on what the log says against a batch', () => {
    const { bench, send } = setUp()
    bench.lead()
    const broken = batchOf('v')
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1)
    expect(send(-1, [TOPIC], broken).results).toMatchObject([{ error: ErrorCode.CORRUPT_MESSAGE }])
  })

  it('reports a disk that refuses, and answers with a storage error', () => {
    const { bench, failures, send } = setUp()
    bench.lead()
    bench.partition.log.appendAsLeader = () => {
      throw new DiskError('EIO', 'no')
    }
    expect(send(1).results).toMatchObject([{ error: ErrorCode.KAFKA_STORAGE_ERROR }])
    expect(failures).toHaveLength(1)
  })

  it('sends all that waits away when it closes', () => {
    const { bench, service, send } = setUp()
    bench.lead()
    const answer = send(-1)
    service.close()
    expect(answer.results).toMatchObject([{ error: ErrorCode.NOT_LEADER_OR_FOLLOWER }])
  })
})

describe('ProduceService for coordinators', () => {
  it('tells when an offset is committed in the epoch it was written in', () => {
    const { bench, service } = setUp()
    bench.lead()
    const errors: number[] = []
    const { lastOffset } = service.appendAsCoordinator(bench.partition, batchOf('v'))
    service.whenCommitted(bench.partition, lastOffset, 1, 1000, (error) => errors.push(error))
    bench.fetched(2, 1)
    bench.fetched(3, 1)
    service.check(bench.partition.key)
    expect(errors).toEqual([ErrorCode.NONE])
    service.whenCommitted(bench.partition, lastOffset, 1, 1000, (error) => errors.push(error))
    expect(errors).toEqual([ErrorCode.NONE, ErrorCode.NONE])
  })

  it('tells when the epoch has ended, or the time', () => {
    const { bench, service } = setUp()
    bench.lead()
    const errors: number[] = []
    service.whenCommitted(bench.partition, 0, 1, 1000, (error) => errors.push(error))
    bench.world.runFor(1001)
    expect(errors).toEqual([ErrorCode.REQUEST_TIMED_OUT])
    service.whenCommitted(bench.partition, 0, 1, 1000, (error) => errors.push(error))
    bench.lead({ leaderEpoch: 2, partitionEpoch: 2 })
    service.check(bench.partition.key)
    expect(errors).toEqual([ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NOT_LEADER_OR_FOLLOWER])
    service.whenCommitted(bench.partition, 0, 1, 1000, (error) => errors.push(error))
    expect(errors).toHaveLength(3)
  })

  it('refuses a batch while too few are in sync', () => {
    const { bench, service } = setUp(2)
    bench.lead({ isr: [1] })
    expect(service.appendAsCoordinator(bench.partition, batchOf('v'))).toEqual({
      error: ErrorCode.NOT_ENOUGH_REPLICAS,
      lastOffset: -1,
    })
  })
})
