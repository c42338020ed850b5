import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeGroupRecord,
  groupMetadataRecord,
  groupTombstone,
  offsetCommitRecord,
  offsetTombstone,
} from '../../../../broker/group/records.ts'
import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../../src/wire/coordinator-record.ts'
import {
  consumerGroupMetadataKey,
  groupMetadataKey,
  groupMetadataValue,
  legacyOffsetCommitKey,
  offsetCommitKey,
  offsetCommitValue,
} from '../../../../src/wire/records/group-coordinator.ts'
import { WireError } from '../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { FOO_ID } from '../../../support/group-world.ts'

const KEY = { group: 'g', topic: 'foo', partition: 3 }

describe('records of __consumer_offsets', () => {
  it('have the bytes that Kafka 4.3 writes', () => {
    const offset = offsetCommitRecord(KEY, {
      offset: 5,
      leaderEpoch: 2,
      metadata: 'm',
      commitTimestamp: 1,
    })
    const hexOf = (...fields: string[]): string => fields.join('')
    expect(offset.key.toString('hex')).toBe(hexOf('0001', '000167', '0003666f6f', '00000003'))
    expect(offset.value?.toString('hex')).toBe(
      hexOf('0004', '0000000000000005', '00000002', '026d', '0000000000000001', '00'),
    )
    const group = groupMetadataRecord('g', {
      protocol: null,
      leader: null,
      currentStateTimestamp: 1,
    })
    expect(group.key.toString('hex')).toBe(hexOf('0002', '000167'))
    expect(group.value?.toString('hex')).toBe(
      hexOf('0003', '0000', '00000000', 'ffff', 'ffff', '0000000000000001', '00000000'),
    )
  })

  it('carry the topic id when it is known', () => {
    const { key, value } = offsetCommitRecord(KEY, { offset: 5, topicId: FOO_ID })
    expect(decodeGroupRecord({ key, value })).toMatchObject({ value: { topicId: FOO_ID } })
  })

  it('are tombstones without a value', () => {
    expect(decodeGroupRecord(groupTombstone('g'))).toEqual({
      kind: 'group',
      groupId: 'g',
      value: null,
    })
    expect(decodeGroupRecord(offsetTombstone(KEY))).toEqual({
      kind: 'offset',
      groupId: 'g',
      topic: 'foo',
      partition: 3,
      value: null,
    })
  })

  it.each([0, 1, 2, 3, 4])(
    'are read in version %i of an offset, under the old key too',
    (version) => {
      const value = encodeCoordinatorValue(offsetCommitValue, version, {
        offset: 9,
        metadata: 'm',
        commitTimestamp: 4,
      })
      for (const schema of [offsetCommitKey, legacyOffsetCommitKey]) {
        const record = decodeGroupRecord({ key: encodeCoordinatorKey(schema, KEY), value })
        expect(record).toEqual({
          kind: 'offset',
          groupId: 'g',
          topic: 'foo',
          partition: 3,
          value: {
            offset: 9,
            leaderEpoch: -1,
            metadata: 'm',
            commitTimestamp: 4,
            expireTimestamp: -1,
            topicId: ZERO_UUID,
          },
        })
      }
    },
  )

  it.each([0, 1, 2, 3, 4])('are read in version %i of a group', (version) => {
    const value = encodeCoordinatorValue(groupMetadataValue, version, {
      protocolType: 'consumer',
      generation: 3,
      protocol: 'range',
      leader: 'm',
      members: [{ memberId: 'm', clientId: 'c', clientHost: '/h', sessionTimeout: 10 }],
    })
    const key = encodeCoordinatorKey(groupMetadataKey, { group: 'g' })
    const record = decodeGroupRecord({ key, value })
    expect(record).toMatchObject({
      kind: 'group',
      value: { generation: 3, members: [{ memberId: 'm' }] },
    })
  })

  it('of types from elsewhere are told apart', () => {
    const key = encodeCoordinatorKey(consumerGroupMetadataKey, { groupId: 'g' })
    expect(decodeGroupRecord({ key, value: null })).toEqual({ kind: 'unknown', type: 3 })
  })

  it('that are cut short or of an unknown version are refused, never half read', () => {
    const { key, value } = offsetCommitRecord(KEY, { offset: 5, metadata: 'some text' })
    fc.assert(
      fc.property(fc.nat({ max: value!.length - 1 }), (length) => {
        expect(() => decodeGroupRecord({ key, value: value!.subarray(0, length) })).toThrow(
          WireError,
        )
      }),
    )
    const newer = Buffer.from(value!)
    newer.writeInt16BE(99)
    expect(() => decodeGroupRecord({ key, value: newer })).toThrow(/version 99/)
    expect(() => decodeGroupRecord({ key: Buffer.from([0]), value })).toThrow(WireError)
  })
})
