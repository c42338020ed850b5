// Goal: offsets committed with a transaction count when its marker says so, and never before; a replay of the log gives
// the same at every step.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dumpOfGroups } from '../../../../broker/group/group-dump.ts'
import { dumpOfReplay } from '../../../../broker/group/group-replay.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { offsetFetchApi } from '../../../../src/wire/messages/09-offset-fetch.ts'
import {
  txnOffsetCommitApi,
  type TxnOffsetCommitRequest,
} from '../../../../src/wire/messages/28-txn-offset-commit.ts'
import { deleteGroupsApi } from '../../../../src/wire/messages/42-delete-groups.ts'
import { offsetDeleteApi } from '../../../../src/wire/messages/47-offset-delete.ts'
import { readBatchHeader } from '../../../../src/wire/record-batch.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { GroupWorld } from '../../../support/group-world.ts'

interface Sketch {
  readonly version?: number
  readonly partition?: number
  readonly metadata?: string
  readonly topic?: string
  readonly request?: Input<TxnOffsetCommitRequest>
}

function commitHeld(world: GroupWorld, producerId: number, offset: number, sketch: Sketch = {}) {
  const { version = 5, partition = 0, metadata = 'm', topic = 'foo', request = {} } = sketch
  const committed = {
    partitionIndex: partition,
    committedOffset: offset,
    committedMetadata: metadata,
  }
  const full = {
    transactionalId: `id-${producerId}`,
    groupId: 'g',
    producerId,
    producerEpoch: 0,
    topics: [{ name: topic, partitions: [committed] }],
    ...request,
  }
  return world.call(txnOffsetCommitApi, version, full, (coordinator, decoded, respond) =>
    coordinator.txnOffsetCommit(version, decoded, respond),
  )
}

function commit(world: GroupWorld, producerId: number, offset: number, sketch: Sketch = {}) {
  return commitHeld(world, producerId, offset, sketch).response.topics[0]!.partitions[0]!.errorCode
}

function end(world: GroupWorld, producerId: number, isCommit: boolean): ErrorCode | null {
  let outcome: ErrorCode | null = null
  const epochs = { producerEpoch: 0, coordinatorEpoch: 3, transactionVersion: 1 }
  world.coordinator.endTransaction(0, { producerId, isCommit, ...epochs }, (error) => {
    outcome = error
  })
  return outcome
}

/** Offset and error of a partition of foo, for who asks for stable ones or not. */
function ask(world: GroupWorld, requireStable: boolean, partition = 0) {
  const request = {
    groupId: 'g',
    topics: [{ name: 'foo', partitionIndexes: [partition] }],
    requireStable,
  }
  const { response } = world.call(offsetFetchApi, 7, request, (coordinator, decoded, respond) =>
    coordinator.offsetFetch(7, decoded, respond),
  )
  const { committedOffset, errorCode } = response.topics[0]!.partitions[0]!
  return [committedOffset, errorCode]
}

const UNSTABLE = [-1, ErrorCode.UNSTABLE_OFFSET_COMMIT]

