import { describe, expect, it } from 'vitest'
import type { MetadataDelta } from '../../../../broker/metadata/delta.ts'
import { MetadataPublisher } from '../../../../broker/metadata/publisher.ts'
import { AssertionError } from '../../../../src/base/assert.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import type { MetadataRecord } from '../../../../src/wire/records/metadata.ts'
import { uuidOf } from '../../../support/control-world.ts'

class Fixture {
  readonly publisher = new MetadataPublisher()
  readonly deltas: MetadataDelta[] = []

  constructor() {
    this.publisher.subscribe((delta) => this.deltas.push(delta))
  }

  publish(...records: MetadataRecord[]): MetadataDelta {
    const baseOffset = this.publisher.image.lastOffset + 1
    const lastOffset = baseOffset + Math.max(1, records.length) - 1
    this.publisher.publish({ baseOffset, lastOffset, epoch: 2, records })
    return this.deltas.at(-1)!
  }
}

function topicRecords(name: string, number: number, count = 1): MetadataRecord[] {
  const topicId = uuidOf(0x70, number)
  const partitions = Array.from({ length: count }, (_, partitionId) =>
    metadataRecord('PartitionRecord', {
      topicId,
      partitionId,
      replicas: [1, 2],
      isr: [1, 2],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
    }),
  )
  return [metadataRecord('TopicRecord', { name, topicId }), ...partitions]
}

const removal = (number: number): MetadataRecord =>
  metadataRecord('RemoveTopicRecord', { topicId: uuidOf(0x70, number) })

describe('MetadataPublisher', () => {
  it('tells new and changed partitions once, in their newest state', () => {
    const fixture = new Fixture()
    fixture.publish(...topicRecords('a', 1, 2))
    const { changedPartitions, fromOffset, toOffset } = fixture.publish(
      metadataRecord('PartitionChangeRecord', {
        topicId: uuidOf(0x70, 1),
        partitionId: 1,
        isr: [1],
      }),
      metadataRecord('PartitionChangeRecord', {
        topicId: uuidOf(0x70, 1),
        partitionId: 1,
        isr: [1, 2],
        leader: 2,
      }),
      ...topicRecords('b', 2),
    )
    expect(changedPartitions.map(({ topic, partition }) => `${topic}-${partition}`)).toEqual([
      'a-1',
      'b-0',
    ])
    expect(changedPartitions[0]).toMatchObject({ leader: 2, leaderEpoch: 1, partitionEpoch: 2 })
    expect([fromOffset, toOffset]).toEqual([3, 6])
  })

  it('tells removed topics with their partitions, and a successor of the same name apart', () => {
    const fixture = new Fixture()
    fixture.publish(...topicRecords('a', 1, 2))
    const delta = fixture.publish(removal(1), ...topicRecords('a', 2))
    expect(delta.removedTopics.map(({ id }) => id)).toEqual([uuidOf(0x70, 1)])
    expect(delta.removedTopics[0]?.partitions.size).toBe(2)
    expect(delta.changedPartitions.map(({ topicId }) => topicId)).toEqual([uuidOf(0x70, 2)])
  })

  it('does not tell partitions of a topic that came and went', () => {
    const fixture = new Fixture()
    const delta = fixture.publish(...topicRecords('a', 1, 3), removal(1))
    expect(delta.changedPartitions).toEqual([])
    expect(fixture.publisher.image.topicsByName.size).toBe(0)
  })

  it('tells which brokers, configs and features changed', () => {
    const fixture = new Fixture()
    const config = { resourceType: 4, resourceName: '1', name: 'a', value: 'x' }
    const delta = fixture.publish(
      metadataRecord('RegisterBrokerRecord', { brokerId: 1, brokerEpoch: 0 }),
      metadataRecord('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 0, fenced: -1 }),
      metadataRecord('ConfigRecord', config),
      metadataRecord('ConfigRecord', { ...config, name: 'b' }),
      metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 30 }),
    )
    expect([...delta.changedBrokers]).toEqual([1])
    expect(delta.changedConfigs).toEqual([{ resourceType: 4, resourceName: '1' }])
    expect([...delta.changedFeatures]).toEqual(['metadata.version'])
  })

  it('moves its offset over batches without records', () => {
    const fixture = new Fixture()
    const delta = fixture.publish()
    expect(delta).toMatchObject({ changedPartitions: [], fromOffset: 0, toOffset: 0 })
    const { image } = fixture.publisher
    expect([image.lastOffset, image.lastEpoch]).toEqual([0, 2])
  })

  it('tells the changes of a metadata transaction when it ends', () => {
    const fixture = new Fixture()
    const records = topicRecords('a', 1)
    expect(
      fixture.publish(metadataRecord('BeginTransactionRecord', {}), ...records).changedPartitions,
    ).toEqual([])
    const delta = fixture.publish(metadataRecord('EndTransactionRecord', {}))
    expect(delta.changedPartitions.map(({ topic }) => topic)).toEqual(['a'])
  })

  it('refuses a batch for the second time, and to be called by its listeners', () => {
    const fixture = new Fixture()
    fixture.publish(...topicRecords('a', 1))
    const again = { baseOffset: 1, lastOffset: 1, epoch: 2, records: [] }
    expect(() => fixture.publisher.publish(again)).toThrow(AssertionError)
    fixture.publisher.subscribe(() => fixture.publish())
    expect(() => fixture.publish()).toThrow('must not publish')
  })

  it('calls listeners in order with the image already changed', () => {
    const { publisher } = new Fixture()
    const seen: string[] = []
    publisher.subscribe((_, image) => seen.push(`first ${image.topicsByName.has('a')}`))
    publisher.subscribe((_, image) => seen.push(`second ${image === publisher.image}`))
    publisher.publish({ baseOffset: 0, lastOffset: 1, epoch: 1, records: topicRecords('a', 1) })
    expect(seen).toEqual(['first true', 'second true'])
  })
})
