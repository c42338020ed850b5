import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Metadata } from '../../../../src/client/metadata.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { MetadataResponse } from '../../../../src/wire/messages/03-metadata.ts'
import { metadataResponse } from '../../../../src/wire/messages/03-metadata.ts'
import { decodeFromBuffer, encodeToBuffer, type Input } from '../../../../src/wire/schema.ts'

const ID_A = 'aaaaaaaaaaaaaaaaaaaaaA'
const ID_B = 'bbbbbbbbbbbbbbbbbbbbbA'

function answer(topics: Input<MetadataResponse['topics']>): MetadataResponse {
  const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, host: `b${nodeId}`, port: 9092 }))
  const body = { brokers, clusterId: 'c', controllerId: 2, topics }
  return decodeFromBuffer(metadataResponse, 12, encodeToBuffer(metadataResponse, 12, body))
}

function topic(leaderId: number, leaderEpoch: number, topicId = ID_A, name = 't') {
  return { name, topicId, partitions: [{ partitionIndex: 0, leaderId, leaderEpoch }] }
}

describe('Metadata', () => {
  it('knows brokers, topics and their ids', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 0)]), false)
    expect([...metadata.nodes.keys()]).toEqual([1, 2, 3])
    expect([metadata.clusterId, metadata.controllerId]).toEqual(['c', 2])
    expect(metadata.topicName(ID_A)).toBe('t')
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 1, leaderEpoch: 0 })
    expect([metadata.partition('t', 1), metadata.partition('x', 0)]).toEqual([null, null])
  })

  it('puts partitions in order whatever the order of the answer', () => {
    const partitions = [2, 0, 1].map((partitionIndex) => ({
      partitionIndex,
      leaderId: partitionIndex + 1,
      leaderEpoch: 0,
    }))
    const metadata = new Metadata()
    metadata.apply(answer([{ name: 't', topicId: ID_A, partitions }]), false)
    expect(metadata.topic('t')!.partitions.map(({ leader }) => leader)).toEqual([1, 2, 3])
  })

  it('does not let an older leader epoch undo a newer one', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    metadata.apply(answer([topic(2, 4)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 1, leaderEpoch: 5 })
    metadata.apply(answer([topic(-1, 5)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: -1, leaderEpoch: 5 })
    metadata.apply(answer([topic(3, 6)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 3, leaderEpoch: 6 })
  })

  it('names a topic by its id while a broker that lags denies it, and not when it was made anew', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    const denied = { name: 't', topicId: ID_A, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    metadata.apply(answer([denied]), false)
    expect([metadata.topic('t'), metadata.topicName(ID_A)]).toEqual([null, 't'])
    metadata.apply(answer([]), true)
    expect(metadata.topicName(ID_A)).toBe('t')
    metadata.apply(answer([topic(2, 0, ID_B)]), false)
    expect([metadata.topicName(ID_A), metadata.topicName(ID_B)]).toEqual([null, 't'])
  })

  it('asks no leader of an epoch that is older than one it has heard of', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    expect(metadata.updateLastSeenEpoch('t', 0, 5)).toBe(false)
    expect(metadata.updateLastSeenEpoch('t', 1, 6)).toBe(false)
    expect(metadata.updateLastSeenEpoch('t', 0, 6)).toBe(true)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: -1, leaderEpoch: 6 })
    metadata.apply(answer([topic(1, 5)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: -1, leaderEpoch: 6 })
    expect(metadata.updateLeader('t', 0, 2, 6)).toBe(true)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 2, leaderEpoch: 6 })
  })

  it('takes a lower epoch when the topic was made anew', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    metadata.apply(answer([topic(2, 0, ID_B)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 2, leaderEpoch: 0 })
    expect([metadata.topicName(ID_A), metadata.topicName(ID_B)]).toEqual([null, 't'])
  })

  it('takes anything from brokers too old to know epochs', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    metadata.apply(answer([topic(2, -1)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 2, leaderEpoch: -1 })
  })

  it('forgets a topic that is gone, but not its epochs while the id is the same', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    metadata.apply(answer([{ name: 't', topicId: ID_A, errorCode: 3, partitions: [] }]), false)
    expect([metadata.topic('t'), metadata.errorOf('t')]).toEqual([null, 3])
    metadata.apply(answer([topic(2, 4)]), false)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 1, leaderEpoch: 5 })
    expect(metadata.errorOf('t')).toBe(0)
  })

  it('keeps what it knows of a topic with another error', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    metadata.apply(answer([{ name: 't', topicId: ID_A, errorCode: 5, partitions: [] }]), false)
    expect([metadata.partition('t', 0)!.leader, metadata.errorOf('t')]).toEqual([1, 5])
  })

  it('drops topics that a full answer does not have', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 0), topic(1, 0, ID_B, 'u')]), true)
    metadata.apply(answer([topic(1, 0, ID_B, 'u')]), true)
    expect([...metadata.topics.keys()]).toEqual(['u'])
    metadata.apply(answer([topic(1, 0)]), false)
    expect([...metadata.topics.keys()].sort()).toEqual(['t', 'u'])
  })

  it('takes a leader that another answer tells only when its epoch is newer (KIP-951)', () => {
    const metadata = new Metadata()
    metadata.apply(answer([topic(1, 5)]), false)
    expect(metadata.updateLeader('t', 0, 2, 5)).toBe(false)
    expect(metadata.updateLeader('t', 0, -1, 9)).toBe(false)
    expect(metadata.updateLeader('t', 7, 2, 9)).toBe(false)
    expect(metadata.updateLeader('t', 0, 2, 6)).toBe(true)
    expect(metadata.partition('t', 0)).toMatchObject({ leader: 2, leaderEpoch: 6 })
    metadata.apply(answer([topic(1, 5)]), false)
    expect(metadata.partition('t', 0)!.leader).toBe(2)
  })

  it('never goes back in epochs, whatever brokers answer', () => {
    const step = fc.record({
      kind: fc.constantFrom('answer', 'hint', 'gone', 'full', 'bootstrap'),
      epoch: fc.nat(10),
      leader: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const metadata = new Metadata()
        let highest = -1
        for (const { kind, epoch, leader } of steps) {
          const gone = [{ name: 't', topicId: ID_A, errorCode: 3, partitions: [] }]
          if (kind === 'answer') metadata.apply(answer([topic(leader, epoch)]), false)
          else if (kind === 'hint') metadata.updateLeader('t', 0, leader, epoch)
          else if (kind === 'gone') metadata.apply(answer(gone), false)
          else if (kind === 'full') metadata.apply(answer([]), true)
          else metadata.forgetNodes()
          const known = metadata.partition('t', 0)
          if (known === null) continue
          expect(known.leaderEpoch).toBeGreaterThanOrEqual(highest)
          highest = known.leaderEpoch
        }
      }),
    )
  })
})
