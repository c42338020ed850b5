import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { GroupWorld, subscription } from '../../../support/group-world.ts'

const MEMBER_ID = /^client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('a first join', () => {
  it.each([4, 5, 6, 7, 8, 9])('of v%i is told to come back with a member id', (version) => {
    const world = new GroupWorld()
    const first = world.join({}, version).response
    expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
    expect(first.memberId).toMatch(MEMBER_ID)
    const second = world.join({ memberId: first.memberId }, version)
    expect(second.isAnswered).toBe(false)
    world.run(1)
    expect(second.response).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
      protocolName: 'range',
      protocolType: version >= 7 ? 'consumer' : null,
      leader: first.memberId,
      memberId: first.memberId,
      skipAssignment: false,
    })
    expect(second.response.members).toEqual([
      { memberId: first.memberId, groupInstanceId: null, metadata: subscription(['foo']) },
    ])
  })

  it.each([0, 1, 2, 3])('of v%i is accepted at once', (version) => {
    const world = new GroupWorld()
    const join = world.join({}, version)
    world.run(1)
    expect(join.response).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1 })
    expect(join.response.memberId).toMatch(MEMBER_ID)
  })

  it('of v0 has its session timeout for rebalance timeout', () => {
    const world = new GroupWorld()
    world.join({ sessionTimeoutMs: 12_345 }, 0)
    world.run(1)
    expect([...world.shard.groups.get('g')!.members.values()][0]!.rebalanceTimeoutMs).toBe(12_345)
  })

  it('of an unknown client id has a member id all the same', () => {
    const world = new GroupWorld()
    const join = world.join({}, 9, { clientId: '', clientHost: '/::1' })
    expect(join.response.memberId).toMatch(/^-[0-9a-f]{8}-/)
  })

  it('makes the group by a record, so that it survives the coordinator', () => {
    const world = new GroupWorld()
    world.join()
    expect(world.log.records(0)).toHaveLength(1)
    world.failOver()
    expect(world.shard.groups.get('g')).toMatchObject({ state: 'Empty', generation: 0 })
  })

  it('gets the error of the log when the group cannot be written, and leaves no group behind', () => {
    const world = new GroupWorld()
    world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(world.join().response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.shard.groups.size).toBe(0)
  })
})

