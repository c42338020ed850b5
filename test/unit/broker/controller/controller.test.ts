import { describe, expect, it } from 'vitest'
import { AssertionError } from '../../../../src/base/assert.ts'
import { DiskError, KafketteError } from '../../../../src/base/errors.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { createTopicsApi } from '../../../../src/wire/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../../../src/wire/messages/20-delete-topics.ts'
import { createPartitionsApi } from '../../../../src/wire/messages/37-create-partitions.ts'
import { incrementalAlterConfigsApi } from '../../../../src/wire/messages/44-incremental-alter-configs.ts'
import { MetadataImage } from '../../../../broker/metadata/image.ts'
import { contentOf, ControlWorld, fullRequest } from '../../../support/control-world.ts'

const topicRequest = fullRequest(createTopicsApi, 7, {
  topics: [{ name: 't', numPartitions: 1, replicationFactor: 1 }],
})

/** Asks for the topic `t` and returns the error codes that have been answered so far. */
function askForTopic(world: ControlWorld): number[] {
  const answers: number[] = []
  world.controller.createTopics(7, topicRequest, ({ topics }) => {
    answers.push(topics?.[0]?.errorCode ?? -99)
  })
  return answers
}

describe('activation', () => {
  it('writes the feature levels of a new cluster, and once only', () => {
    const world = new ControlWorld({ features: new Map([['group.version', 1]]) })
    expect(world.log.map(({ record }) => record)).toMatchObject([
      { type: 'FeatureLevelRecord', data: { name: 'metadata.version', featureLevel: 30 } },
      { type: 'FeatureLevelRecord', data: { name: 'group.version', featureLevel: 1 } },
    ])
    world.failOver()
    expect(world.log.slice(2).map(({ record }) => record.type)).toEqual(['NoOpRecord'])
    expect(world.image.features).toEqual(
      new Map([
        ['metadata.version', 30],
        ['group.version', 1],
      ]),
    )
    expect(world.kinds().filter((kind) => kind === 'controller.activated')).toHaveLength(2)
  })

  it('lets the cluster begin at another metadata.version', () => {
    const world = new ControlWorld({ features: new Map([['metadata.version', 29]]) })
    expect(world.image.features.get('metadata.version')).toBe(29)
  })

  it('aborts a metadata transaction that was left open', () => {
    const world = new ControlWorld()
    const open = [
      metadataRecord('BeginTransactionRecord', { name: 'x' }),
      metadataRecord('FeatureLevelRecord', { name: 'half', featureLevel: 1 }),
    ]
    for (const record of open) world.log.push({ record, offset: world.lastOffset + 1, epoch: 1 })
    world.failOver()
    expect(world.batches.at(-1)?.map(({ type }) => type)).toEqual([
      'AbortTransactionRecord',
      'NoOpRecord',
    ])
    expect(world.image.features.has('half')).toBe(false)
  })

  it('gives every unfenced broker a full session time-out', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.register(3)
    world.world.runFor(8000)
    world.failOver()
    world.world.runFor(8999)
    expect(world.image.brokers.get(1)?.isFenced).toBe(false)
    world.world.runFor(1)
    expect(world.image.brokers.get(1)?.isFenced).toBe(true)
    expect(world.image.brokers.get(2)?.isFenced).toBe(true)
  })

  it('goes on with what the former controller wrote', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1, 2])
    const before = contentOf(world.image) as object
    world.failOver()
    expect(contentOf(world.image)).toEqual({
      ...before,
      lastOffset: world.lastOffset,
      lastEpoch: 2,
    })
    expect(world.heartbeat(1)).toMatchObject({ errorCode: 0, isFenced: false })
  })

  it('ends at once when the node leads no more', () => {
    const world = new ControlWorld({ isActive: false })
    world.isDeposed = true
    world.controller.activate(1, new MetadataImage())
    expect(world.controller.isActive).toBe(false)
    expect(askForTopic(world)).toEqual([ErrorCode.NOT_CONTROLLER])
  })

  it('does not come twice without a resignation', () => {
    const world = new ControlWorld()
    expect(() => {
      world.controller.activate(2, new MetadataImage())
    }).toThrow(AssertionError)
  })
})

