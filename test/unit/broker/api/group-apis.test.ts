// What the handlers add to the group coordinator: operations that are allowed, and partitions that do not exist.
import { describe, expect, it } from 'vitest'
import { offsetCommitHandler } from '../../../../broker/api/08-offset-commit.ts'
import { describeGroupsHandler } from '../../../../broker/api/15-describe-groups.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld, TOPIC_ID } from '../../../support/api-world.ts'

type Commit = Parameters<typeof offsetCommitHandler.handle>[1]

/** A coordinator that takes every offset it is given, and tells which. */
class Committed {
  readonly seen: [topic: string, partition: number][] = []
  readonly world = new ApiWorld({
    services: {
      groups: {
        offsetCommit: (version: number, { topics }: Commit, respond: (answer: unknown) => void) => {
          for (const { name, topicId, partitions } of topics) {
            const topic = version >= 10 ? topicId : name
            for (const { partitionIndex } of partitions) this.seen.push([topic, partitionIndex])
          }
          const answers = topics.map(({ name, topicId, partitions }) => ({
            name,
            topicId,
            partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
          }))
          respond({ topics: answers })
        },
      } as never,
    },
  })
    .broker(1)
    .topic('t', 1, [1])
}

const offsets = (...indexes: number[]) =>
  indexes.map((partitionIndex) => ({ partitionIndex, committedOffset: 5 }))

describe('OffsetCommit', () => {
  it.each([2, 5, 9, 10])(
    'v%i refuses a partition that does not exist, and only that',
    (version) => {
      const { world, seen } = new Committed()
      const topic = version >= 10 ? { topicId: TOPIC_ID } : { name: 't' }
      const body = { groupId: 'g', topics: [{ ...topic, partitions: offsets(0, 9) }] }
      const { topics } = world.ask(offsetCommitHandler, version, body)
      expect(topics).toHaveLength(1)
      expect(topics[0]!.partitions).toEqual([
        { partitionIndex: 9, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
        { partitionIndex: 0, errorCode: ErrorCode.NONE },
      ])
      expect(seen).toEqual([[version >= 10 ? TOPIC_ID : 't', 0]])
    },
  )

  it('does not ask the coordinator when no partition exists', () => {
    const { world, seen } = new Committed()
    const body = { groupId: 'g', topics: [{ name: 't', partitions: offsets(4) }] }
    const { topics } = world.ask(offsetCommitHandler, 9, body)
    expect(topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(seen).toEqual([])
  })

  it('leaves topics that do not exist to the coordinator', () => {
    const { world, seen } = new Committed()
    const topics = [
      { name: 'nope', partitions: offsets(3) },
      { name: 't', partitions: offsets(0) },
    ]
    world.ask(offsetCommitHandler, 9, { groupId: 'g', topics })
    expect(seen).toEqual([
      ['nope', 3],
      ['t', 0],
    ])
  })
})

describe('DescribeGroups', () => {
  const groups = [
    { groupId: 'a', errorCode: ErrorCode.NONE, groupState: 'Empty' },
    { groupId: 'b', errorCode: ErrorCode.NOT_COORDINATOR },
  ]
  const coordinator = {
    describeGroups: (_version: number, _request: unknown, respond: (answer: unknown) => void) =>
      respond({ groups }),
  }
  const operations = (includeAuthorizedOperations: boolean): number[] => {
    const world = new ApiWorld({ services: { groups: coordinator as never } })
    const body = { groups: ['a', 'b'], includeAuthorizedOperations }
    const answer = world.ask(describeGroupsHandler, 5, body)
    return answer.groups.map(({ authorizedOperations }) => authorizedOperations)
  }

  it('tells the operations that are allowed, all of them, when asked', () => {
    expect(operations(true)).toEqual([3400, -2_147_483_648])
    expect(operations(false)).toEqual([-2_147_483_648, -2_147_483_648])
  })
})
