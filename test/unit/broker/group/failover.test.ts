import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { GroupWorld } from '../../../support/group-world.ts'

describe('a group whose coordinator moves', () => {
  it('continues with the same generation, members, assignment and offsets', () => {
    const world = new GroupWorld()
    const { memberIds, generation } = world.stableGroup(3)
    world.commit(77, { memberId: memberIds[0], generation })
    world.failOver()
    for (const [index, memberId] of memberIds.entries()) {
      expect(world.heartbeat({ memberId, generationId: generation }).response.errorCode).toBe(0)
      const sync = world.sync({ memberId, generationId: generation })
      expect(sync.response.assignment.toString()).toBe(`part ${index}`)
    }
    expect(world.committedOffset()).toBe(77)
    expect(
      world.commit(78, { memberId: memberIds[1], generation }).response.topics[0]!.partitions[0]!
        .errorCode,
    ).toBe(0)
    expect(world.shard.persisted()).toEqual(world.replayed())
  })

  it('gives its members a whole session after loading', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    world.run(9000)
    world.failOver()
    world.run(9000)
    expect(world.shard.groups.get('g')!.members.size).toBe(2)
    world.heartbeat({ memberId: memberIds[0], generationId: 1 })
    world.run(2000)
    expect([...world.shard.groups.get('g')!.members.keys()]).toEqual([memberIds[0]])
  })

  it('is back at its last assignment when a rebalance was under way', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    const late = world.joinNew()
    const waiting = world.join({ memberId: memberIds[0] })
    world.failOver()
    expect(late.response.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(waiting.response.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(world.shard.groups.get('g')).toMatchObject({ state: 'Stable', generation: 1 })
    expect([...world.shard.groups.get('g')!.members.keys()]).toEqual(memberIds)
    const beat = world.heartbeat({ memberId: memberIds[1], generationId: 1 })
    expect(beat.response.errorCode).toBe(ErrorCode.NONE)
  })

  it('has members of a generation that was never assigned join again', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    for (const memberId of memberIds) world.join({ memberId })
    const waiting = world.sync({ memberId: memberIds[1], generationId: 2 })
    world.failOver()
    expect(waiting.response.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    const sync = world.sync({ memberId: memberIds[1], generationId: 2 })
    expect(sync.response.errorCode).toBe(ErrorCode.ILLEGAL_GENERATION)
    const joins = memberIds.map((memberId) => world.join({ memberId }))
    expect(joins.map((each) => each.response.generationId)).toEqual([2, 2])
  })

  it('still rebalances with the members it has loaded', () => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(2)
    world.failOver()
    const third = world.joinNew()
    const again = memberIds.map((memberId) => world.join({ memberId }))
    expect([...again, third].map((each) => each.response.generationId)).toEqual([2, 2, 2])
    expect(again[0]!.response.members).toHaveLength(3)
  })

  it('loses a commit that never was committed, and the client was not told that it was', () => {
    const world = new GroupWorld()
    world.commit(1)
    world.log.isHeld = true
    const lost = world.commit(2)
    world.log.isHeld = false
    world.failOver({ losesTail: true })
    expect(lost.response.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(world.committedOffset()).toBe(1)
  })

  it('keeps a commit that the new coordinator had, and answers it when it is committed', () => {
    const world = new GroupWorld()
    world.commit(1)
    world.log.isHeld = true
    world.commit(2)
    world.failOver()
    const fetched = world.fetch()
    expect(fetched.isAnswered).toBe(false)
    world.log.commit(0)
    expect(fetched.response.groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(2)
  })

  it('asks for a rebalance when it is larger than the new coordinator allows', () => {
    const small = { maxSize: 2 }
    const world = new GroupWorld()
    world.stableGroup(3)
    Object.assign(world.config, small)
    world.failOver()
    expect(world.shard.groups.get('g')!.state).toBe('PreparingRebalance')
  })

  it('tells of loading and unloading', () => {
    const world = new GroupWorld()
    world.commit(1)
    world.failOver()
    const told = world.events
      .filter(({ kind }) => kind.startsWith('coordinator.'))
      .map(({ kind, node, fields }) => [kind, node, fields.partition, fields.records ?? null])
    expect(told).toEqual([
      ['coordinator.loaded', 'broker1', 0, 0],
      ['coordinator.unloaded', 'broker1', 0, null],
      ['coordinator.loaded', 'broker2', 0, 1],
    ])
    const states = world.events.filter(
      ({ kind, node }) => kind === 'group.state-changed' && node === 'broker2',
    )
    expect(states).toEqual([])
  })

  it('is loaded in steps when its log is large, and refuses requests meanwhile', () => {
    const world = new GroupWorld({ config: { offsetsLoadBufferBytes: 10_000 } })
    for (let index = 0; index < 3000; index += 1) world.commit(index, { groupId: `g${index % 50}` })
    world.log.readCount = 0
    world.failOver({ isLoading: true })
    const early = world.fetch('g7').response.groups[0]!
    expect(early.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    world.run(1)
    expect(world.log.readCount).toBeGreaterThan(20)
    expect(world.committedOffset('g7')).toBe(2957)
    expect(world.shard.persisted()).toEqual(world.replayed())
  })
})
