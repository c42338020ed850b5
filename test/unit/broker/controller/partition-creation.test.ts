import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  createPartitionsApi,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from '../../../../src/wire/messages/37-create-partitions.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { answerOf, ControlWorld, fullRequest } from '../../../support/control-world.ts'

function createPartitions(world: ControlWorld, given: Input<CreatePartitionsRequest>) {
  const request = fullRequest(createPartitionsApi, 3, given)
  const { results } = answerOf<CreatePartitionsResponse>((respond) => {
    world.controller.createPartitions(3, request, respond)
  })
  return results!
}

function running(): ControlWorld {
  const world = new ControlWorld()
  world.start(1, 2, 3)
  world.createTopic('t', [1, 2], [2, 3])
  return world
}

const assigned = (...replicas: number[][]) => replicas.map((brokerIds) => ({ brokerIds }))

describe('CreatePartitions', () => {
  it('adds partitions at the replication factor of the topic', () => {
    const world = running()
    const results = createPartitions(world, {
      topics: [{ name: 't', count: 4, assignments: null }],
    })
    expect(results).toEqual([{ name: 't', errorCode: 0, errorMessage: null }])
    expect([...world.image.topicsByName.get('t')!.partitions.keys()]).toEqual([0, 1, 2, 3])
    expect(world.partition('t', 3).replicas).toHaveLength(2)
    expect(world.partition('t', 3).leader).toBe(world.partition('t', 3).replicas[0])
  })

  it('takes assignments of the new partitions', () => {
    const world = running()
    const topics = [{ name: 't', count: 4, assignments: assigned([3, 1], [1, 3]) }]
    expect(createPartitions(world, { topics })[0]?.errorCode).toBe(ErrorCode.NONE)
    expect(world.partition('t', 2).replicas).toEqual([3, 1])
    expect(world.partition('t', 3).replicas).toEqual([1, 3])
  })

  it('refuses a count that does not grow and assignments that do not fit', () => {
    const world = running()
    world.expire(3)
    const cases: [number, number[][] | null, number][] = [
      [2, null, ErrorCode.INVALID_PARTITIONS],
      [1, null, ErrorCode.INVALID_PARTITIONS],
      [-1, null, ErrorCode.INVALID_PARTITIONS],
      [20_000, null, ErrorCode.POLICY_VIOLATION],
      [4, [[1, 2]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
      [3, [[1]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
      [3, [[1, 9]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
      [3, [[1, 1]], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    ]
    for (const [count, replicas, error] of cases) {
      const assignments = replicas === null ? null : assigned(...replicas)
      const [result] = createPartitions(world, { topics: [{ name: 't', count, assignments }] })
      expect(result?.errorCode).toBe(error)
    }
    expect(world.image.topicsByName.get('t')?.partitions.size).toBe(2)
  })

  it('refuses replicas that are all fenced', () => {
    const world = running()
    world.createTopic('single', [1])
    world.expire(3)
    const topics = [{ name: 'single', count: 2, assignments: assigned([3]) }]
    expect(createPartitions(world, { topics })[0]?.errorCode).toBe(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    )
    world.expire(1, 2)
    expect(
      createPartitions(world, { topics: [{ name: 'single', count: 2, assignments: null }] })[0]
        ?.errorCode,
    ).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
  })

  it('refuses unknown and repeated topics, and validates without a change', () => {
    const world = running()
    const { length } = world.log
    const topic = { name: 't', count: 3, assignments: null }
    const results = createPartitions(world, { topics: [topic, topic, { ...topic, name: 'x' }] })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(createPartitions(world, { topics: [topic], validateOnly: true })[0]?.errorCode).toBe(0)
    expect(world.log).toHaveLength(length)
  })
})
