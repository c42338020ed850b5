import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ControlWorld, uuidOf } from '../../../support/control-world.ts'

function running(properties: Record<string, string> = {}): ControlWorld {
  const world = new ControlWorld({ properties })
  world.start(1)
  return world
}

describe('DeleteTopics', () => {
  it('deletes by name and by id, with one record each', () => {
    const world = running()
    const idA = world.createTopic('a', [1], [1])
    const idB = world.createTopic('b', [1])
    const responses = world.deleteTopics({
      topics: [
        { name: 'a', topicId: ZERO_UUID },
        { name: null, topicId: idB },
      ],
    })
    expect(responses).toEqual([
      { name: 'a', topicId: idA, errorCode: 0, errorMessage: null },
      { name: 'b', topicId: idB, errorCode: 0, errorMessage: null },
    ])
    expect(world.batches.at(-1)?.map(({ type }) => type)).toEqual([
      'RemoveTopicRecord',
      'RemoveTopicRecord',
    ])
    expect(world.image.topicsById.size).toBe(0)
    expect(world.kinds()).toContain('controller.topic-deleted')
  })

  it('deletes by name in the old versions', () => {
    const world = running()
    world.createTopic('a', [1])
    const responses = world.deleteTopics({ topicNames: ['a', 'missing'] }, 5)
    expect(responses).toMatchObject([
      { name: 'a', errorCode: 0 },
      { name: 'missing', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
  })

  it('lets a topic of the same name be created again, under another id', () => {
    const world = running()
    const first = world.createTopic('a', [1])
    world.deleteTopics({ topics: [{ name: 'a' }] })
    expect(world.createTopic('a', [1])).not.toBe(first)
  })

  it('refuses what is unknown, named twice, named in two ways or not named', () => {
    const world = running()
    const id = world.createTopic('a', [1])
    const twice = world.createTopic('b', [1])
    const responses = world.deleteTopics({
      topics: [
        { name: null, topicId: uuidOf(0x70, 404) },
        { name: 'nobody' },
        { name: null },
        { name: 'a', topicId: id },
        { name: null, topicId: twice },
        { name: 'c' },
        { name: 'c' },
        { name: 'b' },
      ],
    })
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_ID,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.NONE,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
    expect([...world.image.topicsByName.keys()]).toEqual(['a'])
  })

  it('is refused where delete.topic.enable is off', () => {
    const world = running({ 'delete.topic.enable': 'false' })
    world.createTopic('a', [1])
    const codes = [6, 3, 2].map(
      (version) =>
        world.deleteTopics(
          version > 5 ? { topics: [{ name: 'a' }] } : { topicNames: ['a'] },
          version,
        )[0]?.errorCode,
    )
    expect(codes).toEqual([
      ErrorCode.TOPIC_DELETION_DISABLED,
      ErrorCode.TOPIC_DELETION_DISABLED,
      ErrorCode.INVALID_REQUEST,
    ])
    expect(world.image.topicsByName.size).toBe(1)
  })

  it('is refused for more topics than one batch holds', () => {
    const world = running()
    const topics = Array.from({ length: 10_001 }, (_, number) => ({ name: `t${number}` }))
    expect(world.deleteTopics({ topics })[0]?.errorCode).toBe(ErrorCode.POLICY_VIOLATION)
  })
})
