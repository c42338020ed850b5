import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { createPartitionsApi } from '../../../../src/wire/messages/37-create-partitions.ts'
import { describeTopicPartitionsApi } from '../../../../src/wire/messages/75-describe-topic-partitions.ts'
import { apis } from '../../../../src/wire/messages/index.ts'
import { scriptedAdmin } from '../../../support/scripted-admin.ts'

const ID = 'aaaaaaaaaaaaaaaaaaaaaA'

function partition(partitionIndex: number) {
  return {
    partitionIndex,
    leaderId: 1,
    leaderEpoch: 3,
    replicaNodes: [1, 2],
    isrNodes: [1],
    eligibleLeaderReplicas: [2],
    lastKnownElr: [],
  }
}

describe('Admin.topics', () => {
  it('puts together what comes in pages, and asks only for what is open', async () => {
    const { admin, done, broker } = scriptedAdmin()
    const topic = (name: string, ...indexes: readonly number[]) => ({
      name,
      topicId: ID,
      partitions: indexes.map(partition),
    })
    broker.next(
      describeTopicPartitionsApi,
      (_request, reply) =>
        reply({
          topics: [topic('a', 0), topic('b', 0)],
          nextCursor: { topicName: 'b', partitionIndex: 1 },
        }),
      (_request, reply) => reply({ topics: [topic('b', 1)], nextCursor: null }),
    )
    const described = await done(admin.topics.describe(['b', 'a', 'b'], { partitionLimit: 2 }))
    expect(described.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(described[1]!.partitions[1]).toEqual({
      partition: 1,
      leader: 1,
      leaderEpoch: 3,
      replicas: [1, 2],
      isr: [1],
      elr: [2],
      lastKnownElr: [],
    })
    const asked = broker.requests(describeTopicPartitionsApi).map(({ body }) => body)
    expect(asked[0]).toMatchObject({
      topics: [{ name: 'a' }, { name: 'b' }],
      responsePartitionLimit: 2,
    })
    expect(asked[1]).toMatchObject({
      topics: [{ name: 'b' }],
      cursor: { topicName: 'b', partitionIndex: 1 },
    })
  })

  it('asks brokers without DescribeTopicPartitions by Metadata, which knows no eligible leaders', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.advertise(
      new Map(
        apis
          .filter(({ key }) => key !== describeTopicPartitionsApi.key)
          .map(({ key, request }) => [key, request.validVersions]),
      ),
    )
    const [topic] = await done(admin.topics.describe(['t']))
    expect(topic!.partitions.map(({ elr, lastKnownElr }) => [elr, lastKnownElr])).toEqual([
      [null, null],
      [null, null],
    ])
  })

  it('rejects with the error of a topic, and does not try again', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(describeTopicPartitionsApi, (_request, reply) =>
      reply({ topics: [{ name: 'x', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] }),
    )
    await expect(done(admin.topics.describe(['x']))).rejects.toMatchObject({ errorCode: 3 })
    expect(broker.requests(describeTopicPartitionsApi)).toHaveLength(1)
  })

  it('increases the partitions of several topics, on named brokers too', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.next(
      createPartitionsApi,
      (_request, reply) => reply({ results: [{ name: 'a', errorCode: ErrorCode.NOT_CONTROLLER }] }),
      (_request, reply) =>
        reply({
          results: [
            { name: 'a' },
            { name: 'b', errorCode: ErrorCode.INVALID_PARTITIONS, errorMessage: 'no' },
          ],
        }),
    )
    const increase = admin.topics.increasePartitions([
      { topic: 'a', count: 3, assignments: [[1, 2]] },
      { topic: 'b', count: 1, assignments: null },
    ])
    await expect(done(increase)).rejects.toMatchObject({
      code: 'INVALID_PARTITIONS',
      message: 'no',
    })
    expect(broker.requests(createPartitionsApi)).toHaveLength(2)
    expect(broker.requests(createPartitionsApi)[1]!.body.topics).toMatchObject([
      { name: 'a', count: 3, assignments: [{ brokerIds: [1, 2] }] },
      { name: 'b', count: 1, assignments: null },
    ])
  })
})
