import { describe, expect, it } from 'vitest'
import { IsrUpdates } from '../../../../broker/replica/isr-updates.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type {
  AlterPartitionRequest,
  AlterPartitionResponse,
} from '../../../../src/wire/messages/56-alter-partition.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { PartitionBench } from '../../../support/replica-partition.ts'

type Done = (error: Error | null, response: AlterPartitionResponse | null) => void

interface Sent {
  readonly request: Input<AlterPartitionRequest>
  readonly done: Done
}

function setUp(): { bench: PartitionBench; updates: IsrUpdates; sent: Sent[] } {
  const bench = new PartitionBench()
  const sent: Sent[] = []
  const updates = new IsrUpdates({
    brokerId: 1,
    brokerEpoch: () => 101,
    clock: bench.world.node('broker-1').ports.clock,
    send: (request, done) => sent.push({ request, done }),
    step: (fn) => {
      fn()
      updates.flush()
    },
  })
  bench.lead({ isr: [1] })
  bench.fetched(2, 0)
  updates.submit(bench.partition, bench.lastProposal)
  updates.flush()
  return { bench, updates, sent }
}

function answer(
  bench: PartitionBench,
  change: Partial<AlterPartitionResponse['topics'][number]['partitions'][number]> = {},
): AlterPartitionResponse {
  const partition = {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    leaderId: 1,
    leaderEpoch: 1,
    isr: [1, 2],
    leaderRecoveryState: 0,
    partitionEpoch: 2,
    ...change,
  }
  const topics = [{ topicId: bench.partition.topicId, partitions: [partition] }]
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics }
}

describe('IsrUpdates', () => {
  it('asks with the broker epochs of all members and takes the answer over', () => {
    const { bench, sent } = setUp()
    expect(sent[0]!.request).toEqual({
      brokerId: 1,
      brokerEpoch: 101,
      topics: [
        {
          topicId: bench.partition.topicId,
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch: 1,
              newIsrWithEpochs: [
                { brokerId: 1, brokerEpoch: 101 },
                { brokerId: 2, brokerEpoch: 102 },
              ],
              leaderRecoveryState: 0,
              partitionEpoch: 1,
            },
          ],
        },
      ],
    })
    sent[0]!.done(null, answer(bench))
    expect([...bench.partition.leaderRole!.inSync.committed]).toEqual([1, 2])
    expect(sent).toHaveLength(1)
  })

  it('has one request in flight', () => {
    const { bench, updates, sent } = setUp()
    updates.submit(bench.partition, bench.lastProposal)
    updates.flush()
    expect(sent).toHaveLength(1)
  })

  it.each([
    ['the request is lost', new Error('lost'), null],
    ['the controller refuses the broker', null, ErrorCode.STALE_BROKER_EPOCH],
    ['the partition is not in the answer', null, ErrorCode.NONE],
  ])('asks the same again after a while when %s', (_what, error, errorCode) => {
    const { bench, sent } = setUp()
    const response = errorCode === null ? null : { throttleTimeMs: 0, errorCode, topics: [] }
    sent[0]!.done(error, response)
    expect(sent).toHaveLength(1)
    bench.world.runFor(60)
    expect(sent).toHaveLength(2)
    expect(sent[1]!.request).toEqual(sent[0]!.request)
  })

  it('asks again when the answer says that another controller is active', () => {
    const { bench, sent } = setUp()
    sent[0]!.done(null, answer(bench, { errorCode: ErrorCode.NOT_CONTROLLER }))
    bench.world.runFor(60)
    expect(sent).toHaveLength(2)
  })

  it('does not ask again for what metadata has settled meanwhile', () => {
    const { bench, sent } = setUp()
    sent[0]!.done(new Error('lost'), null)
    bench.lead({ isr: [1, 2], partitionEpoch: 2 })
    bench.world.runFor(60)
    expect(sent).toHaveLength(1)
  })

  it('is silent after it was closed', () => {
    const { bench, updates, sent } = setUp()
    updates.close()
    sent[0]!.done(null, answer(bench))
    bench.world.runFor(60)
    expect([...bench.partition.leaderRole!.inSync.committed]).toEqual([1])
    expect(sent).toHaveLength(1)
  })
})
