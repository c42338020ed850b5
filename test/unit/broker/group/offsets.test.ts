import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  offsetCommitApi,
  type OffsetCommitRequest,
} from '../../../../src/wire/messages/08-offset-commit.ts'
import {
  offsetFetchApi,
  type OffsetFetchRequest,
} from '../../../../src/wire/messages/09-offset-fetch.ts'
import { offsetDeleteApi } from '../../../../src/wire/messages/47-offset-delete.ts'
import { endTxnMarkerRecord } from '../../../../src/wire/control-record.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { decodeGroupRecord, offsetCommitRecord } from '../../../../broker/group/records.ts'
import { BAR_ID, FOO_ID, GroupWorld } from '../../../support/group-world.ts'

const DAY_MS = 86_400_000

function commit(world: GroupWorld, version: number, request: Input<OffsetCommitRequest>) {
  const full = { groupId: 'g', ...request }
  return world.call(offsetCommitApi, version, full, (coordinator, decoded, respond) =>
    coordinator.offsetCommit(version, decoded, respond),
  )
}

function fetch(world: GroupWorld, version: number, request: Input<OffsetFetchRequest>) {
  return world.call(offsetFetchApi, version, request, (coordinator, decoded, respond) =>
    coordinator.offsetFetch(version, decoded, respond),
  )
}

function deleteOffsets(world: GroupWorld, topics: readonly string[], groupId = 'g') {
  const request = {
    groupId,
    topics: topics.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
  }
  return world.call(offsetDeleteApi, 0, request, (coordinator, decoded, respond) =>
    coordinator.offsetDelete(0, decoded, respond),
  )
}

/** The last value that was written for an offset. */
function lastOffsetValue(world: GroupWorld) {
  const { key, value } = world.log.records(0).at(-1)!
  const record = decodeGroupRecord({ key: key!, value })
  if (record.kind !== 'offset') throw new Error(`a ${record.kind} record`)
  return { version: value?.readInt16BE(0), value: record.value }
}

