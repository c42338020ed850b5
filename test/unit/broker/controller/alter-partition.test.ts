import { describe, expect, it } from 'vitest'
import type { Uuid } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { ControlWorld, directoryOf, uuidOf } from '../../../support/control-world.ts'

interface Asked {
  readonly sender?: number
  readonly brokerEpoch?: number
  readonly topicId?: Uuid
  readonly partition?: number
  readonly leaderEpoch?: number
  readonly partitionEpoch?: number
  readonly isr?: readonly number[]
  /** Broker epoch claimed for a member; by default the registered one. */
  readonly epochs?: Readonly<Record<number, number>>
  readonly leaderRecoveryState?: number
  readonly version?: number
}

/** Three brokers and a topic with one partition, led by broker 1. */
class Fixture {
  readonly world = new ControlWorld()
  readonly topicId: Uuid

  constructor() {
    this.world.start(1, 2, 3)
    this.topicId = this.world.createTopic('t', [1, 2, 3])
  }

  ask(asked: Asked = {}) {
    const { world } = this
    const { sender = 1, version = 3, isr = [1, 2] } = asked
    const current = world.partition('t')
    const members = isr.map((brokerId) => ({
      brokerId,
      brokerEpoch: asked.epochs?.[brokerId] ?? world.image.brokers.get(brokerId)?.epoch ?? -1,
    }))
    const partition = {
      partitionIndex: asked.partition ?? 0,
      leaderEpoch: asked.leaderEpoch ?? current.leaderEpoch,
      partitionEpoch: asked.partitionEpoch ?? current.partitionEpoch,
      leaderRecoveryState: asked.leaderRecoveryState ?? 0,
      ...(version >= 3 ? { newIsrWithEpochs: members } : { newIsr: isr }),
    }
    const answer = world.alterPartition(
      {
        brokerId: sender,
        brokerEpoch: asked.brokerEpoch ?? world.image.brokers.get(sender)?.epoch,
        topics: [{ topicId: asked.topicId ?? this.topicId, partitions: [partition] }],
      },
      version,
    )
    return { top: answer.errorCode, result: answer.topics?.[0]?.partitions?.[0] }
  }

  errorOf(asked: Asked): number | undefined {
    return this.ask(asked).result?.errorCode
  }
}

