import { describe, expect, it } from 'vitest'
import { metadataHandler } from '../../../../broker/api/03-metadata.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld, CLUSTER, TOPIC_ID } from '../../../support/api-world.ts'

const ALL_VERSIONS = Array.from({ length: 14 }, (_, version) => version)
const NOT_ASKED = -2_147_483_648

const cluster = (): ApiWorld =>
  new ApiWorld().broker(2).broker(1).broker(3, { fenced: true }).topic('t', 1, [1, 2, 3])

describe('Metadata', () => {
  it.each(ALL_VERSIONS)('v%i describes brokers that are alive and a topic by name', (version) => {
    const answer = cluster().ask(metadataHandler, version, { topics: [{ name: 't' }] })
    expect(answer.brokers.map(({ nodeId, host, port }) => [nodeId, host, port])).toEqual([
      [1, 'b1', 9001],
      [2, 'b2', 9002],
    ])
    const [topic] = answer.topics
    expect(topic).toMatchObject({ errorCode: 0, name: 't' })
    expect(topic!.partitions[0]).toMatchObject({ errorCode: 0, leaderId: 1, isrNodes: [1, 2, 3] })
    expect(topic!.partitions[0]!.offlineReplicas).toEqual(version >= 5 ? [3] : [])
    expect(topic!.partitions[0]!.leaderEpoch).toBe(version >= 7 ? 4 : -1)
    expect(topic!.topicId).toBe(version >= 10 ? TOPIC_ID : ZERO_UUID)
    expect(answer.clusterId).toBe(version >= 2 ? CLUSTER : null)
    expect(version >= 1 ? [1, 2] : [-1]).toContain(answer.controllerId)
  })

  it('takes null for all topics, and an empty list for all in version 0 and for none later', () => {
    expect(cluster().ask(metadataHandler, 0, { topics: [] }).topics).toHaveLength(1)
    expect(cluster().ask(metadataHandler, 1, { topics: [] }).topics).toEqual([])
    expect(cluster().ask(metadataHandler, 12, { topics: null }).topics).toHaveLength(1)
  })

  it.each(['', '.', '..', 'a/b', 'x'.repeat(250), 'ä'])('refuses the illegal name "%s"', (name) => {
    const world = cluster()
    const { topics } = world.ask(metadataHandler, 12, { topics: [{ name }] })
    expect(topics[0]).toMatchObject({
      errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION,
      name,
      topicId: ZERO_UUID,
      partitions: [],
    })
    expect(world.requestedTopics).toEqual([])
  })

  it.each([
    [3, true, 'true', true],
    [4, true, 'true', true],
    [4, false, 'true', false],
    [12, true, 'false', false],
    [3, true, 'false', false],
  ])(
    'v%i with allowAutoTopicCreation %s and auto.create.topics.enable %s creates: %s',
    (version, allowAutoTopicCreation, enabled, creates) => {
      const world = new ApiWorld({ properties: { 'auto.create.topics.enable': enabled } }).broker(1)
      const body = { topics: [{ name: 'new' }], allowAutoTopicCreation }
      const { topics } = world.ask(metadataHandler, version, body)
      expect(topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      expect(world.requestedTopics).toEqual(creates ? ['new'] : [])
    },
  )

  it('finds topics by id from version 12 on', () => {
    const other = 'OtherIdAAAAAAAAAAAAAAA'
    const topics = [
      { name: null, topicId: TOPIC_ID },
      { name: null, topicId: other },
    ]
    const answer = cluster().ask(metadataHandler, 12, { topics })
    expect(answer.topics).toMatchObject([
      { errorCode: 0, name: 't', topicId: TOPIC_ID },
      { errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null, topicId: other },
    ])
  })

  it('refuses ids in versions 10 and 11, which have the field but not the meaning', () => {
    const topics = [{ name: 't', topicId: TOPIC_ID }]
    for (const version of [10, 11]) {
      const answer = cluster().ask(metadataHandler, version, { topics })
      expect(answer.brokers).toEqual([])
      expect(answer.topics[0]).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST, name: 't' })
    }
  })

  it('refuses a topic with neither name nor id', () => {
    const answer = cluster().ask(metadataHandler, 13, { topics: [{ name: null }] })
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(answer.topics[0]).toMatchObject({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, name: '' })
  })

  it('tells the operations that are allowed, all of them, when asked', () => {
    const topics = [{ name: 't' }]
    const plain = cluster().ask(metadataHandler, 10, { topics })
    expect(plain.clusterAuthorizedOperations).toBe(NOT_ASKED)
    expect(plain.topics[0]!.topicAuthorizedOperations).toBe(NOT_ASKED)
    const asked = cluster().ask(metadataHandler, 10, {
      topics,
      includeTopicAuthorizedOperations: true,
      includeClusterAuthorizedOperations: true,
    })
    expect(asked.clusterAuthorizedOperations).toBe(8096)
    expect(asked.topics[0]!.topicAuthorizedOperations).toBe(3576)
  })

  it('shows a partition without a living leader as one without a leader', () => {
    const world = new ApiWorld().broker(1).broker(3, { fenced: true }).topic('t', 3, [3, 1])
    const { topics } = world.ask(metadataHandler, 12, { topics: null })
    expect(topics[0]!.partitions[0]).toMatchObject({
      errorCode: ErrorCode.LEADER_NOT_AVAILABLE,
      leaderId: -1,
    })
  })

  it('names a listener that the leader lacks: LISTENER_NOT_FOUND, LEADER_NOT_AVAILABLE before v6', () => {
    const world = new ApiWorld().broker(1).broker(2, { listener: 'OTHER' }).topic('t', 2, [2])
    const errorOf = (version: number): number =>
      world.ask(metadataHandler, version, { topics: [{ name: 't' }] }).topics[0]!.partitions[0]!
        .errorCode
    expect(errorOf(6)).toBe(ErrorCode.LISTENER_NOT_FOUND)
    expect(errorOf(5)).toBe(ErrorCode.LEADER_NOT_AVAILABLE)
  })
})