describe('answers', () => {
  it('wait until their records are committed', () => {
    const world = new ControlWorld()
    world.start(1)
    world.isCommitting = false
    const answers = askForTopic(world)
    expect(answers).toEqual([])
    expect(world.image.topicsByName.has('t')).toBe(true)
    world.controller.onCommitted(world.lastOffset - 1)
    expect(answers).toEqual([])
    expect(world.kinds()).not.toContain('controller.topic-created')
    world.commit()
    expect(answers).toEqual([ErrorCode.NONE])
    expect(world.kinds()).toContain('controller.topic-created')
  })

  it('that write nothing wait for what they have seen', () => {
    const world = new ControlWorld()
    world.start(1)
    world.isCommitting = false
    askForTopic(world)
    const second = askForTopic(world)
    expect(second).toEqual([])
    world.commit()
    expect(second).toEqual([ErrorCode.TOPIC_ALREADY_EXISTS])
    expect(askForTopic(world)).toEqual([ErrorCode.TOPIC_ALREADY_EXISTS])
  })

  it('are NOT_CONTROLLER for everything pending at a resignation, and without an event', () => {
    const world = new ControlWorld()
    world.start(1)
    world.isCommitting = false
    const answers = askForTopic(world)
    world.controller.resign()
    expect(answers).toEqual([ErrorCode.NOT_CONTROLLER])
    world.commit()
    expect(answers).toHaveLength(1)
    expect(world.kinds()).not.toContain('controller.topic-created')
    expect(world.controller.image).toBeNull()
    world.controller.resign()
    expect(world.kinds().filter((kind) => kind === 'controller.resigned')).toHaveLength(1)
  })

  it('are NOT_CONTROLLER when the append finds that another node leads; nothing is replayed', () => {
    const world = new ControlWorld()
    world.start(1)
    const before = contentOf(world.image)
    world.isDeposed = true
    expect(askForTopic(world)).toEqual([ErrorCode.NOT_CONTROLLER])
    expect(contentOf(world.image)).toEqual(before)
  })

  it('are POLICY_VIOLATION when the batch takes more bytes than the log allows', () => {
    const world = new ControlWorld({ isActive: false })
    let isFull = false
    let offset = 0
    const controller = world.newController({
      append: (_epoch, records) => {
        if (isFull) throw new KafketteError('RECORD_LIST_TOO_LARGE', 'too large')
        offset += records.length
        return offset - 1
      },
    })
    controller.activate(1, world.replayed())
    isFull = true
    const answers: unknown[] = []
    const request = { ...topicRequest, topics: [] }
    controller.createTopics(7, request, (answer) => answers.push(answer))
    controller.onCommitted(offset)
    expect(answers).toEqual([{ topics: [] }])
    controller.registerBroker(
      {
        brokerId: 1,
        clusterId: 'a-cluster-id-of-22-cha',
        incarnationId: 'AAAAAAAAAAAAAAAAAAAAbQ',
        listeners: [],
        features: [{ name: 'metadata.version', minSupportedVersion: 1, maxSupportedVersion: 30 }],
        rack: null,
        isMigratingZkBroker: false,
        logDirs: ['AAAAAAAAAAAAAAAAAAAB0w'],
        previousBrokerEpoch: -1,
      },
      (answer) => answers.push(answer.errorCode),
    )
    expect(answers.at(-1)).toBe(ErrorCode.POLICY_VIOLATION)
  })

  it('are NOT_CONTROLLER when the disk fails, which the quorum makes known; nothing is replayed', () => {
    const world = new ControlWorld()
    world.start(1)
    const before = contentOf(world.image)
    world.appendError = new DiskError('EIO', 'no more of it')
    expect(askForTopic(world)).toEqual([ErrorCode.NOT_CONTROLLER])
    expect(contentOf(world.image)).toEqual(before)
  })

  it('are none of the timers, which a failing disk does not throw out of', () => {
    const world = new ControlWorld()
    world.start(1)
    world.appendError = new DiskError('EIO', 'no more of it')
    expect(() => world.world.runFor(20_000)).not.toThrow()
    expect(world.image.brokers.get(1)?.isFenced).toBe(false)
  })

  it('are none when the first batch of the term cannot be written: the term does not begin', () => {
    const world = new ControlWorld({ isActive: false })
    const controller = world.newController({
      append: () => {
        throw new DiskError('ENOSPC', 'full')
      },
    })
    controller.activate(1, new MetadataImage())
    expect(controller.isActive).toBe(false)
  })

  it('are none for a bug of the append', () => {
    const world = new ControlWorld({ isActive: false })
    const controller = world.newController({
      append: () => {
        throw new Error('a bug')
      },
    })
    expect(() => {
      controller.activate(1, new MetadataImage())
    }).toThrow('a bug')
  })

  it('are REQUEST_TIMED_OUT when too many wait already', () => {
    const world = new ControlWorld()
    world.start(1)
    world.isCommitting = false
    const first = askForTopic(world)
    for (let asked = 1; asked < 10_000; asked += 1) askForTopic(world)
    expect(askForTopic(world)).toEqual([ErrorCode.REQUEST_TIMED_OUT])
    world.commit()
    expect(first).toEqual([ErrorCode.NONE])
    expect(askForTopic(world)).toEqual([ErrorCode.TOPIC_ALREADY_EXISTS])
  })
})