describe('AlterPartition', () => {
  it.each([2, 3])('shrinks and grows the ISR in version %i', (version) => {
    const fixture = new Fixture()
    expect(fixture.ask({ version, isr: [1, 2] })).toEqual({
      top: ErrorCode.NONE,
      result: {
        partitionIndex: 0,
        errorCode: ErrorCode.NONE,
        leaderId: 1,
        leaderEpoch: 0,
        isr: [1, 2],
        leaderRecoveryState: 0,
        partitionEpoch: 1,
      },
    })
    expect(fixture.world.partition('t')).toMatchObject({
      isr: [1, 2],
      leaderEpoch: 0,
      partitionEpoch: 1,
    })
    expect(fixture.ask({ version, isr: [1, 2, 3] }).result).toMatchObject({
      isr: [1, 2, 3],
      partitionEpoch: 2,
    })
    expect(fixture.world.kinds()).toContain('controller.isr-changed')
  })

  it('answers with the state as it is when nothing changes', () => {
    const { world, ask } = bound()
    const { length } = world.log
    expect(ask({ isr: [1, 2, 3] }).result).toMatchObject({ errorCode: 0, partitionEpoch: 0 })
    expect(world.log).toHaveLength(length)
  })

  it('refuses senders that are not registered in this epoch', () => {
    const { ask } = bound()
    expect(ask({ brokerEpoch: 999 }).top).toBe(ErrorCode.STALE_BROKER_EPOCH)
    expect(ask({ sender: 9, brokerEpoch: 1 }).top).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })

  it('refuses unknown topics and partitions', () => {
    const fixture = new Fixture()
    expect(fixture.errorOf({ topicId: uuidOf(0x70, 404) })).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(fixture.errorOf({ partition: 1 })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('checks the epochs in the order of Kafka', () => {
    const fixture = new Fixture()
    fixture.ask({ isr: [1, 2] })
    fixture.ask({ isr: [1, 2, 3] })
    expect(fixture.errorOf({ leaderEpoch: 1 })).toBe(ErrorCode.NOT_CONTROLLER)
    expect(fixture.errorOf({ partitionEpoch: 3 })).toBe(ErrorCode.NOT_CONTROLLER)
    expect(fixture.errorOf({ partitionEpoch: 1 })).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(fixture.errorOf({ sender: 2 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(fixture.errorOf({ leaderEpoch: -1 })).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(fixture.errorOf({ leaderEpoch: -1, sender: 2 })).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(fixture.errorOf({ partitionEpoch: 1, sender: 2 })).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('refuses the former leader after an election', () => {
    const fixture = new Fixture()
    fixture.world.expire(1)
    expect(fixture.world.partition('t')).toMatchObject({ leader: 2, leaderEpoch: 1 })
    expect(fixture.errorOf({ sender: 1, leaderEpoch: 0 })).toBe(ErrorCode.FENCED_LEADER_EPOCH)
  })

  it('refuses an ISR that is empty, repeats a member, lacks the leader or has a stranger', () => {
    const fixture = new Fixture()
    fixture.world.start(4)
    for (const isr of [[], [2, 3], [1, 1], [1, 4]]) {
      expect(fixture.errorOf({ isr })).toBe(ErrorCode.INVALID_REQUEST)
    }
  })

  it('refuses members that are fenced, shutting down or of another incarnation', () => {
    const fixture = new Fixture()
    const { world } = fixture
    expect(fixture.errorOf({ isr: [1, 2], epochs: { 2: 12_345 } })).toBe(
      ErrorCode.INELIGIBLE_REPLICA,
    )
    expect(fixture.errorOf({ isr: [1, 2], epochs: { 2: -1 } })).toBe(ErrorCode.NONE)
    world.createTopic('led-by-2', [2, 3])
    world.heartbeat(2, { wantShutDown: true })
    expect(world.partition('t').isr).toEqual([1])
    expect(fixture.errorOf({ isr: [1, 2] })).toBe(ErrorCode.INELIGIBLE_REPLICA)
    world.expire(3)
    expect(fixture.errorOf({ isr: [1, 3] })).toBe(ErrorCode.INELIGIBLE_REPLICA)
    expect(fixture.errorOf({ isr: [1] })).toBe(ErrorCode.NONE)
  })

  it('lets a leader that recovers from an unclean election stay alone, then end its recovery', () => {
    const fixture = new Fixture()
    const { world } = fixture
    expect(fixture.errorOf({ isr: [1], leaderRecoveryState: 1 })).toBe(ErrorCode.INVALID_REQUEST)
    const change = metadataRecord('PartitionChangeRecord', {
      topicId: fixture.topicId,
      partitionId: 0,
      isr: [1],
      leader: 1,
      leaderRecoveryState: 1,
    })
    world.log.push({ record: change, offset: world.lastOffset + 1, epoch: world.epoch })
    world.failOver()
    expect(world.partition('t').leaderRecoveryState).toBe(1)
    expect(fixture.errorOf({ isr: [1, 2], leaderRecoveryState: 1 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(fixture.errorOf({ isr: [1], leaderRecoveryState: 2 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(fixture.ask({ isr: [1], leaderRecoveryState: 1 }).result).toMatchObject({
      errorCode: 0,
      leaderRecoveryState: 1,
    })
    expect(fixture.ask({ isr: [1, 2], leaderRecoveryState: 0 }).result).toMatchObject({
      isr: [1, 2],
      leaderRecoveryState: 0,
    })
  })

  it('takes the first of two changes of one partition in a request', () => {
    const { world, topicId } = new Fixture()
    const { epoch } = world.image.brokers.get(1)!
    const partition = (isr: number[]) => ({
      partitionIndex: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      newIsrWithEpochs: isr.map((brokerId) => ({ brokerId, brokerEpoch: -1 })),
    })
    const answer = world.alterPartition({
      brokerId: 1,
      brokerEpoch: epoch,
      topics: [{ topicId, partitions: [partition([1, 2]), partition([1])] }],
    })
    expect(answer.topics?.[0]?.partitions?.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.INVALID_UPDATE_VERSION,
    ])
    expect(world.partition('t')).toMatchObject({ isr: [1, 2], partitionEpoch: 1 })
  })

  it('tells the old leader when the end of a reassignment has taken its leadership', () => {
    const fixture = new Fixture()
    const { world } = fixture
    fixture.ask({ isr: [1, 2] })
    const change = metadataRecord('PartitionChangeRecord', {
      topicId: fixture.topicId,
      partitionId: 0,
      replicas: [2, 3, 1],
      directories: [2, 3, 1].map(directoryOf),
      addingReplicas: [3],
      removingReplicas: [1],
    })
    world.log.push({ record: change, offset: world.lastOffset + 1, epoch: world.epoch })
    world.failOver()
    expect(fixture.errorOf({ isr: [1, 2, 3] })).toBe(ErrorCode.NEW_LEADER_ELECTED)
    expect(world.partition('t')).toMatchObject({
      replicas: [2, 3],
      isr: [2, 3],
      leader: 2,
      leaderEpoch: 1,
      addingReplicas: [],
      removingReplicas: [],
    })
  })
})

function bound(): { world: ControlWorld; ask: Fixture['ask'] } {
  const fixture = new Fixture()
  return { world: fixture.world, ask: (asked) => fixture.ask(asked) }
}