describe('TxnOffsetCommit', () => {
  it.each([0, 1, 2, 3, 4, 5])('v%i is pending until the transaction is committed', (version) => {
    const world = new GroupWorld()
    expect(commit(world, 7, 42, { version })).toBe(ErrorCode.NONE)
    expect(ask(world, true)).toEqual(UNSTABLE)
    expect(ask(world, false)).toEqual([-1, ErrorCode.NONE])
    expect(end(world, 7, true)).toBe(ErrorCode.NONE)
    expect(ask(world, true)).toEqual([42, ErrorCode.NONE])
  })

  it('is dropped when the transaction is aborted', () => {
    const world = new GroupWorld()
    world.commit(10)
    commit(world, 7, 42)
    expect(ask(world, true)).toEqual(UNSTABLE)
    expect(ask(world, false)).toEqual([10, ErrorCode.NONE])
    end(world, 7, false)
    expect(ask(world, true)).toEqual([10, ErrorCode.NONE])
  })

  it('writes a batch of the producer, and the marker another', () => {
    const world = new GroupWorld()
    commit(world, 7, 42)
    end(world, 7, true)
    const [data, marker] = [0, 1].map((offset) =>
      readBatchHeader(world.log.read(0, offset, 1_000_000), 0),
    )
    expect(data).toMatchObject({ producerId: 7, isTransactional: true, isControl: false })
    expect(marker).toMatchObject({ producerId: 7, isTransactional: true, isControl: true })
  })

  it('is answered when it is in the log for good, and so is the marker', () => {
    const world = new GroupWorld()
    world.log.isHeld = true
    const held = commitHeld(world, 7, 42)
    expect(held.isAnswered).toBe(false)
    world.log.commit(0)
    expect(held.response.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
    expect(end(world, 7, true)).toBeNull()
  })

  it('lets a later commit outside of the transaction win', () => {
    const world = new GroupWorld()
    commit(world, 7, 42)
    world.commit(50)
    end(world, 7, true)
    expect(ask(world, true)).toEqual([50, ErrorCode.NONE])
  })

  it('believes a producer that names no member, and checks one that does', () => {
    const world = new GroupWorld()
    const { memberIds, generation } = world.stableGroup(1)
    const [memberId] = memberIds
    const as = (request: Input<TxnOffsetCommitRequest>) => commit(world, 7, 42, { request })
    expect(as({})).toBe(ErrorCode.NONE)
    expect(as({ memberId, generationIdOrMemberEpoch: generation })).toBe(ErrorCode.NONE)
    expect(as({ memberId, generationIdOrMemberEpoch: generation + 1 })).toBe(
      ErrorCode.ILLEGAL_GENERATION,
    )
    expect(as({ memberId: 'else', generationIdOrMemberEpoch: generation })).toBe(
      ErrorCode.UNKNOWN_MEMBER_ID,
    )
    const unknown = { groupId: 'none', memberId, generationIdOrMemberEpoch: 1 }
    expect(as(unknown)).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(as({ groupId: '' })).toBe(ErrorCode.INVALID_GROUP_ID)
  })

  it('refuses long metadata and topics that do not exist alone', () => {
    const world = new GroupWorld()
    expect(commit(world, 7, 42, { metadata: 'x'.repeat(4097) })).toBe(
      ErrorCode.OFFSET_METADATA_TOO_LARGE,
    )
    expect(commit(world, 7, 42, { topic: 'gone' })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(world.log.logEndOffset(0)).toBe(0)
  })

  it('asks the transaction coordinator as its client understands it', () => {
    const world = new GroupWorld()
    const asked: unknown[] = []
    world.verifyTransaction = (partition, producer, done) => {
      asked.push([partition, producer])
      done(ErrorCode.NONE, null)
    }
    for (const version of [3, 4, 5]) commit(world, 7, 42, { version })
    const producer = { transactionalId: 'id-7', producerId: 7, producerEpoch: 0 }
    expect(asked).toEqual(
      ['old', 'abortable', 'implicit'].map((support) => [0, { ...producer, support }]),
    )
  })

  it.each([
    [ErrorCode.NETWORK_EXCEPTION, 2, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS],
    [ErrorCode.NETWORK_EXCEPTION, 1, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.NOT_LEADER_OR_FOLLOWER, 5, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.TRANSACTION_ABORTABLE, 5, ErrorCode.TRANSACTION_ABORTABLE],
    [ErrorCode.CONCURRENT_TRANSACTIONS, 5, ErrorCode.CONCURRENT_TRANSACTIONS],
    [ErrorCode.INVALID_PRODUCER_EPOCH, 3, ErrorCode.INVALID_PRODUCER_EPOCH],
  ])('answers error %i of the verification in v%i with %i', (error, version, shown) => {
    const world = new GroupWorld()
    world.verifyTransaction = (_partition, _producer, done) => done(error, null)
    expect(commit(world, 7, 42, { version })).toBe(shown)
    expect(world.log.logEndOffset(0)).toBe(0)
  })

  it('passes on what the log says of the producer', () => {
    const world = new GroupWorld()
    world.log.appendError = ErrorCode.INVALID_PRODUCER_EPOCH
    expect(commit(world, 7, 42)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })
})

describe('a group with offsets in an open transaction', () => {
  it('loses them with its deletion', () => {
    const world = new GroupWorld()
    commit(world, 7, 42)
    const { response } = world.call(
      deleteGroupsApi,
      2,
      { groupsNames: ['g'] },
      (coordinator, decoded, respond) => coordinator.deleteGroups(2, decoded, respond),
    )
    expect(response.results[0]!.errorCode).toBe(ErrorCode.NONE)
    end(world, 7, true)
    expect(ask(world, true)).toEqual([-1, ErrorCode.NONE])
    world.failOver()
    expect(ask(world, true)).toEqual([-1, ErrorCode.NONE])
  })

  it('loses one of them by OffsetDelete', () => {
    const world = new GroupWorld()
    commit(world, 7, 42)
    commit(world, 7, 43, { partition: 1 })
    const topics = [{ name: 'foo', partitions: [{ partitionIndex: 0 }] }]
    world.call(offsetDeleteApi, 0, { groupId: 'g', topics }, (coordinator, decoded, respond) =>
      coordinator.offsetDelete(0, decoded, respond),
    )
    end(world, 7, true)
    expect(ask(world, true)).toEqual([-1, ErrorCode.NONE])
    expect(ask(world, true, 1)).toEqual([43, ErrorCode.NONE])
  })

  it('is kept as long as the transaction is open', () => {
    const world = new GroupWorld()
    commit(world, 7, 42)
    world.run(30 * 86_400_000)
    end(world, 7, true)
    expect(ask(world, true)).toEqual([42, ErrorCode.NONE])
  })

  it('has them pending at the next coordinator too, until the marker comes there', () => {
    const world = new GroupWorld()
    commit(world, 7, 42)
    world.failOver()
    expect(ask(world, true)).toEqual(UNSTABLE)
    end(world, 7, true)
    expect(ask(world, true)).toEqual([42, ErrorCode.NONE])
    world.failOver()
    expect(ask(world, true)).toEqual([42, ErrorCode.NONE])
  })
})

it('says that it coordinates no such partition when a marker comes too late', () => {
  const world = new GroupWorld({ isIdle: true })
  expect(end(world, 7, true)).toBe(ErrorCode.NOT_COORDINATOR)
})

it('equals the replay of its log at every step, and a model of what counts', () => {
  const producer = fc.integer({ min: 1, max: 3 })
  const partition = fc.integer({ min: 0, max: 2 })
  const step = fc.oneof(
    fc.record({ kind: fc.constant('txn' as const), producer, partition }),
    fc.record({ kind: fc.constant('plain' as const), producer, partition }),
    fc.record({ kind: fc.constant('end' as const), producer, isCommit: fc.boolean() }),
    fc.record({ kind: fc.constant('failover' as const), producer }),
  )
  const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const world = new GroupWorld()
    const counted = new Map<number, { offset: number; at: number }>()
    const pending = new Map<number, Map<number, { offset: number; at: number }>>()
    for (const [index, each] of steps.entries()) {
      const value = { offset: 100 + index, at: index }
      if (each.kind === 'failover') world.failOver()
      else if (each.kind === 'txn') {
        commit(world, each.producer, value.offset, { partition: each.partition })
        const own = pending.get(each.producer) ?? new Map()
        pending.set(each.producer, own.set(each.partition, value))
      } else if (each.kind === 'plain') {
        if (each.partition !== 0) continue
        world.commit(value.offset)
        counted.set(0, value)
      } else {
        end(world, each.producer, each.isCommit)
        for (const [at, offset] of pending.get(each.producer) ?? []) {
          const isNewer = (counted.get(at)?.at ?? -1) < offset.at
          if (each.isCommit && isNewer) counted.set(at, offset)
        }
        pending.delete(each.producer)
      }
      for (const at of [0, 1, 2]) {
        const isOpen = [...pending.values()].some((own) => own.has(at))
        expect(ask(world, false, at)[0]).toBe(counted.get(at)?.offset ?? -1)
        expect(ask(world, true, at)[1] === ErrorCode.UNSTABLE_OFFSET_COMMIT).toBe(isOpen)
      }
      const read = (offset: number) => world.log.read(0, offset, 1_000_000)
      const replayed = dumpOfReplay(read, 0, world.log.logEndOffset(0))
      expect(dumpOfGroups(world.shard)).toBe(replayed)
    }
  })
  fc.assert(property, { numRuns: 60, seed: 890 })
})