describe('an inactive controller', () => {
  it('answers everything with NOT_CONTROLLER, in the shape of each answer', () => {
    const { controller } = new ControlWorld({ isActive: false })
    const answers: unknown[] = []
    const respond = (answer: unknown): void => {
      answers.push(answer)
    }
    const errorCode = ErrorCode.NOT_CONTROLLER
    const errorMessage = expect.any(String)
    controller.createTopics(7, topicRequest, respond)
    const deletion = { topics: [{ name: 't' }] }
    controller.deleteTopics(6, fullRequest(deleteTopicsApi, 6, deletion), respond)
    const growth = { topics: [{ name: 't', count: 2, assignments: null }] }
    controller.createPartitions(3, fullRequest(createPartitionsApi, 3, growth), respond)
    const change = { resources: [{ resourceType: 2, resourceName: 't' }] }
    controller.incrementalAlterConfigs(
      1,
      fullRequest(incrementalAlterConfigsApi, 1, change),
      respond,
    )
    controller.allocateProducerIds({ brokerId: 1, brokerEpoch: 1 }, respond)
    controller.alterPartition(3, { brokerId: 1, brokerEpoch: 1, topics: [] }, respond)
    controller.unregisterBroker({ brokerId: 1 }, respond)
    expect(answers).toMatchObject([
      { topics: [{ name: 't', errorCode, errorMessage }] },
      { responses: [{ name: 't', errorCode, errorMessage }] },
      { results: [{ name: 't', errorCode, errorMessage }] },
      { responses: [{ resourceType: 2, resourceName: 't', errorCode, errorMessage }] },
      { errorCode },
      { errorCode },
      { errorCode, errorMessage },
    ])
  })

  it('runs no timers: a resigned controller fences nobody', () => {
    const world = new ControlWorld()
    world.start(1)
    const { length } = world.log
    world.controller.resign()
    world.world.runFor(1_000_000)
    expect(world.log).toHaveLength(length)
  })
})

describe('fencing of very many partitions', () => {
  it('is written in batches of legal size', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    for (const name of ['a', 'b']) {
      world.createTopics({ topics: [{ name, numPartitions: 9_000, replicationFactor: 2 }] })
    }
    world.expire(1)
    expect(world.image.brokers.get(1)?.isFenced).toBe(true)
    expect(world.partition('a', 8_999)).toMatchObject({ leader: 2, isr: [2] })
    expect(world.partition('b', 8_999)).toMatchObject({ leader: 2, isr: [2] })
    expect(contentOf(world.replayed())).toEqual(contentOf(world.image))
  })
})
