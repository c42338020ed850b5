import { describe, expect, it } from 'vitest'
import { MetadataImage } from '../../../../broker/metadata/image.ts'
import { CorruptionError } from '../../../../src/base/errors.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import type { MetadataRecord } from '../../../../src/wire/records/metadata.ts'
import { contentOf, uuidOf } from '../../../support/control-world.ts'

const TOPIC_ID = uuidOf(0x70, 1)

function imageOf(...records: MetadataRecord[]): MetadataImage {
  const image = new MetadataImage()
  for (const record of records) image.apply(record)
  return image
}

function registerBroker(brokerId: number, brokerEpoch: number): MetadataRecord {
  return metadataRecord('RegisterBrokerRecord', {
    brokerId,
    brokerEpoch,
    incarnationId: uuidOf(0x1c, brokerEpoch),
    endPoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
    features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
    rack: 'r1',
    logDirs: [uuidOf(0xd1, brokerId)],
  })
}

const topic = metadataRecord('TopicRecord', { name: 'orders', topicId: TOPIC_ID })
const partition = metadataRecord('PartitionRecord', {
  partitionId: 0,
  topicId: TOPIC_ID,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 0,
  partitionEpoch: 0,
})

describe('MetadataImage', () => {
  it('begins before the first record', () => {
    const image = new MetadataImage()
    expect([image.lastOffset, image.lastEpoch, image.nextProducerId]).toEqual([-1, -1, 0])
    expect(image.partition('orders', 0)).toBeNull()
    expect(image.topicConfig('orders').size).toBe(0)
  })

  it('keeps what a broker registered with, fenced, and the offset of its registration', () => {
    const image = new MetadataImage()
    image.apply(registerBroker(7, 40), 41, 3)
    expect(image.brokers.get(7)).toEqual({
      id: 7,
      epoch: 40,
      incarnationId: uuidOf(0x1c, 40),
      isFenced: true,
      isInControlledShutdown: false,
      rack: 'r1',
      listeners: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
      logDirs: [uuidOf(0xd1, 7)],
      registrationOffset: 41,
    })
    expect([image.lastOffset, image.lastEpoch]).toEqual([41, 3])
  })

  it('replays every record that fences, unfences, changes or removes a broker', () => {
    const image = imageOf(registerBroker(1, 0))
    const steps: [
      MetadataRecord,
      Partial<{ isFenced: boolean; isInControlledShutdown: boolean }>,
    ][] = [
      [metadataRecord('UnfenceBrokerRecord', { id: 1, epoch: 0 }), { isFenced: false }],
      [metadataRecord('FenceBrokerRecord', { id: 1, epoch: 0 }), { isFenced: true }],
      [change({ fenced: -1 }), { isFenced: false, isInControlledShutdown: false }],
      [change({ inControlledShutdown: 1 }), { isFenced: false, isInControlledShutdown: true }],
      [change({ fenced: 1 }), { isFenced: true, isInControlledShutdown: true }],
    ]
    for (const [record, expected] of steps) {
      image.apply(record)
      expect(image.brokers.get(1)).toMatchObject(expected)
    }
    image.apply(metadataRecord('UnregisterBrokerRecord', { brokerId: 1, brokerEpoch: 0 }))
    expect(image.brokers.has(1)).toBe(false)
  })

  it('refuses records about brokers that are not registered, or in another epoch', () => {
    const records = [
      metadataRecord('UnregisterBrokerRecord', { brokerId: 1, brokerEpoch: 9 }),
      metadataRecord('UnfenceBrokerRecord', { id: 1, epoch: 9 }),
      metadataRecord('FenceBrokerRecord', { id: 2, epoch: 0 }),
      metadataRecord('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 9, fenced: 1 }),
    ]
    for (const record of records) {
      expect(() => imageOf(registerBroker(1, 0), record)).toThrow(CorruptionError)
    }
  })

  it('finds a topic by name and by id, with its partitions', () => {
    const image = imageOf(topic, partition)
    expect(image.topicsByName.get('orders')).toBe(image.topicsById.get(TOPIC_ID))
    expect(image.partition('orders', 0)).toMatchObject({
      topic: 'orders',
      leader: 1,
      leaderEpoch: 0,
    })
    expect(image.partition('orders', 1)).toBeNull()
  })

  it('forgets a topic with its configs', () => {
    const config = metadataRecord('ConfigRecord', {
      resourceType: 2,
      resourceName: 'orders',
      name: 'cleanup.policy',
      value: 'compact',
    })
    const image = imageOf(topic, partition, config)
    expect(image.topicConfig('orders')).toEqual(new Map([['cleanup.policy', 'compact']]))
    image.apply(metadataRecord('RemoveTopicRecord', { topicId: TOPIC_ID }))
    expect([...image.topicsByName.keys(), ...image.topicsById.keys()]).toEqual([])
    expect(image.topicConfig('orders').size).toBe(0)
  })

  it('refuses records about topics and partitions that do not exist, or exist already', () => {
    const bad = [
      [partition],
      [metadataRecord('RemoveTopicRecord', { topicId: TOPIC_ID })],
      [
        topic,
        metadataRecord('PartitionChangeRecord', { topicId: TOPIC_ID, partitionId: 0, leader: 1 }),
      ],
      [topic, topic],
    ]
    for (const records of bad) expect(() => imageOf(...records)).toThrow(CorruptionError)
  })

  it('keeps finalized features; level 0 removes one', () => {
    const feature = (featureLevel: number): MetadataRecord =>
      metadataRecord('FeatureLevelRecord', { name: 'group.version', featureLevel })
    const image = imageOf(feature(1))
    expect(image.features.get('group.version')).toBe(1)
    image.apply(feature(0))
    expect(image.features.has('group.version')).toBe(false)
  })

  it('keeps the next producer id and the controllers', () => {
    const image = imageOf(
      metadataRecord('ProducerIdsRecord', { brokerId: 1, brokerEpoch: 5, nextProducerId: 3000 }),
      metadataRecord('RegisterControllerRecord', {
        controllerId: 2,
        incarnationId: uuidOf(0x1c, 2),
        endPoints: [{ name: 'CONTROLLER', host: 'c', port: 9093, securityProtocol: 0 }],
      }),
    )
    expect(image.nextProducerId).toBe(3000)
    expect(image.controllers.get(2)?.listeners[0]?.port).toBe(9093)
    image.apply(metadataRecord('UnregisterControllerRecord', { controllerId: 2 }))
    expect(image.controllers.size).toBe(0)
  })

  it('passes over records that are not used yet and refuses unknown ones', () => {
    const image = imageOf(
      metadataRecord('NoOpRecord', {}),
      metadataRecord('ClientQuotaRecord', { key: 'producer_byte_rate', value: 1 }),
      metadataRecord('ZkMigrationStateRecord', {}),
    )
    expect(image.lastOffset).toBe(2)
    const unknown = { type: 'NewRecord', version: 0, data: {} } as unknown as MetadataRecord
    expect(() => image.apply(unknown)).toThrow('NewRecord cannot be replayed')
  })
})

describe('metadata transactions', () => {
  const begin = metadataRecord('BeginTransactionRecord', { name: 't' })
  const end = metadataRecord('EndTransactionRecord', {})
  const abort = metadataRecord('AbortTransactionRecord', { reason: 'r' })

  it('take effect together at their end', () => {
    const image = imageOf(begin, registerBroker(1, 1), topic)
    expect([image.isInTransaction, image.brokers.size, image.topicsByName.size]).toEqual([
      true,
      0,
      0,
    ])
    image.apply(end)
    expect([image.isInTransaction, image.brokers.size, image.topicsByName.size]).toEqual([
      false,
      1,
      1,
    ])
    expect(image.brokers.get(1)?.registrationOffset).toBe(1)
    expect(image.lastOffset).toBe(3)
  })

  it('take no effect when they are aborted', () => {
    const image = imageOf(begin, topic, abort)
    expect([image.isInTransaction, image.topicsByName.size]).toEqual([false, 0])
  })

  it('are copied while open', () => {
    const image = imageOf(begin, topic)
    const copy = image.clone()
    copy.apply(end)
    image.apply(abort)
    expect([copy.topicsByName.size, image.topicsByName.size]).toEqual([1, 0])
  })

  it('do not nest, and do not end without a beginning', () => {
    expect(() => imageOf(begin, begin)).toThrow(CorruptionError)
    expect(() => imageOf(end)).toThrow(CorruptionError)
    expect(() => imageOf(abort)).toThrow(CorruptionError)
  })
})

describe('clone', () => {
  it('is equal, independent, and shares the partition states', () => {
    const config = metadataRecord('ConfigRecord', {
      resourceType: 4,
      resourceName: '',
      name: 'a',
      value: '1',
    })
    const feature = metadataRecord('FeatureLevelRecord', { name: 'f', featureLevel: 1 })
    const image = imageOf(registerBroker(1, 0), topic, partition, config, feature)
    const copy = image.clone()
    expect(contentOf(copy)).toEqual(contentOf(image))
    expect(copy.partition('orders', 0)).toBe(image.partition('orders', 0))
    copy.apply(
      metadataRecord('PartitionChangeRecord', { topicId: TOPIC_ID, partitionId: 0, leader: 2 }),
    )
    copy.apply(metadataRecord('UnregisterBrokerRecord', { brokerId: 1, brokerEpoch: 0 }))
    copy.apply({ ...config, data: { ...config.data, value: null } } as MetadataRecord)
    expect(image.partition('orders', 0)?.leader).toBe(1)
    expect(image.topicsById.get(TOPIC_ID)?.partitions.get(0)?.leader).toBe(1)
    expect(image.brokers.has(1)).toBe(true)
    expect(image.configs.of(4, '').get('a')).toBe('1')
    expect(copy.configs.of(4, '').size).toBe(0)
  })
})

function change(flags: { fenced?: number; inControlledShutdown?: number }): MetadataRecord {
  return metadataRecord('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 0, ...flags })
}
