import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../../broker/config.ts'
import type { ControllerSender } from '../../../../broker/server/request-context.ts'
import { AutoTopicCreation } from '../../../../broker/server/topic-creation.ts'
import { TimeoutError } from '../../../../src/base/errors.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'

type Done = (error: Error | null, response: unknown) => void

interface Asked {
  readonly body: { topics: readonly Record<string, unknown>[]; validateOnly: boolean }
  readonly done: Done
}

class CreationWorld {
  readonly asked: Asked[] = []
  readonly events: [string, Record<string, unknown>][] = []
  readonly creation: AutoTopicCreation

  constructor(properties: Record<string, string> = {}) {
    const channel: ControllerSender = {
      send: (_api, _version, body, _timeoutMs, done) => {
        this.asked.push({ body: body as Asked['body'], done: done as Done })
      },
    }
    this.creation = new AutoTopicCreation({
      config: parseBrokerConfig({
        'node.id': '1',
        'process.roles': 'broker,controller',
        'controller.listener.names': 'CONTROLLER',
        ...properties,
      }),
      channel,
      events: { emit: (kind, fields) => void this.events.push([kind, fields]) },
      liveBrokers: () => 1,
    })
  }

  answer(errorCode: number): void {
    this.asked.at(-1)!.done(null, { topics: [{ errorCode }] })
  }
}

describe('AutoTopicCreation', () => {
  it("asks the controller for a topic with the broker's defaults", () => {
    const world = new CreationWorld({ 'num.partitions': '6', 'default.replication.factor': '2' })
    world.creation.requestTopic('t')
    const topics = [{ name: 't', numPartitions: 6, replicationFactor: 2 }]
    expect(world.asked[0]!.body).toMatchObject({ topics, validateOnly: false })
  })

  it.each([
    [
      '__transaction_state',
      50,
      [
        'unclean.leader.election.enable=false',
        'compression.type=uncompressed',
        'cleanup.policy=compact',
        'min.insync.replicas=2',
        'segment.bytes=104857600',
      ],
    ],
    [
      '__share_group_state',
      50,
      [
        'cleanup.policy=delete',
        'compression.type=producer',
        'segment.bytes=104857600',
        'min.insync.replicas=2',
        'retention.ms=-1',
      ],
    ],
    [
      '__consumer_offsets',
      50,
      ['cleanup.policy=compact', 'compression.type=producer', 'segment.bytes=104857600'],
    ],
  ])('gives %s the settings that Kafka gives it', (name, numPartitions, settings) => {
    const world = new CreationWorld()
    world.creation.requestTopic(name)
    const [topic] = world.asked[0]!.body.topics
    expect(topic).toMatchObject({ name, numPartitions, replicationFactor: 3 })
    const configs = topic!['configs'] as readonly { name: string; value: string }[]
    expect(configs.map((config) => `${config.name}=${config.value}`)).toEqual(settings)
  })

  it('asks once while a creation is under way, and again after it has ended', () => {
    const world = new CreationWorld()
    world.creation.requestTopic('t')
    world.creation.requestTopic('t')
    world.creation.requestTopic('u')
    expect(world.asked).toHaveLength(2)
    for (const { done } of world.asked) done(null, { topics: [{ errorCode: 0 }] })
    world.creation.requestTopic('t')
    expect(world.asked).toHaveLength(3)
    expect(world.events).toEqual([])
  })

  it('gives __consumer_offsets its own settings, by whatever way it was asked for', () => {
    const world = new CreationWorld({
      'offsets.topic.num.partitions': '7',
      'offsets.topic.replication.factor': '2',
      'offsets.topic.segment.bytes': '2000000',
    })
    world.creation.requestTopic('__consumer_offsets')
    world.creation.requestOffsetsTopic()
    expect(world.asked).toHaveLength(1)
    expect(world.asked[0]!.body.topics[0]).toEqual({
      name: '__consumer_offsets',
      numPartitions: 7,
      replicationFactor: 2,
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'compression.type', value: 'producer' },
        { name: 'segment.bytes', value: '2000000' },
      ],
    })
  })

  it('reports a refusal and lets the next client try again', () => {
    const world = new CreationWorld()
    world.creation.requestTopic('t')
    world.answer(ErrorCode.INVALID_REPLICATION_FACTOR)
    const fields = { topic: 't', reason: 'INVALID_REPLICATION_FACTOR', liveBrokers: 1 }
    expect(world.events).toEqual([['topic.creation-refused', fields]])
    world.creation.requestTopic('t')
    world.asked.at(-1)!.done(new TimeoutError('no controller'), null)
    expect(world.events[1]![1]['reason']).toBe('no controller')
    world.creation.requestTopic('t')
    world.answer(ErrorCode.TOPIC_ALREADY_EXISTS)
    expect(world.events).toHaveLength(2)
  })

  it('bounds the creations under way', () => {
    const world = new CreationWorld()
    for (let i = 0; i < 1500; i += 1) world.creation.requestTopic(`t${i}`)
    expect(world.asked).toHaveLength(1000)
  })
})