describe('OffsetCommit', () => {
  it.each([2, 3, 4, 5, 6, 7, 8, 9])(
    'v%i from outside of a group is kept and can be fetched',
    (version) => {
      const world = new GroupWorld()
      const { response } = world.commit(42, {}, version)
      expect(response.topics).toMatchObject([
        { name: 'foo', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NONE }] },
      ])
      expect(world.committedOffset()).toBe(42)
    },
  )

  it('v10 names topics by id, and writes the id', () => {
    const world = new GroupWorld()
    const partitions = [{ partitionIndex: 3, committedOffset: 7, committedLeaderEpoch: 2 }]
    const unknown = 'eHh4eHh4eHh4eHh4eHh4eA'
    const { response } = commit(world, 10, {
      topics: [
        { topicId: unknown, partitions },
        { topicId: FOO_ID, partitions },
      ],
    })
    expect(response.topics).toMatchObject([
      { topicId: unknown, partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
      { topicId: FOO_ID, partitions: [{ partitionIndex: 3, errorCode: ErrorCode.NONE }] },
    ])
    expect(lastOffsetValue(world)).toMatchObject({
      version: 4,
      value: { offset: 7, leaderEpoch: 2, topicId: FOO_ID, metadata: '', expireTimestamp: -1 },
    })
  })

  it('waits until it is committed to the log', () => {
    const world = new GroupWorld()
    world.log.isHeld = true
    const held = world.commit(42)
    const fetched = world.fetch()
    expect([held.isAnswered, fetched.isAnswered]).toEqual([false, false])
    world.log.commit(0)
    expect(held.isAnswered).toBe(true)
    expect(fetched.response.groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(42)
  })

  it('refuses topics that do not exist and commits the others', () => {
    const world = new GroupWorld()
    const partitions = [{ partitionIndex: 0, committedOffset: 1 }]
    const { response } = commit(world, 8, {
      topics: [
        { name: 'gone', partitions },
        { name: 'bar', partitions },
      ],
    })
    expect(response.topics.map((topic) => topic.partitions[0]!.errorCode)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.NONE,
    ])
    const none = commit(world, 8, { groupId: 'new', topics: [{ name: 'gone', partitions }] })
    expect(none.response.topics[0]!.partitions[0]!.errorCode).toBe(3)
    expect(world.shard.groups.has('new')).toBe(false)
  })

  it('refuses metadata that is too long, for its partition only', () => {
    const world = new GroupWorld({ config: { offsetMetadataMaxBytes: 5 } })
    const { response } = commit(world, 8, {
      topics: [
        {
          name: 'foo',
          partitions: [
            { partitionIndex: 0, committedOffset: 1, committedMetadata: '123456' },
            { partitionIndex: 1, committedOffset: 1, committedMetadata: '12345' },
            { partitionIndex: 2, committedOffset: 1, committedMetadata: null },
          ],
        },
      ],
    })
    expect(response.topics[0]!.partitions.map((each) => each.errorCode)).toEqual([
      ErrorCode.OFFSET_METADATA_TOO_LARGE,
      ErrorCode.NONE,
      ErrorCode.NONE,
    ])
    expect(world.committedOffset()).toBe(-1)
  })

  it('has an error of its own when it does not fit into a batch', () => {
    const world = new GroupWorld()
    world.log.maxBatchBytes = 80
    expect(world.commit(1).response.topics[0]!.partitions[0]!.errorCode).toBe(
      ErrorCode.INVALID_COMMIT_OFFSET_SIZE,
    )
  })

  it('tells the error of the log for every partition', () => {
    const world = new GroupWorld()
    world.log.appendError = ErrorCode.NOT_LEADER_OR_FOLLOWER
    const error = world.commit(1).response.topics[0]!.partitions[0]!.errorCode
    expect(error).toBe(ErrorCode.NOT_COORDINATOR)
    expect(world.committedOffset()).toBe(-1)
  })

  it.each([
    [
      'an unknown group with a generation, v9',
      { groupId: 'x', generation: 1, memberId: 'm' },
      9,
      'GROUP_ID_NOT_FOUND',
    ],
    [
      'an unknown group with a generation, v8',
      { groupId: 'x', generation: 1, memberId: 'm' },
      8,
      'ILLEGAL_GENERATION',
    ],
    ['no member while the group has some', {}, 9, 'UNKNOWN_MEMBER_ID'],
    ['an unknown member', { generation: 1, memberId: 'm' }, 9, 'UNKNOWN_MEMBER_ID'],
  ] as const)('is refused from %s', (_, from, version, error) => {
    const world = new GroupWorld()
    world.stableGroup(1)
    const { response } = world.commit(1, from, version)
    expect(response.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode[error])
    expect(world.committedOffset()).toBe(-1)
  })

  it('is taken from the current generation only, and not before the assignment is known', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    const [memberId] = memberIds
    const errorOf = (generation: number): number =>
      world.commit(5, { memberId, generation }).response.topics[0]!.partitions[0]!.errorCode
    expect([errorOf(0), errorOf(1), errorOf(2)]).toEqual([
      ErrorCode.ILLEGAL_GENERATION,
      ErrorCode.NONE,
      ErrorCode.ILLEGAL_GENERATION,
    ])
    world.joinNew()
    expect(errorOf(1)).toBe(ErrorCode.NONE)
    world.join({ memberId })
    expect(errorOf(2)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(errorOf(1)).toBe(ErrorCode.ILLEGAL_GENERATION)
  })

  it('shows that the member lives', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    for (let step = 0; step < 5; step += 1) {
      world.run(9000)
      world.commit(step, { memberId: memberIds[0], generation: 1 })
    }
    expect(world.shard.groups.get('g')!.state).toBe('Stable')
  })

  it('is taken by an empty group without a member', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    world.leave({ members: [{ memberId: memberIds[0] }] })
    expect(world.commit(9).response.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
    expect(world.committedOffset()).toBe(9)
  })
})

