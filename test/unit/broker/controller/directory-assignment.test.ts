import { describe, expect, it } from 'vitest'
import { DirectoryId } from '../../../../broker/metadata/directory-id.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  assignReplicasToDirsApi,
  type AssignReplicasToDirsRequest,
  type AssignReplicasToDirsResponse,
} from '../../../../src/wire/messages/73-assign-replicas-to-dirs.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { answerOf, ControlWorld, fullRequest, uuidOf } from '../../../support/control-world.ts'

const A = uuidOf(0xaa, 1)
const B = uuidOf(0xbb, 1)
const UNKNOWN = uuidOf(0xcc, 1)

/** Broker 1 has two directories, brokers 2 and 3 one each. */
function setUp(): ControlWorld {
  const world = new ControlWorld()
  world.register(1, { logDirs: [A, B] })
  world.heartbeat(1)
  world.start(2, 3)
  return world
}

function ask(world: ControlWorld, given: Input<AssignReplicasToDirsRequest>) {
  const brokerEpoch = world.image.brokers.get(1)?.epoch
  const body = { brokerId: 1, brokerEpoch, ...given }
  const request = fullRequest(assignReplicasToDirsApi, 0, body)
  return answerOf<AssignReplicasToDirsResponse>((respond) => {
    world.controller.assignReplicasToDirs(request, respond)
  })
}

function assign(world: ControlWorld, topicId: string, index: number, id: string): unknown {
  const topics = [{ topicId, partitions: [{ partitionIndex: index }] }]
  const answer = ask(world, { directories: [{ id, topics }] })
  return answer.directories?.[0]?.topics?.[0]?.partitions?.[0]?.errorCode
}

describe('AssignReplicasToDirs', () => {
  it('writes down which directory a broker of several has chosen', () => {
    const world = setUp()
    const id = world.createTopic('t', [1, 2])
    expect(world.partition('t').directories[0]).toBe(DirectoryId.UNASSIGNED)
    expect(assign(world, id, 0, B)).toBe(ErrorCode.NONE)
    const { directories, leader, leaderEpoch, isr } = world.partition('t')
    expect(directories[0]).toBe(B)
    expect({ leader, leaderEpoch, isr }).toEqual({ leader: 1, leaderEpoch: 0, isr: [1, 2] })
    const { length } = world.log
    expect(assign(world, id, 0, B)).toBe(ErrorCode.NONE)
    expect(world.log).toHaveLength(length)
  })

  it('takes leadership and ISR membership from a replica in a directory that is lost or not registered', () => {
    const world = setUp()
    const id = world.createTopic('t', [1, 2], [2, 1])
    expect(assign(world, id, 0, DirectoryId.LOST)).toBe(ErrorCode.NONE)
    expect(assign(world, id, 1, UNKNOWN)).toBe(ErrorCode.NONE)
    expect(world.partition('t', 0)).toMatchObject({ leader: 2, leaderEpoch: 1, isr: [2] })
    expect(world.partition('t', 1)).toMatchObject({ leader: 2, leaderEpoch: 0, isr: [2] })
  })

  it('leaves the last of an ISR in it without a leader, until its directory is online', () => {
    const world = setUp()
    const id = world.createTopic('t', [1])
    assign(world, id, 0, DirectoryId.LOST)
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [1] })
    assign(world, id, 0, A)
    expect(world.partition('t')).toMatchObject({ leader: 1, leaderEpoch: 2, isr: [1] })
  })

  it('tells what it does not know', () => {
    const world = setUp()
    const id = world.createTopic('t', [2])
    expect(assign(world, UNKNOWN, 0, A)).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(assign(world, id, 7, A)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(assign(world, id, 0, A)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(ask(world, { brokerEpoch: 999 })).toEqual({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
  })
})

describe('BrokerHeartbeat with offline log directories', () => {
  it('moves leaderships and ISR memberships away from what lies in them, and nothing else', () => {
    const world = setUp()
    const id = world.createTopic('t', [1, 2], [1, 2], [2, 1])
    assign(world, id, 0, A)
    assign(world, id, 1, B)
    assign(world, id, 2, B)
    expect(world.heartbeat(1, { offlineLogDirs: [B] })).toMatchObject({ isFenced: false })
    expect(world.partition('t', 0)).toMatchObject({ leader: 1, isr: [1, 2] })
    expect(world.partition('t', 1)).toMatchObject({ leader: 2, isr: [2] })
    expect(world.partition('t', 2)).toMatchObject({ leader: 2, isr: [2] })
    expect(world.image.brokers.get(1)?.logDirs).toEqual([A])
    expect(world.kinds()).toContain('controller.directories-offline')
    const { length } = world.log
    world.heartbeat(1, { offlineLogDirs: [B] })
    expect(world.log).toHaveLength(length)
  })

  it('elects nobody whose directory is offline, also when that one comes back', () => {
    const world = setUp()
    const id = world.createTopic('t', [1, 2])
    assign(world, id, 0, B)
    world.heartbeat(1, { offlineLogDirs: [B] })
    world.expire(2)
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [2] })
    world.heartbeat(2)
    expect(world.partition('t')).toMatchObject({ leader: 2 })
  })

  it('takes the directories before it unfences the broker', () => {
    const world = setUp()
    const id = world.createTopic('t', [1])
    assign(world, id, 0, B)
    world.expire(1)
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [1] })
    expect(world.heartbeat(1, { offlineLogDirs: [B] })).toMatchObject({ isFenced: true })
    expect(world.heartbeat(1, { offlineLogDirs: [B] })).toMatchObject({ isFenced: false })
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [1] })
  })

  it('has the replica lead again once the broker is registered with the directory', () => {
    const world = setUp()
    const id = world.createTopic('t', [1])
    assign(world, id, 0, B)
    world.heartbeat(1, { offlineLogDirs: [B] })
    world.expire(1)
    world.register(1, { logDirs: [A, B], incarnationId: uuidOf(0x1d, 1) })
    world.heartbeat(1)
    expect(world.partition('t')).toMatchObject({ leader: 1, isr: [1] })
  })
})
