import { describe, expect, it } from 'vitest'
import { describeTopicPartitionsHandler } from '../../../../broker/api/75-describe-topic-partitions.ts'
import { listConfigResourcesHandler } from '../../../../broker/api/74-list-config-resources.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { ApiWorld } from '../../../support/api-world.ts'

interface Asked {
  readonly topics?: readonly string[]
  readonly limit?: number
  readonly cursor?: readonly [string, number]
}

/** Topics `a` with three partitions and `b` with one. */
function twoTopics(properties: Readonly<Record<string, string>> = {}): ApiWorld {
  const world = new ApiWorld({ properties }).broker(1).broker(2)
  for (const [name, count] of [
    ['b', 1],
    ['a', 3],
  ] as const) {
    const topicId = `${name.repeat(21)}A`
    world.apply(metadataRecord('TopicRecord', { name, topicId }))
    for (let partitionId = count - 1; partitionId >= 0; partitionId -= 1) {
      const rest = { replicas: [1, 2], isr: [1], leader: 1, leaderEpoch: 3, partitionEpoch: 0 }
      world.apply(metadataRecord('PartitionRecord', { topicId, partitionId, ...rest }))
    }
  }
  return world
}

function ask(world: ApiWorld, { topics = [], limit = 2000, cursor }: Asked) {
  const answer = world.ask(describeTopicPartitionsHandler, 0, {
    topics: topics.map((name) => ({ name })),
    responsePartitionLimit: limit,
    cursor: cursor === undefined ? null : { topicName: cursor[0], partitionIndex: cursor[1] },
  })
  const seen = answer.topics.map(({ name, partitions }) => [
    name,
    ...partitions.map(({ partitionIndex }) => partitionIndex),
  ])
  const next = answer.nextCursor
  return { answer, seen, next: next === null ? null : [next.topicName, next.partitionIndex] }
}

describe('DescribeTopicPartitions', () => {
  it('gives the topics in the order of their names, each once, with their operations', () => {
    const { answer, seen, next } = ask(twoTopics(), { topics: ['b', 'a', 'b'] })
    expect(seen).toEqual([
      ['a', 0, 1, 2],
      ['b', 0],
    ])
    expect(next).toBeNull()
    expect(answer.topics[1]).toMatchObject({
      errorCode: ErrorCode.NONE,
      isInternal: false,
      topicAuthorizedOperations: 3576,
      partitions: [
        {
          leaderId: 1,
          leaderEpoch: 3,
          replicaNodes: [1, 2],
          isrNodes: [1],
          eligibleLeaderReplicas: [],
          lastKnownElr: [],
          offlineReplicas: [],
        },
      ],
    })
  })

  it.each([
    [{ limit: 2 }, [['a', 0, 1]], ['a', 2]],
    [{ limit: 3 }, [['a', 0, 1, 2]], ['b', 0]],
    [{ limit: 0 }, [['a', 0]], ['a', 1]],
    [
      { limit: 2, cursor: ['a', 2] as const },
      [
        ['a', 2],
        ['b', 0],
      ],
      null,
    ],
    [{ limit: 9, cursor: ['aa', 1] as const }, [['b', 0]], null],
    [{ limit: 9, cursor: ['a', 9] as const }, [['a'], ['b', 0]], null],
  ])('pages through all topics: %j', (asked, seen, next) => {
    expect(ask(twoTopics(), asked)).toMatchObject({ seen, next })
  })

  it('goes by the limit of the broker', () => {
    const world = twoTopics({ 'max.request.partition.size.limit': '1' })
    expect(ask(world, { limit: 100 })).toMatchObject({ seen: [['a', 0]], next: ['a', 1] })
  })

  it('refuses a cursor outside of what is asked for', () => {
    for (const cursor of [
      ['a', 0],
      ['b', -1],
    ] as const) {
      const { answer } = ask(twoTopics(), { topics: ['b'], cursor })
      expect(answer.topics).toMatchObject([
        { errorCode: ErrorCode.INVALID_REQUEST, name: 'b', topicAuthorizedOperations: -2147483648 },
      ])
    }
  })

  it('says which names are unknown, and which no topic can have', () => {
    const { answer } = ask(twoTopics(), { topics: ['none', 'in valid', '__consumer_offsets'] })
    expect(
      answer.topics.map(({ name, errorCode, isInternal }) => [name, errorCode, isInternal]),
    ).toEqual([
      ['__consumer_offsets', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, true],
      ['in valid', ErrorCode.INVALID_TOPIC_EXCEPTION, false],
      ['none', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, false],
    ])
  })

  it('says when nobody leads, and when the leader does not listen there', () => {
    const fenced = twoTopics().broker(1, { fenced: true })
    expect(ask(fenced, { topics: ['b'] }).answer.topics[0]!.partitions).toMatchObject([
      { errorCode: ErrorCode.LEADER_NOT_AVAILABLE, leaderId: -1, offlineReplicas: [1] },
    ])
    const elsewhere = twoTopics().broker(1, { listener: 'OTHER' })
    expect(ask(elsewhere, { topics: ['b'] }).answer.topics[0]!.partitions).toMatchObject([
      { errorCode: ErrorCode.LISTENER_NOT_FOUND, leaderId: 1, offlineReplicas: [1] },
    ])
  })
})

describe('ListConfigResources', () => {
  function configured(): ApiWorld {
    const world = twoTopics().broker(3, { fenced: true })
    for (const [resourceType, resourceName] of [
      [16, 'm'],
      [32, 'g'],
      [4, ''],
    ] as const) {
      world.apply(
        metadataRecord('ConfigRecord', { resourceType, resourceName, name: 'x', value: '1' }),
      )
    }
    return world
  }

  function listed(version: number, resourceTypes?: readonly number[]) {
    const body = resourceTypes === undefined ? {} : { resourceTypes: [...resourceTypes] }
    const { errorCode, configResources } = configured().ask(
      listConfigResourcesHandler,
      version,
      body,
    )
    expect(errorCode).toBe(ErrorCode.NONE)
    return configResources.map(
      ({ resourceType, resourceName }) => `${resourceType}:${resourceName}`,
    )
  }

  it('lists client metrics in version 0', () => {
    expect(listed(0)).toEqual(['16:m'])
  })

  it('lists all types, or those asked for, in the order that Kafka has', () => {
    const all = ['32:g', '16:m', '8:1', '8:2', '4:1', '4:2', '2:b', '2:a']
    expect(listed(1, [])).toEqual(all)
    expect(listed(1, [2, 4, 4])).toEqual(['4:1', '4:2', '2:b', '2:a'])
  })

  it('refuses a type that there is not', () => {
    const answer = configured().ask(listConfigResourcesHandler, 1, { resourceTypes: [2, 3] })
    expect(answer).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] })
  })
})
