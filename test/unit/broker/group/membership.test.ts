import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { GroupWorld } from '../../../support/group-world.ts'

const protocol = { protocolType: 'consumer', protocolName: 'range' }

/** Members that have joined generation 1 and not synced yet; the leader is first. */
function joined(world: GroupWorld, size: number): string[] {
  const ids = Array.from({ length: size }, () => world.join().response.memberId)
  const joins = ids.map((memberId) => world.join({ memberId }))
  world.run(1)
  const { leader } = joins[0]!.response
  return [leader, ...ids.filter((id) => id !== leader)]
}

describe('SyncGroup', () => {
  it.each([0, 1, 2, 3, 4, 5])(
    'v%i gives every member the part that the leader chose',
    (version) => {
      const world = new GroupWorld()
      const [leader, follower] = joined(world, 2)
      const named = version >= 5 ? protocol : {}
      const early = world.sync({ memberId: follower, generationId: 1, ...named }, version)
      expect(early.isAnswered).toBe(false)
      const assignments = [
        { memberId: leader, assignment: Buffer.from('L') },
        { memberId: follower, assignment: Buffer.from('F') },
      ]
      const own = world.sync({ memberId: leader, generationId: 1, assignments, ...named }, version)
      expect(own.response.assignment.toString()).toBe('L')
      expect(early.response).toMatchObject({
        errorCode: ErrorCode.NONE,
        assignment: Buffer.from('F'),
        protocolName: version >= 5 ? 'range' : null,
      })
      const late = world.sync({ memberId: follower, generationId: 1, ...named }, version)
      expect(late.response.assignment.toString()).toBe('F')
      expect(world.shard.groups.get('g')!.state).toBe('Stable')
    },
  )

  it('answers nobody before the assignment is committed', () => {
    const world = new GroupWorld()
    const [leader, follower] = joined(world, 2)
    world.log.isHeld = true
    const held = [follower, leader, follower].map((memberId) =>
      world.sync({ memberId, generationId: 1 }),
    )
    const beat = world.heartbeat({ memberId: leader, generationId: 1 })
    expect([...held, beat].map((each) => each.isAnswered)).toEqual([false, false, false, false])
    world.log.commit(0)
    expect(held.map((each) => each.response.errorCode)).toEqual([0, 0, 0])
    expect(beat.response.errorCode).toBe(ErrorCode.NONE)
  })

  it('gives members that the leader forgot an empty assignment', () => {
    const world = new GroupWorld()
    const [leader, follower] = joined(world, 2)
    world.sync({ memberId: leader, generationId: 1, assignments: [{ memberId: 'stranger' }] })
    const sync = world.sync({ memberId: follower, generationId: 1 })
    expect(sync.response).toMatchObject({ errorCode: ErrorCode.NONE, assignment: Buffer.alloc(0) })
  })

  it('starts over when the assignment cannot be written', () => {
    const world = new GroupWorld()
    const [leader, follower] = joined(world, 2)
    const waiting = world.sync({ memberId: follower, generationId: 1 })
    world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    const own = world.sync({ memberId: leader, generationId: 1 })
    expect(own.response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(waiting.response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.shard.groups.get('g')!.state).toBe('PreparingRebalance')
  })

  it.each([
    ['an unknown group', { groupId: 'other' }, 'UNKNOWN_MEMBER_ID'],
    ['an empty group id', { groupId: '' }, 'INVALID_GROUP_ID'],
    ['an unknown member', { memberId: 'm' }, 'UNKNOWN_MEMBER_ID'],
    ['an old generation', { generationId: 0 }, 'ILLEGAL_GENERATION'],
    ['another protocol', { protocolName: 'sticky' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['another protocol type', { protocolType: 'connect' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['no protocol in v5', { protocolName: null }, 'INCONSISTENT_GROUP_PROTOCOL'],
  ] as const)('is refused with %s', (_, request, error) => {
    const world = new GroupWorld()
    const [leader] = joined(world, 1)
    const sync = world.sync({ memberId: leader, generationId: 1, ...protocol, ...request }, 5)
    expect(sync.response.errorCode).toBe(ErrorCode[error])
  })

  it('is refused while a rebalance is under way, which also ends those that wait', () => {
    const world = new GroupWorld()
    const [leader, follower] = joined(world, 2)
    const waiting = world.sync({ memberId: follower, generationId: 1 })
    world.joinNew()
    expect(waiting.response.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    const sync = world.sync({ memberId: leader, generationId: 1 })
    expect(sync.response.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('must come within the rebalance timeout, or the member is dropped', () => {
    const world = new GroupWorld()
    const [leader, follower] = joined(world, 2)
    world.sync({ memberId: leader, generationId: 1 })
    for (let step = 0; step < 4; step += 1) {
      for (const memberId of [leader, follower]) world.heartbeat({ memberId, generationId: 1 })
      world.run(7500)
    }
    const group = world.shard.groups.get('g')!
    expect([...group.members.keys()]).toEqual([leader])
    expect(group.state).toBe('PreparingRebalance')
  })
})

describe('Heartbeat', () => {
  it.each([0, 1, 2, 3, 4])('v%i is answered NONE by a stable group', (version) => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    for (const memberId of memberIds) {
      expect(world.heartbeat({ memberId, generationId: 1 }, version).response.errorCode).toBe(0)
    }
  })

  it('is answered NONE while the assignment is awaited', () => {
    const world = new GroupWorld()
    const [leader] = joined(world, 1)
    expect(world.heartbeat({ memberId: leader, generationId: 1 }).response.errorCode).toBe(0)
  })

  it.each([
    ['an unknown group', { groupId: 'other' }, 'UNKNOWN_MEMBER_ID'],
    ['an empty group id', { groupId: '' }, 'INVALID_GROUP_ID'],
    ['an unknown member', { memberId: 'm' }, 'UNKNOWN_MEMBER_ID'],
    ['a wrong generation', { generationId: 2 }, 'ILLEGAL_GENERATION'],
    ['an unknown instance', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID'],
  ] as const)('is refused with %s', (_, request, error) => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    const beat = world.heartbeat({ memberId: memberIds[0], generationId: 1, ...request })
    expect(beat.response.errorCode).toBe(ErrorCode[error])
  })

  it('keeps a member in the group; without it the session expires', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    for (let step = 0; step < 3; step += 1) {
      world.run(6000)
      world.heartbeat({ memberId: memberIds[0], generationId: 1 })
    }
    const group = world.shard.groups.get('g')!
    expect([...group.members.keys()]).toEqual([memberIds[0]])
    expect(group.state).toBe('PreparingRebalance')
    const again = world.join({ memberId: memberIds[0] })
    expect(again.response).toMatchObject({ generationId: 2, leader: memberIds[0] })
  })

  it('hands leadership to the next member when the leader is gone', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(3)
    world.leave({ members: [{ memberId: memberIds[0] }] })
    const joins = memberIds.slice(1).map((memberId) => world.join({ memberId }))
    expect(joins.map((each) => each.response.leader)).toEqual([memberIds[1], memberIds[1]])
  })

  it('is answered NONE while the partition is loading', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    world.failOver({ isLoading: true })
    expect(world.heartbeat({ memberId: memberIds[0], generationId: 1 }).response.errorCode).toBe(0)
    const join = world.join({ memberId: memberIds[0] })
    expect(join.response.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  })
})

describe('LeaveGroup', () => {
  it.each([0, 1, 2])('v%i takes one member out', (version) => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    expect(world.leave({ memberId: memberIds[1] }, version).response).toMatchObject({
      errorCode: ErrorCode.NONE,
      members: [],
    })
    const unknown = world.leave({ memberId: memberIds[1] }, version)
    expect(unknown.response.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    const beat = world.heartbeat({ memberId: memberIds[0], generationId: 1 })
    expect(beat.response.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it.each([3, 4, 5])('v%i takes several out and has an error for each', (version) => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    const members = [{ memberId: memberIds[1] }, { memberId: 'm' }]
    const { response } = world.leave({ members }, version)
    expect(response).toMatchObject({
      errorCode: ErrorCode.NONE,
      members: [
        { memberId: memberIds[1], groupInstanceId: null, errorCode: ErrorCode.NONE },
        { memberId: 'm', groupInstanceId: null, errorCode: ErrorCode.UNKNOWN_MEMBER_ID },
      ],
    })
  })

  it('leaves an empty group behind at once when the last member goes, and its answer waits', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    world.log.isHeld = true
    const leave = world.leave({ members: [{ memberId: memberIds[0] }] })
    expect(world.shard.groups.get('g')).toMatchObject({ state: 'Empty', generation: 2 })
    expect(leave.isAnswered).toBe(false)
    world.log.commit(0)
    expect(leave.response.members[0]!.errorCode).toBe(ErrorCode.NONE)
  })

  it('empties the group in memory even if that cannot be written', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    const leave = world.leave({ members: [{ memberId: memberIds[0] }] })
    expect(leave.response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.shard.groups.get('g')!.state).toBe('Empty')
  })

  it('answers a join of the member that still waits', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    const join = world.join({ memberId: memberIds[0] })
    world.leave({ members: [{ memberId: memberIds[0] }] })
    expect(join.response.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('forgets a member id that was given out and never used', () => {
    const world = new GroupWorld()
    world.stableGroup(1)
    const { memberId } = world.join().response
    const leave = world.leave({ members: [{ memberId }] })
    expect(leave.response.members[0]!.errorCode).toBe(ErrorCode.NONE)
    expect(world.join({ memberId }).response.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('of an unknown group fails for each member', () => {
    const world = new GroupWorld()
    const { response } = world.leave({ groupId: 'other', members: [{ memberId: 'm' }] })
    expect(response.errorCode).toBe(ErrorCode.NONE)
    expect(response.members[0]!.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(world.leave({ groupId: '' }).response.errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
  })
})