describe('a join that cannot be taken', () => {
  it.each([
    ['an empty group id', { groupId: '' }, 'INVALID_GROUP_ID'],
    ['a session timeout that is too short', { sessionTimeoutMs: 5999 }, 'INVALID_SESSION_TIMEOUT'],
    [
      'a session timeout that is too long',
      { sessionTimeoutMs: 1_800_001 },
      'INVALID_SESSION_TIMEOUT',
    ],
    ['no protocols', { protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['no protocol type', { protocolType: '' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['a member id of a group that does not exist', { memberId: 'm' }, 'UNKNOWN_MEMBER_ID'],
  ] as const)('has %s', (_, request, error) => {
    const world = new GroupWorld()
    for (const version of [0, 5, 9]) {
      const { errorCode, generationId } = world.join(request, version).response
      expect({ errorCode, generationId }).toEqual({ errorCode: ErrorCode[error], generationId: -1 })
    }
    expect(world.shard.groups.size).toBe(0)
  })

  it('has no protocol in common with the members, or another type', () => {
    const world = new GroupWorld()
    world.stableGroup(2)
    const other = world.join({ protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }] })
    expect(other.response.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    const connect = world.join({ protocolType: 'connect' })
    expect(connect.response.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  it('has a member id that the group does not know', () => {
    const world = new GroupWorld()
    world.stableGroup(1)
    expect(world.join({ memberId: 'm' }).response.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('is one too many for the group', () => {
    const world = new GroupWorld({ config: { maxSize: 2 } })
    const { memberIds } = world.stableGroup(2)
    expect(world.join().response.errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
    expect(world.join({ memberId: memberIds[1] }).response.errorCode).toBe(ErrorCode.NONE)
  })

  it('is the last of too many that join at the same time', () => {
    const world = new GroupWorld({ config: { maxSize: 2, initialRebalanceDelayMs: 100 } })
    const ids = [1, 2, 3].map(() => world.join().response.memberId)
    const joins = ids.map((memberId) => world.join({ memberId }))
    expect(joins[2]!.response.errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
    world.run(1000)
    expect(joins[0]!.response.members.length).toBe(2)
  })
})

describe('the initial delay', () => {
  const DELAY = { config: { initialRebalanceDelayMs: 3000 } }

  it('gives members time to come together', () => {
    const world = new GroupWorld(DELAY)
    const first = world.joinNew()
    world.run(2000)
    const second = world.joinNew()
    world.run(999)
    expect(first.isAnswered).toBe(false)
    // A member came during the delay, so there is another one.
    world.run(3002)
    expect(first.response.members).toHaveLength(2)
    expect(second.response.members).toHaveLength(0)
    expect(second.response.generationId).toBe(1)
  })

  it('is not longer than the rebalance timeout', () => {
    const world = new GroupWorld(DELAY)
    const first = world.joinNew({ rebalanceTimeoutMs: 7000 })
    for (let second = 0; second < 7; second += 1) {
      world.joinNew({ rebalanceTimeoutMs: 7000 })
      world.run(1000)
    }
    expect(first.isAnswered).toBe(true)
  })

  it('is over at once when it is 0', () => {
    const world = new GroupWorld()
    const join = world.joinNew()
    world.run(1)
    expect(join.isAnswered).toBe(true)
  })
})

describe('a rebalance', () => {
  it('waits for all members and gives them one generation, the leader all metadata', () => {
    const world = new GroupWorld()
    const { memberIds, generation } = world.stableGroup(2)
    const third = world.joinNew()
    expect(
      world.heartbeat({ memberId: memberIds[0], generationId: generation }).response.errorCode,
    ).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    const again = memberIds.map((memberId) => world.join({ memberId }))
    const answers = [...again, third].map((held) => held.response)
    expect(answers.map((each) => each.generationId)).toEqual([2, 2, 2])
    expect(answers.map((each) => each.leader)).toEqual(Array(3).fill(memberIds[0]))
    expect(answers.map((each) => each.members.length)).toEqual([3, 0, 0])
  })

  it('drops the members that do not come back before the rebalance timeout', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(3)
    const again = world.join({ memberId: memberIds[1] })
    world.run(0)
    expect(again.isAnswered).toBe(true)
    const changed = world.join({
      memberId: memberIds[1],
      protocols: [{ name: 'range', metadata: subscription(['bar']) }],
      sessionTimeoutMs: 60_000,
    })
    for (let step = 0; step < 4; step += 1) {
      for (const memberId of [memberIds[0], memberIds[2]])
        world.heartbeat({ memberId, generationId: 1 })
      world.run(7400)
    }
    expect(changed.isAnswered).toBe(false)
    world.run(500)
    expect(changed.response).toMatchObject({ generationId: 2, leader: memberIds[1] })
    expect(changed.response.members).toHaveLength(1)
  })

  it('waits the longest rebalance timeout of its members', () => {
    const world = new GroupWorld()
    const slow = world.joinNew({ rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 100_000 })
    world.run(1)
    const quick = world.joinNew({ rebalanceTimeoutMs: 10_000 })
    world.run(59_990)
    expect(quick.isAnswered).toBe(false)
    world.run(20)
    expect(quick.response.members).toHaveLength(1)
    expect(slow.response.generationId).toBe(1)
  })

  it('waits for a member id that was given out, until its session expires', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    world.join()
    const again = world.join({ memberId: memberIds[0] })
    expect(again.isAnswered).toBe(false)
    world.run(10_001)
    expect(again.response.generationId).toBe(2)
  })

  it('ends in an empty group when nobody comes back', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    world.leave({ members: [{ memberId: memberIds[1] }] })
    expect(world.shard.groups.get('g')!.state).toBe('PreparingRebalance')
    world.run(30_001)
    const group = world.shard.groups.get('g')!
    expect(group).toMatchObject({
      state: 'Empty',
      generation: 2,
      leaderId: null,
      protocolName: null,
    })
    expect(group.protocolType).toBe('consumer')
  })

  it('chooses the protocol that most members prefer among those that all support', () => {
    const world = new GroupWorld({ config: { initialRebalanceDelayMs: 100 } })
    const protocols = (names: string): { name: string; metadata: Buffer }[] =>
      names.split(' ').map((name) => ({ name, metadata: Buffer.from(name) }))
    const joins = ['a b c', 'c b', 'b c d', 'b c'].map((names) =>
      world.joinNew({ protocolType: 'any', protocols: protocols(names) }, 9),
    )
    world.run(1000)
    expect(joins.map((held) => held.response.protocolName)).toEqual(Array(4).fill('b'))
    const leader = joins.find((held) => held.response.members.length > 0)
    expect(leader!.response.members.map(({ metadata }) => metadata.toString())).toEqual(
      Array(4).fill('b'),
    )
  })

  it('tells of every state in an event', () => {
    const world = new GroupWorld()
    world.stableGroup(1)
    const states = world.events
      .filter(({ kind }) => kind === 'group.state-changed')
      .map(({ fields }) => [fields.state, fields.generation, fields.members])
    expect(states).toEqual([
      ['PreparingRebalance', 0, 1],
      ['CompletingRebalance', 1, 1],
      ['Stable', 1, 1],
    ])
    expect(world.events.filter(({ kind }) => kind === 'group.rebalanced')).toHaveLength(1)
  })
})

describe('a member that joins again', () => {
  it('gets its generation again while the assignment is awaited, unless it has changed', () => {
    const world = new GroupWorld()
    const leader = world.joinNew()
    world.run(1)
    const { memberId } = leader.response
    expect(world.join({ memberId }).response).toEqual(leader.response)
    const changed = world.join({
      memberId,
      protocols: [{ name: 'range', metadata: subscription(['bar']) }],
    })
    expect(changed.response.generationId).toBe(2)
  })

  it('gets its generation again as a follower of a stable group, with a rebalance as its leader', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    const follower = world.join({ memberId: memberIds[1] })
    expect(follower.response).toMatchObject({ generationId: 1, members: [], leader: memberIds[0] })
    const leader = world.join({ memberId: memberIds[0] })
    expect(leader.isAnswered).toBe(false)
    expect(world.shard.groups.get('g')!.state).toBe('PreparingRebalance')
  })

  it('takes the place of its own join that still waits', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    const first = world.join({ memberId: memberIds[0] })
    const second = world.join({ memberId: memberIds[0] })
    expect(first.response.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    world.join({ memberId: memberIds[1] })
    expect(second.response.generationId).toBe(2)
  })

  it('is forgotten when it is new and waits for more than five minutes', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    const stay = {
      memberId: memberIds[0],
      rebalanceTimeoutMs: 900_000,
      sessionTimeoutMs: 1_800_000,
    }
    world.join(stay)
    world.sync({ memberId: memberIds[0], generationId: 2 })
    const late = world.joinNew()
    world.run(300_001)
    expect(late.response.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })
})