describe('OffsetFetch', () => {
  function filled(): GroupWorld {
    const world = new GroupWorld()
    const partition = (partitionIndex: number) => ({
      partitionIndex,
      committedOffset: 100 + partitionIndex,
      committedLeaderEpoch: 4,
      committedMetadata: 'note',
    })
    commit(world, 8, {
      topics: [
        { name: 'foo', partitions: [partition(0), partition(1)] },
        { name: 'bar', partitions: [partition(2)] },
      ],
    })
    return world
  }

  it.each([1, 2, 3, 4, 5, 6, 7])('v%i answers for one group', (version) => {
    const topics = [{ name: 'foo', partitionIndexes: [1, 9] }]
    const { response } = fetch(filled(), version, { groupId: 'g', topics })
    const epoch = version >= 5 ? 4 : -1
    expect(response.errorCode).toBe(ErrorCode.NONE)
    expect(response.topics).toEqual([
      {
        name: 'foo',
        partitions: [
          {
            partitionIndex: 1,
            committedOffset: 101,
            committedLeaderEpoch: epoch,
            metadata: 'note',
            errorCode: 0,
          },
          {
            partitionIndex: 9,
            committedOffset: -1,
            committedLeaderEpoch: -1,
            metadata: '',
            errorCode: 0,
          },
        ],
      },
    ])
  })

  it.each([2, 3, 4, 5, 6, 7])(
    'v%i gives everything that is committed for null topics',
    (version) => {
      const { response } = fetch(filled(), version, { groupId: 'g', topics: null })
      expect(response.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
        ['foo', 2],
        ['bar', 1],
      ])
    },
  )

  it.each([8, 9])('v%i answers for several groups', (version) => {
    const { response } = fetch(filled(), version, {
      groups: [
        { groupId: 'g', topics: null },
        { groupId: 'other', topics: [{ name: 'foo', partitionIndexes: [0] }] },
        { groupId: 'third', topics: null },
      ],
    })
    const offsets = response.groups.map(({ groupId, topics, errorCode }) => [
      groupId,
      errorCode,
      topics.flatMap(({ partitions }) => partitions.map((each) => each.committedOffset)),
    ])
    expect(offsets).toEqual([
      ['g', 0, [100, 101, 102]],
      ['other', 0, [-1]],
      ['third', 0, []],
    ])
  })

  it('v10 names topics by id', () => {
    const world = filled()
    const named = fetch(world, 10, {
      groups: [
        {
          groupId: 'g',
          topics: [
            { topicId: FOO_ID, partitionIndexes: [0] },
            { topicId: 'eHh4eHh4eHh4eHh4eHh4eA', partitionIndexes: [0] },
          ],
        },
        { groupId: 'g', topics: null },
      ],
    }).response.groups
    expect(named[0]!.topics.map(({ partitions }) => partitions[0])).toMatchObject([
      { committedOffset: 100, errorCode: ErrorCode.NONE },
      { committedOffset: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_ID },
    ])
    expect(named[1]!.topics.map(({ topicId }) => topicId)).toEqual([FOO_ID, BAR_ID])
  })

  it('has its error where the version has a place for it', () => {
    const world = new GroupWorld({ isIdle: true })
    const topics = [{ name: 'foo', partitionIndexes: [1] }]
    const one = (version: number) => fetch(world, version, { groupId: 'g', topics }).response
    expect(one(1).topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(one(2)).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR, topics: [] })
    const several = fetch(world, 8, { groups: [{ groupId: 'g', topics }] }).response
    expect(several.groups).toMatchObject([{ errorCode: ErrorCode.NOT_COORDINATOR, topics: [] }])
  })

  it('refuses unstable offsets to those who ask for stable ones', () => {
    const world = filled()
    const producer = { producerId: 7, producerEpoch: 0, isTransactional: true, timestampMs: 1 }
    const key = { group: 'g', topic: 'foo', partition: 0 }
    const inTransaction = (offset: number) =>
      offsetCommitRecord(key, { offset, commitTimestamp: 1 })
    const marker = (isCommit: boolean) =>
      world.log.inject(
        0,
        writeBatch({ ...producer, records: [endTxnMarkerRecord(isCommit, 0)], isControl: true }),
      )
    const ask = (requireStable: boolean) => {
      const topics = [{ name: 'foo', partitionIndexes: [0] }]
      const { response } = fetch(world, 7, { groupId: 'g', topics, requireStable })
      const { committedOffset, errorCode } = response.topics[0]!.partitions[0]!
      return [committedOffset, errorCode]
    }
    world.log.inject(0, writeBatch({ ...producer, records: [inTransaction(500)], baseSequence: 0 }))
    world.failOver()
    expect(ask(true)).toEqual([-1, ErrorCode.UNSTABLE_OFFSET_COMMIT])
    expect(ask(false)).toEqual([100, ErrorCode.NONE])
    marker(false)
    world.failOver()
    expect(ask(true)).toEqual([100, ErrorCode.NONE])
    world.log.inject(0, writeBatch({ ...producer, records: [inTransaction(600)], baseSequence: 1 }))
    marker(true)
    world.failOver()
    expect(ask(true)).toEqual([600, ErrorCode.NONE])
  })

  it('keeps a commit that came after the transactional one', () => {
    const world = filled()
    const producer = { producerId: 7, producerEpoch: 0, isTransactional: true, timestampMs: 1 }
    const key = { group: 'g', topic: 'foo', partition: 0 }
    const records = [offsetCommitRecord(key, { offset: 500, commitTimestamp: 1 })]
    world.log.inject(0, writeBatch({ ...producer, records, baseSequence: 0 }))
    world.commit(200)
    const end = [endTxnMarkerRecord(true, 0)]
    world.log.inject(0, writeBatch({ ...producer, records: end, isControl: true }))
    world.failOver()
    expect(world.committedOffset()).toBe(200)
  })
})

