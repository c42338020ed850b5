// Goal: the dump of a shard is what a replay of its log gives (G5), and tells every change of what replay determines.
// Method: groups with members, offsets and a rebalance under way; then memory is changed field by field.
// The model test of groups compares both after every step of its random runs.
import { describe, expect, it } from 'vitest'
import { dumpOfGroups } from '../../../../broker/group/group-dump.ts'
import { GroupWorld } from '../../../support/group-world.ts'

function stableWorld(): GroupWorld {
  const world = new GroupWorld()
  const { memberIds, generation } = world.stableGroup(2)
  world.commit(77, { memberId: memberIds[0], generation })
  return world
}

describe('the dump of a group shard', () => {
  it('is that of a replay', () => {
    const world = stableWorld()
    const dump = dumpOfGroups(world.shard)
    expect(dump).toBe(world.replayedDump())
    expect(dump).toMatch(/^group "g" Stable 1 "consumer" /)
    expect(dump.match(/^member "g" /gm)).toHaveLength(2)
    expect(dump).toMatch(/^offset "g" .* 77 epoch /m)
  })

  it('leaves out a rebalance under way and who waits to join', () => {
    const world = stableWorld()
    const before = dumpOfGroups(world.shard)
    world.joinNew()
    expect(world.shard.groups.get('g')!.state).toBe('PreparingRebalance')
    expect(dumpOfGroups(world.shard)).toBe(before)
    expect(world.replayedDump()).toBe(before)
  })

  it.each([
    ['generation', (world: GroupWorld) => (world.shard.groups.get('g')!.generation += 1)],
    ['leader', (world: GroupWorld) => (world.shard.groups.get('g')!.leaderId = 'other')],
    ['protocol', (world: GroupWorld) => (world.shard.groups.get('g')!.protocolType = 'other')],
    [
      'assignment',
      (world: GroupWorld) =>
        [...world.shard.groups.get('g')!.members.values()][0]!.clearAssignment(),
    ],
    [
      'members',
      (world: GroupWorld) => {
        const group = world.shard.groups.get('g')!
        group.remove([...group.members.keys()].at(-1)!)
      },
    ],
    [
      'offset',
      (world: GroupWorld) => {
        const [topic, partitions] = [...world.shard.offsetStore.topicsOf('g')][0]!
        const [partition, committed] = [...partitions][0]!
        const changed = { ...committed, offset: committed.offset + 1 }
        world.shard.offsetStore.replayCommit('g', topic, partition, changed, -1)
      },
    ],
    [
      'metadata of an offset',
      (world: GroupWorld) => {
        const [topic, partitions] = [...world.shard.offsetStore.topicsOf('g')][0]!
        const [partition, committed] = [...partitions][0]!
        const changed = { ...committed, metadata: 'changed' }
        world.shard.offsetStore.replayCommit('g', topic, partition, changed, -1)
      },
    ],
    [
      'offset of an open transaction',
      (world: GroupWorld) => {
        const [topic, partitions] = [...world.shard.offsetStore.topicsOf('g')][0]!
        const [partition, committed] = [...partitions][0]!
        world.shard.offsetStore.replayCommit('g', topic, partition, committed, 9)
      },
    ],
  ])('shows a change of %s in memory', (_, change) => {
    const world = stableWorld()
    change(world)
    expect(dumpOfGroups(world.shard)).not.toBe(world.replayedDump())
  })
})
