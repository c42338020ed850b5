import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { GroupWorld, subscription } from '../../../support/group-world.ts'

/** A stable group of the static members `a` (the leader) and `b`. */
function staticGroup(world: GroupWorld): { readonly a: string; readonly b: string } {
  const joins = ['a', 'b'].map((groupInstanceId) => world.join({ groupInstanceId }))
  world.run(1)
  const [a, b] = joins.map((each) => each.response.memberId)
  const assignments = [
    { memberId: a, assignment: Buffer.from('A') },
    { memberId: b, assignment: Buffer.from('B') },
  ]
  world.sync({ memberId: a, groupInstanceId: 'a', generationId: 1, assignments })
  world.sync({ memberId: b, groupInstanceId: 'b', generationId: 1 })
  return { a: a!, b: b! }
}

describe('a static member', () => {
  it('joins at once, with an id made of its instance id', () => {
    const world = new GroupWorld()
    const join = world.join({ groupInstanceId: 'a' })
    world.run(1)
    expect(join.response.memberId).toMatch(/^a-[0-9a-f]{8}-/)
    expect(join.response.members[0]!.groupInstanceId).toBe('a')
  })

  it('comes back under a new id without a rebalance and with the same assignment', () => {
    const world = new GroupWorld()
    const { b } = staticGroup(world)
    const join = world.join({ groupInstanceId: 'b' })
    expect(join.response).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: false })
    const { memberId } = join.response
    expect(memberId).not.toBe(b)
    expect(world.shard.groups.get('g')!.state).toBe('Stable')
    const sync = world.sync({ memberId, groupInstanceId: 'b', generationId: 1 })
    expect(sync.response.assignment.toString()).toBe('B')
  })

  it('fences its former self', () => {
    const world = new GroupWorld()
    const { b } = staticGroup(world)
    world.join({ groupInstanceId: 'b' })
    const old = { memberId: b, groupInstanceId: 'b', generationId: 1 }
    expect(world.heartbeat(old).response.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(world.sync(old).response.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    const join = world.join({ memberId: b, groupInstanceId: 'b' })
    expect(join.response.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    const leave = world.leave({ members: [{ memberId: b, groupInstanceId: 'b' }] })
    expect(leave.response.members[0]!.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
  })

  it('as a leader skips the assignment from v9 on; before, it takes itself for a follower', () => {
    const world = new GroupWorld()
    const { a } = staticGroup(world)
    const old = world.join({ groupInstanceId: 'a' }, 8).response
    expect(old).toMatchObject({ leader: a, members: [], skipAssignment: false })
    const newer = world.join({ groupInstanceId: 'a' }, 9).response
    expect(newer).toMatchObject({ leader: newer.memberId, skipAssignment: true })
    expect(newer.members.map((each) => each.groupInstanceId)).toEqual(['a', 'b'])
  })

  it('keeps its new id over a change of coordinator', () => {
    const world = new GroupWorld()
    staticGroup(world)
    const { memberId } = world.join({ groupInstanceId: 'b' }).response
    world.failOver()
    const beat = world.heartbeat({ memberId, groupInstanceId: 'b', generationId: 1 })
    expect(beat.response.errorCode).toBe(ErrorCode.NONE)
  })

  it('is told when its new id cannot be written, and the old id stays', () => {
    const world = new GroupWorld()
    const { b } = staticGroup(world)
    world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    const join = world.join({ groupInstanceId: 'b' })
    expect(join.response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    const beat = world.heartbeat({ memberId: b, groupInstanceId: 'b', generationId: 1 })
    expect(beat.response.errorCode).toBe(ErrorCode.NONE)
  })

  it('makes a rebalance when it comes back with protocols that change the choice', () => {
    const world = new GroupWorld()
    const metadata = subscription(['foo'])
    const both = [
      { name: 'range', metadata },
      { name: 'sticky', metadata },
    ]
    const first = world.join({ groupInstanceId: 'a', protocols: both })
    world.run(1)
    world.sync({ memberId: first.response.memberId, groupInstanceId: 'a', generationId: 1 })
    const again = world.join({ groupInstanceId: 'a', protocols: both.toReversed() })
    expect(again.response).toMatchObject({ generationId: 2, protocolName: 'sticky' })
  })

  it('makes a rebalance when it comes back while the assignment is made', () => {
    const world = new GroupWorld()
    const joins = ['a', 'b'].map((groupInstanceId) => world.join({ groupInstanceId }))
    world.run(1)
    const b = joins[1]!.response.memberId
    const sync = world.sync({ memberId: b, groupInstanceId: 'b', generationId: 1 })
    const again = world.join({ groupInstanceId: 'b' })
    expect(sync.response.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(again.isAnswered).toBe(false)
    world.join({ groupInstanceId: 'a', memberId: joins[0]!.response.memberId })
    expect(again.response.generationId).toBe(2)
  })

  it('stays while it is away during a rebalance, until its session expires', () => {
    const world = new GroupWorld()
    const { a, b } = staticGroup(world)
    world.joinNew({ sessionTimeoutMs: 60_000 })
    const join = world.join({
      memberId: a,
      groupInstanceId: 'a',
      rebalanceTimeoutMs: 8000,
      sessionTimeoutMs: 60_000,
    })
    world.run(8000)
    expect(join.isAnswered).toBe(false)
    expect(world.shard.groups.get('g')!.members.has(b)).toBe(true)
    world.run(2001)
    expect(join.response.generationId).toBe(2)
    expect(world.shard.groups.get('g')!.members.has(b)).toBe(false)
  })

  it('does not complete a rebalance while nobody but absent static members is left', () => {
    const world = new GroupWorld()
    const { b } = staticGroup(world)
    world.leave({ members: [{ groupInstanceId: 'a' }] })
    for (let step = 0; step < 6; step += 1) {
      world.heartbeat({ memberId: b, groupInstanceId: 'b', generationId: 1 })
      world.run(9000)
    }
    expect(world.shard.groups.get('g')).toMatchObject({
      state: 'PreparingRebalance',
      generation: 1,
    })
    world.run(60_000)
    expect(world.shard.groups.get('g')!.state).toBe('Empty')
  })

  it('can be removed by an administrator who knows its instance id only', () => {
    const world = new GroupWorld()
    const { b } = staticGroup(world)
    const { response } = world.leave({
      members: [{ groupInstanceId: 'b' }, { groupInstanceId: 'c' }, {}],
    })
    expect(response.members.map((each) => each.errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_MEMBER_ID,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ])
    expect(world.shard.groups.get('g')!.members.has(b)).toBe(false)
  })
})