describe('OffsetDelete', () => {
  it('deletes offsets, but not of topics that the group reads or that do not exist', () => {
    const world = new GroupWorld()
    const partitions = [{ partitionIndex: 0, committedOffset: 1 }]
    commit(world, 8, { topics: ['foo', 'bar'].map((name) => ({ name, partitions })) })
    world.stableGroup(1)
    const { response } = deleteOffsets(world, ['foo', 'bar', 'gone'])
    expect(
      response.topics.map(({ name, partitions: [first] }) => [name, first!.errorCode]),
    ).toEqual([
      ['foo', ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC],
      ['bar', ErrorCode.NONE],
      ['gone', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    const { groups } = fetch(world, 8, { groups: [{ groupId: 'g', topics: null }] }).response
    expect(groups[0]!.topics.map(({ name }) => name)).toEqual(['foo'])
    world.failOver()
    expect(world.committedOffset()).toBe(1)
  })

  it('writes nothing for an offset that is not there', () => {
    const world = new GroupWorld()
    world.commit(1)
    const before = world.log.appendCount
    expect(deleteOffsets(world, ['bar']).response.errorCode).toBe(ErrorCode.NONE)
    expect(world.log.appendCount).toBe(before)
  })

  it('is refused for an unknown group, and for members of a protocol it cannot read', () => {
    const world = new GroupWorld()
    expect(deleteOffsets(world, ['foo']).response.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(deleteOffsets(world, ['foo'], '').response.errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
    world.joinNew({ protocolType: 'connect' })
    expect(deleteOffsets(world, ['foo']).response.errorCode).toBe(ErrorCode.NON_EMPTY_GROUP)
  })
})

describe('expiry', () => {
  const CONFIG = {
    config: { offsetsRetentionMs: DAY_MS, offsetsRetentionCheckIntervalMs: 600_000 },
  }

  it('drops the offsets of a simple group after the retention, and then the group', () => {
    const world = new GroupWorld(CONFIG)
    world.commit(1)
    world.run(DAY_MS - 600_000)
    expect(world.committedOffset()).toBe(1)
    world.run(1_200_000)
    expect(world.committedOffset()).toBe(-1)
    expect(world.shard.groups.size).toBe(0)
    world.failOver()
    expect(world.shard.groups.size).toBe(0)
  })

  it('counts from the moment a group became empty', () => {
    const world = new GroupWorld(CONFIG)
    const { memberIds } = world.stableGroup(1)
    const [memberId] = memberIds
    world.commit(1, { memberId, generation: 1 })
    for (let hour = 0; hour < 12 * 300; hour += 1) {
      world.run(8000)
      world.heartbeat({ memberId, generationId: 1 })
    }
    world.leave({ members: [{ memberId }] })
    world.run(DAY_MS - 1_200_000)
    expect(world.committedOffset()).toBe(1)
    world.run(2_400_000)
    expect(world.committedOffset()).toBe(-1)
  })

  it('drops the offsets of topics that a stable group does not read any more', () => {
    const world = new GroupWorld(CONFIG)
    const partitions = [{ partitionIndex: 0, committedOffset: 1 }]
    commit(world, 8, { topics: ['foo', 'bar'].map((name) => ({ name, partitions })) })
    const [memberId] = world.stableGroup(1).memberIds
    for (let step = 0; step < 12_000; step += 1) {
      world.run(8000)
      world.heartbeat({ memberId, generationId: 1 })
    }
    const { groups } = fetch(world, 8, { groups: [{ groupId: 'g', topics: null }] }).response
    expect(groups[0]!.topics.map(({ name }) => name)).toEqual(['foo'])
  })

  it('follows the retention that an old commit asked for, in the old record version', () => {
    const world = new GroupWorld(CONFIG)
    const partitions = [{ partitionIndex: 0, committedOffset: 1 }]
    commit(world, 2, { retentionTimeMs: 1_000_000, topics: [{ name: 'foo', partitions }] })
    expect(lastOffsetValue(world)).toMatchObject({ version: 1 })
    world.run(600_001)
    expect(world.committedOffset()).toBe(1)
    world.run(600_001)
    expect(world.committedOffset()).toBe(-1)
  })

  it('drops the offsets of partitions that were deleted', () => {
    const world = new GroupWorld()
    world.commit(1)
    world.commit(2, { groupId: 'h' })
    world.coordinator.onPartitionsDeleted([{ topic: 'foo', partition: 0 }])
    expect([world.committedOffset('g'), world.committedOffset('h')]).toEqual([-1, -1])
  })
})
